# SPDX-License-Identifier: Apache-2.0
# tests/cli/limits-postgresql.bats - limits of PostgreSQL that docs/guide/limits.md tells of.

load ../support/bats/common
setup() {
    common_setup
    pg_database
    export BACKOUT_DB=$PG_URL
    backout -q init
    sql -c "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')"
}
teardown() { common_teardown; }

super() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$PG_SUPER_URL" -c "$1"; }

# said WORDS: in what was printed
said() {
    [[ $output == *"$1"* ]] || {
        echo "$output"
        return 1
    }
}

@test "a foreign key of generated columns is not broken, and no plan knows it before" {
    sql -c "CREATE TABLE c (id int PRIMARY KEY, b int, g int GENERATED ALWAYS AS (b * 10) STORED UNIQUE);
        CREATE TABLE d (id int PRIMARY KEY, x int, g int GENERATED ALWAYS AS (x * 10) STORED,
            FOREIGN KEY (g) REFERENCES c (g));
        INSERT INTO c (id, b) VALUES (1, 1), (2, 2), (3, 3); INSERT INTO d (id, x) VALUES (1, 2)"
    backout -q point create --tables c
    sql -c "UPDATE c SET b = 5 WHERE id = 1"
    backout -q point seal latest
    sql -c "UPDATE d SET x = 5 WHERE id = 1" # what it refers to would go
    run -0 backout -q execute latest --type partial --dry-run
    for policy in refuse skip; do
        run -3 backout -q execute latest --type partial --on-conflict $policy --yes
        [[ $output == *"violates foreign key constraint"* ]] || { echo "$output"; false; }
    done
    run -3 backout -q execute latest --type full --yes
    sql -c "UPDATE d SET x = 3 WHERE id = 1"
    backout -q execute latest --type partial --yes
    backout -q point create --tables d
    sql -c "UPDATE d SET x = 2 WHERE id = 1"
    backout -q point seal latest
    sql -c "DELETE FROM c WHERE id = 3" # it would refer to nothing
    run -3 backout -q execute latest --type partial --yes
    [[ $output == *"violates foreign key constraint"* ]] || { echo "$output"; false; }
    [ "$(sql -c 'SELECT g FROM d')$(sql -c 'SELECT sum(b) FROM c')" = 203 ]
}

@test "rows are not followed round a ring by a type that cannot be hashed" {
    sql -c "CREATE TABLE m (id bit varying PRIMARY KEY, up bit varying REFERENCES m ON DELETE CASCADE);
        INSERT INTO m VALUES ('1', NULL), ('10', '1'), ('11', NULL)"
    run -1 backout point create --where "m: id = '1'"
    said "could not implement recursive UNION"
    said "hint: rows that foreign keys tie into a ring are followed by types that can be hashed only"
    backout -q point create --tables m
    sql -c "DELETE FROM m WHERE id = '1'"
    backout -q execute latest --yes
    [ "$(sql -c 'SELECT count(*) FROM m')" = 3 ]
}

@test "rows that an action would change behind the plan keep the values that they refer to" {
    sql -c "CREATE TABLE c (id int PRIMARY KEY, b int, g int GENERATED ALWAYS AS (b * 10) STORED UNIQUE, v text);
        CREATE TABLE d (id int PRIMARY KEY, g int REFERENCES c (g) ON UPDATE CASCADE);
        CREATE TABLE p (id int PRIMARY KEY, v int NOT NULL, w text) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p (UNIQUE (v)) FOR VALUES FROM (1) TO (9);
        CREATE TABLE x (id int PRIMARY KEY, v int REFERENCES p1 (v) ON UPDATE SET NULL);
        INSERT INTO c VALUES (1, 1), (2, 2); INSERT INTO p VALUES (1, 1), (2, 2)"
    backout -q point create --no-closure --tables c,p
    sql -c "UPDATE c SET b = 5 WHERE id = 1; UPDATE c SET v = 'w' WHERE id = 2;
        UPDATE p SET v = 5 WHERE id = 1; UPDATE p SET w = 'w' WHERE id = 2"
    backout -q point seal latest
    sql -c "INSERT INTO d VALUES (1, 50), (2, 20); INSERT INTO x VALUES (1, 5), (2, 2)"
    for url in "$PG_URL" "$PG_SUPER_URL"; do
        for table in c:d_g_fkey p:x_v_fkey; do
            run -3 backout -q execute latest --db "$url" --type partial --tables ${table%:*} --yes
            said "the action of foreign key '${table#*:}' would change rows"
        done
    done
    [ "$(sql -c 'SELECT sum(g) FROM d')$(sql -c 'SELECT sum(v) FROM x')" = 707 ]
    sql -c 'DELETE FROM d WHERE id = 1; DELETE FROM x WHERE id = 1'
    backout -q execute latest --type partial --yes
    [ "$(sql -c 'SELECT g FROM d')$(sql -c 'SELECT v FROM x')" = 202 ]
}

@test "what holds no rows of its own, or not for all, is refused by name" {
    sql -c "CREATE VIEW v AS TABLE t; CREATE MATERIALIZED VIEW m AS TABLE t"
    for name in v:'a view' m:'a materialized view' pg_catalog.pg_class:'belongs to the database'; do
        run -3 backout point create --tables "${name%%:*}"
        said "${name#*:}"
    done
    mkfifo hold
    sql <hold >held 3>&- &
    exec 4>hold
    echo "CREATE TEMPORARY TABLE x (id int PRIMARY KEY); SELECT 'held';" >&4
    eventually grep -q held held
    run -3 backout point create --tables "$(sql -c "SELECT relnamespace::regnamespace || '.x'
        FROM pg_class WHERE relname = 'x'")"
    exec 4>&-
    wait
    said "it is a temporary table"
}

@test "a partition that is a foreign table makes its table uncovered" {
    super "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
        CREATE TABLE p (id int) PARTITION BY LIST (id);
        CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES IN (1) SERVER s"
    run -3 backout point create --db "$PG_SUPER_URL" --tables p
    said "partition p1 is a foreign table"
}

@test "a partition that the change dropped is named, and is made before its rows come back" {
    sql -c "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
        CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1), (2)"
    backout -q point create --tables p
    sql -c "DROP TABLE p2"
    backout -q point seal latest
    run -3 backout execute latest --type full --discard-later --yes
    said "partition 'p2' is gone since the point; make it again before its rows come back"
    [[ $output != *session_replication_role* ]] # which would not help
    sql -c "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)"
    run -0 backout execute latest --type full --discard-later --yes
    [ "$(sql -c 'SELECT count(*) FROM p')" = 2 ]
}

@test "a partition by itself is refused where foreign keys are, with the table to name" {
    sql -c "CREATE TABLE p (id int PRIMARY KEY REFERENCES t) PARTITION BY LIST (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)"
    run -3 backout point create --tables p1
    said "it is a partition of public.p, which has foreign keys: name that table instead"
}

@test "a restore into another database needs the types to be there" {
    sql -c "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE m (id int PRIMARY KEY, m mood);
        INSERT INTO m VALUES (1, 'sad')"
    backout -q point create --tables m
    super "CREATE DATABASE ${PG_DATABASE}_b OWNER app"
    local other=${PG_URL/$PG_DATABASE?/${PG_DATABASE}_b?}
    run -3 backout restore latest --db "$other" --yes
    said 'type "public.mood" does not exist'
    psql -X -q "$other" -c "CREATE TYPE mood AS ENUM ('sad')"
    backout -q restore latest --db "$other" --yes
    [ "$(psql -X -q -A -t "$other" -c 'TABLE m')" = '1|sad' ]
    super "DROP DATABASE ${PG_DATABASE}_b WITH (FORCE)"
}

@test "a trigger that a role cannot switch off is refused before it fires" {
    local clerk=clerk_$PG_DATABASE
    sql -c "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()"
    super "CREATE ROLE $clerk LOGIN; GRANT ALL ON t TO $clerk; GRANT CREATE ON DATABASE $PG_DATABASE TO $clerk"
    local as=${PG_URL/user=app/user=$clerk}
    backout -q point create --db "$as" --tables t
    sql -c "UPDATE t SET v = 'x'"
    backout -q point seal latest --db "$as"
    run backout execute latest --db "$as" --type full --yes
    super "DROP OWNED BY $clerk; DROP ROLE $clerk"
    [ "$status" = 3 ]
    said "trigger g of public.t would fire"
    [ "$(sql -c 'SELECT DISTINCT v FROM t')" = x ]
}

@test "rows outside the point that refer to a value keep it from changing back" {
    sql -c "CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE); INSERT INTO p VALUES (1, 'a');
        CREATE TABLE c (id int PRIMARY KEY, code text REFERENCES p (code) ON UPDATE CASCADE);
        INSERT INTO c VALUES (1, 'a')"
    backout -q point create --tables p --no-closure
    sql -c "UPDATE p SET code = 'b'"
    backout -q point seal latest
    run -3 backout execute latest --type partial --yes
    said "foreign-key"
    [ "$(sql -c 'SELECT p.code, c.code FROM p, c')" = 'b|b' ]
}

@test "numbers that a dry run takes from a sequence stay taken" {
    sql -c "CREATE TABLE s (id serial PRIMARY KEY)"
    echo 'INSERT INTO s DEFAULT VALUES' >one.sql
    backout -q run --dry-run one.sql
    [ "$(sql -c "INSERT INTO s DEFAULT VALUES RETURNING id")" = 2 ]
}

@test "TRUNCATE CASCADE reaches tables that are not in the point of the one it names" {
    sql -c "CREATE TABLE c (id int REFERENCES t); INSERT INTO c VALUES (1)"
    backout -q point create --tables t
    sql -c "TRUNCATE t CASCADE"
    backout -q point seal latest
    backout -q execute latest --type full --yes
    [ "$(sql -c 'SELECT count(*), (SELECT count(*) FROM c) FROM t')" = '2|0' ]
}

@test "a column whose type changed is refused" {
    backout -q point create --tables t
    sql -c "ALTER TABLE t ALTER v TYPE varchar(9)"
    backout -q point seal latest
    run -3 backout execute latest --type partial --yes
    said "table 't' had changed its shape"
    run -3 backout execute latest --type full --discard-later --yes
    said "the rows of 't' do not fit the table as it is now"
}

@test "a row that a function writes within the statement is told wrong" {
    sql -c "CREATE FUNCTION again(i int) RETURNS text LANGUAGE plpgsql AS
        'BEGIN UPDATE t SET v = ''third'' WHERE id = i; RETURN ''''; END'"
    backout -q point create --method capture --tables t
    sql -c "WITH u AS (UPDATE t SET v = 'second' WHERE id = 1 RETURNING id) SELECT again(id) FROM u"
    backout -q point seal latest
    backout -q execute latest --type partial --yes
    [ "$(sql -c 'SELECT v FROM t WHERE id = 1')" = second ] # and not a

    sql -c "INSERT INTO t VALUES (3, 'c'); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM again(2); RETURN NEW; END'; CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW
        WHEN (NEW.id = 3) EXECUTE FUNCTION f()"
    backout -q point create --method capture --tables t
    sql -c "UPDATE t SET v = 'second' WHERE id > 1"
    backout -q point seal latest
    backout -q execute latest --type partial --yes
    [ "$(sql -c 'SELECT v FROM t WHERE id > 1 ORDER BY id')" = $'b\nc' ] # what a trigger writes is told right
}

@test "a type that a journal has cannot be dropped before the capture ends" {
    sql -c "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE m (id int PRIMARY KEY, m mood)"
    backout -q point create --method capture --tables m
    sql -c "DROP TABLE m"
    run ! sql -c "DROP TYPE mood"
    said "depends on type mood"
    backout -q point release latest --yes
    sql -c "DROP TYPE mood"
}

@test "a journal that two points share keeps what the younger needs when the older ends" {
    backout -q point create --method capture --tables t
    old=$(backout list --output json | jq -r '.[0].id')
    sql -c "UPDATE t SET v = v || 'x'"
    backout -q point create --method capture --tables t
    sql -c "UPDATE t SET v = v || 'y' WHERE id = 1"
    journal=backout.journal_$(sql -c "SELECT 't'::regclass::oid")
    [ "$(sql -c "SELECT count(*) FROM $journal")" = 3 ]
    backout -q point release "$old" --yes
    [ "$(sql -c "SELECT count(*) FROM $journal")" = 1 ]
}

@test "a change of 2,000 rows or more is kept in the database until its capture ends" {
    sql -c "INSERT INTO t SELECT i, '' FROM generate_series(3, 3000) i"
    backout -q point create --method capture --tables t
    sql -c "UPDATE t SET v = 'x'"
    backout -q point seal latest
    kept="SELECT count(*) FROM pg_class WHERE relname LIKE 'kept%'"
    [ "$(sql -c "$kept AND pg_relation_size(oid) > 100000")" = 1 ]
    backout -q point release latest
    [ "$(sql -c "$kept")" = 0 ]
}

@test "of a publication of all tables, subscribers are sent nothing of ours" {
    super "CREATE TABLE made (what text); CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql
        SECURITY DEFINER AS 'BEGIN INSERT INTO public.made SELECT object_identity
        FROM pg_event_trigger_ddl_commands(); END'; CREATE EVENT TRIGGER note ON ddl_command_end
        EXECUTE FUNCTION note(); CREATE PUBLICATION everything FOR ALL TABLES"
    backout -q point create --tables t
    sql -c "UPDATE t SET v = 'x'"
    backout -q point seal latest
    run -0 backout execute latest --type partial --yes
    said "done, proof: match"
    super "SELECT count(*) > 0, count(*) FILTER (WHERE what LIKE 'backout%') FROM made" | grep -qx 't|0'
    run -0 backout point create --method capture --tables t
    said "publication everything sends all tables to its subscribers, which have no journals"
    super "DROP PUBLICATION everything"
    run -0 backout point create --method capture --tables t
    [[ $output =~ t\ +about\ [0-9]+\ +capture ]]
}

@test "a table that became a partition is made one of its own again before its rows come back" {
    sql -c "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY LIST (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1, 'a');
        CREATE TABLE x (id int PRIMARY KEY, v text); INSERT INTO x VALUES (2, 'b')"
    backout -q point create --tables p,x
    sql -c "UPDATE p SET v = 'c'; ALTER TABLE p ATTACH PARTITION x FOR VALUES IN (2)"
    backout -q point seal latest
    for type in partial full backup; do
        command=(execute latest --type "$type")
        [ "$type" != backup ] || command=(restore latest)
        run -3 backout "${command[@]}" --yes
        said "table 'x' is a partition of 'p' now, and was a table of its own at the point"
        said "ALTER TABLE p DETACH PARTITION x"
    done
    run -0 backout execute latest --type partial --tables p --dry-run
    said "partition 'x' came since the point; detach it before, where rows that it brought are to stay"
    sql -c "ALTER TABLE p DETACH PARTITION x"
    backout -q execute latest --type partial --yes
    [ "$(sql -c 'TABLE p' -c 'TABLE x')" = $'1|a\n2|b' ]
    run -0 backout verify latest

    backout -q point create --tables p,p1
    backout -q point seal latest
    run -3 backout execute latest --type full --yes
    said "table 'p1' is a partition of 'p', and its rows would be put back twice"
    backout -q execute latest --type full --tables p --yes
}

@test "row security that hides rows of a table that is referred to is said to be what refuses" {
    sql -c "ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
        CREATE POLICY p ON t USING (id = 1);
        CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t); INSERT INTO child VALUES (1, 1)"
    echo "DELETE FROM child" >change.sql
    backout -q run --tables child change.sql
    run -3 backout execute latest --yes
    said "row-level security policy for table"
    said "hint: connect as a role with BYPASSRLS"
    [ "$(sql -c 'SELECT count(*) FROM child')" = 0 ]
}

@test "an event trigger that refuses what a rollback makes is named, and one that writes is seen" {
    backout -q point create
    sql -c "UPDATE t SET v = 'x'"
    backout -q point seal latest
    super "CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql
        AS 'BEGIN RAISE EXCEPTION ''not today''; END';
        CREATE EVENT TRIGGER no ON ddl_command_start EXECUTE FUNCTION no()"
    run -1 backout execute latest --type partial --yes
    said "not today"
    said "hint: it may be an event trigger, which fires for the temporary tables of a rollback as well"
    run -1 backout point create --method capture
    said "hint: it may be an event trigger, which fires for what captures as well"
    super "DROP EVENT TRIGGER no"

    sql -c "CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)"
    backout -q point create
    sql -c "UPDATE t SET v = 'y'; INSERT INTO made DEFAULT VALUES"
    backout -q point seal latest
    super "CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
        AS 'BEGIN INSERT INTO public.made DEFAULT VALUES; END';
        CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note()"
    run -4 backout execute latest --type full --yes
    said "mismatch"
    [ "$(sql -c 'SELECT DISTINCT v FROM t')" = y ]
    backout -q execute latest --type full --tables t --yes
    [ "$(sql -c 'SELECT DISTINCT v FROM t')" = x ]
}

@test "an index by an SQL function that names things without a schema keeps a table from being read" {
    sql -c "CREATE FUNCTION plain(v text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(v)';
        CREATE FUNCTION folded(v text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT plain(v)';
        CREATE INDEX ON t (folded(v))"
    run ! backout point create --tables t
    said "function plain(text) does not exist"
    sql -c "ALTER FUNCTION folded SET search_path = public"
    backout -q point create --tables t
}

@test "a table of more than 1594 columns comes back with restore only" {
    sql -c "DO \$\$ BEGIN EXECUTE (SELECT 'CREATE TABLE w (' || string_agg('c' || i || ' int', ', ')
        || ', PRIMARY KEY (c1))' FROM generate_series(1, 1600) i); END \$\$; INSERT INTO w (c1, c1600) VALUES (1, 2), (3, 4)"
    backout -q point create --tables w
    sql -c "DELETE FROM w WHERE c1 = 1"
    run -0 backout point seal latest
    said "it has 1600 columns: single rows of it cannot be put back, all of them can with restore"
    run -1 backout execute latest --type partial --yes
    said "tables can have at most 1600 columns"
    said "hint: all of its rows can come back, and later ones go: backout restore "
    backout -q restore latest --yes
    [ "$(sql -c 'SELECT c1, c1600 FROM w ORDER BY c1')" = $'1|2\n3|4' ]
}

@test "a published table without a replica identity is told of before its rows have to go" {
    sql -c "CREATE TABLE n (v text); CREATE PUBLICATION \"some\" FOR TABLE t, n"
    backout -q point create
    sql -c "INSERT INTO n VALUES ('x')"
    run -0 backout point seal latest
    said "n: rows cannot be put back before ALTER TABLE n REPLICA IDENTITY FULL: publication \"some\" sends"
    run ! backout execute latest --type partial --yes
    said "does not have a replica identity"
    sql -c "ALTER TABLE n REPLICA IDENTITY FULL"
    backout -q execute latest --type partial --yes
    [ "$(sql -c 'SELECT count(*) FROM n')" = 0 ]
}
