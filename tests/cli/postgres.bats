# SPDX-License-Identifier: Apache-2.0
# tests/cli/postgres.bats - the same commands on PostgreSQL, and what only PostgreSQL has.

load ../support/bats/common
setup() {
    common_setup
    pg_database
    sql -c "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
        CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer_id int REFERENCES customers ON DELETE CASCADE, total numeric(10, 2));
        INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, 50) i;
        INSERT INTO orders (customer_id, total) SELECT 1 + i % 50, i FROM generate_series(1, 500) i;"
    backout -q init
    before=$(rows)
}
teardown() { common_teardown; }

rows() {
    sql -c 'SELECT * FROM customers ORDER BY 1' -c 'SELECT * FROM orders ORDER BY 1'
}

@test "a change that cascades is rolled back with proof" {
    echo 'DELETE FROM customers WHERE id < 10;' >damage.sql
    backout -q run --db "$PG_URL" damage.sql
    [ "$(sql -c 'SELECT count(*) FROM orders')" = 410 ]
    run -0 --separate-stderr backout execute latest --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ "$(rows)" = "$before" ]
}

@test "partial keeps what others wrote" {
    echo 'UPDATE orders SET total = 0;' >damage.sql
    backout -q run --db "$PG_URL" --tables orders damage.sql
    sql -c "INSERT INTO orders (customer_id, total) VALUES (1, 42)"
    run -3 --separate-stderr backout execute latest --yes
    run -0 --separate-stderr backout execute latest --type partial --yes
    [ "$(sql -c 'SELECT count(*), sum(total) FROM orders')" = "501|125292.00" ]
}

@test "a program finds the server in PGHOST, PGPORT, PGUSER, PGDATABASE, and has the run's name" {
    run -1 --separate-stderr backout run --db "$PG_URL" --tables customers -- sh -c '
        psql -X -q -A -t -c "UPDATE customers SET name = 0" \
            -c "SELECT current_setting('"'application_name'"')" && exit 3'
    [[ ${lines[0]} == backout:run_* ]]
    [[ $stderr == *"because: 'sh' ended with exit code 3"* ]]
    [ "$(rows)" = "$before" ]
}

@test "a password comes from a private file or from a command, never from the URL" {
    local url=${BACKOUT_TEST_PG_PASSWORD_URL:?}
    run -1 --separate-stderr backout point create --db "$url"
    [[ $stderr == *"hint: "*password* ]]
    printf '%s\n' "$BACKOUT_TEST_PG_PASSWORD" >secret
    chmod 644 secret
    BACKOUT_PASSWORD_FILE=secret run -3 --separate-stderr backout point create --db "$url"
    [[ $stderr == *"can be read by others"* ]]
    chmod 600 secret
    # the role has no table: it was let in
    BACKOUT_PASSWORD_FILE=secret run -3 --separate-stderr backout point create --db "$url"
    [[ $stderr == *"there is no table"* ]]
    printf 'databases: {locked: {url: "%s", password_command: cat %s/secret}}\n' "$url" "$PWD" \
        >>backout.yaml
    run -3 --separate-stderr backout point create --db locked
    [[ $stderr == *"there is no table"* ]]
    [[ $output$stderr != *"$BACKOUT_TEST_PG_PASSWORD"* ]]
}

@test "a database that the configuration knows is recognized by another spelling of its URL" {
    printf 'databases: {live: {url: "%s", production: true}}\n' "$PG_URL" >>backout.yaml
    run -3 --separate-stderr backout run --db "$PG_URL&application_name=x" -- true
    [[ $stderr == *"'live' is a production database"* ]]
}

@test "a server that cannot be reached exits 1 and says what to look at" {
    run -1 --separate-stderr backout point create --db postgresql://localhost:1/shop
    [[ $stderr == *"Connection refused"* ]]
    [[ $stderr == *"hint: is the server running"* ]]
}

@test "a view that went with its table is named, because it is not made again" {
    sql -c "CREATE TABLE seen (id int PRIMARY KEY); CREATE VIEW sight AS SELECT * FROM seen"
    backout -q run --db "$PG_URL" --tables seen -- psql -q -c 'DROP TABLE seen CASCADE' "$PG_URL"
    run -0 --separate-stderr backout execute latest --yes
    [[ $output == *"note: seen: view 'sight', which read it, is gone and is not made again"* ]]
}

@test "a foreign key that went with its table comes back with it, and no note denies that" {
    sql -c "CREATE TABLE seen (id int PRIMARY KEY);
        CREATE TABLE looks (id int PRIMARY KEY, seen int REFERENCES seen)"
    backout -q run --db "$PG_URL" --tables seen,looks -- psql -q -c 'DROP TABLE seen CASCADE' "$PG_URL"
    run -0 --separate-stderr backout execute latest --yes
    [[ $output == *"'looks_seen_fkey' is gone since the point, and is made again only with"* ]]
    [ "$(sql -c "SELECT count(*) FROM pg_constraint WHERE conname = 'looks_seen_fkey'")" = 1 ]
    sql -c "INSERT INTO seen VALUES (1); INSERT INTO looks VALUES (1, 1)"
    backout -q run --db "$PG_URL" --tables seen,looks -- psql -q -c 'ALTER TABLE looks DROP CONSTRAINT looks_seen_fkey' "$PG_URL"
    run -0 --separate-stderr backout execute latest --discard-later --yes
    [[ $output == *"'looks_seen_fkey' is gone since the point, and is made again only with"* ]]
    [ "$(sql -c "SELECT count(*) FROM pg_constraint WHERE conname = 'looks_seen_fkey'")" = 0 ]
}

@test "foreign keys that a partition got after its point are not broken" {
    sql -c "CREATE TABLE days (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE day1 PARTITION OF days FOR VALUES FROM (0) TO (100)"
    backout -q point create --db "$PG_SUPER_URL" --tables day1
    sql -c "INSERT INTO days VALUES (5)"
    backout -q point seal latest
    sql -c "CREATE TABLE uses (day int REFERENCES days); INSERT INTO uses VALUES (5)"
    run -3 --separate-stderr backout execute latest --type partial --yes
    [[ $stderr == *"hint: rows that are not part of it refer to rows that go"* ]]
    [ "$(sql -c "SELECT count(*) FROM uses JOIN days ON id = day")" = 1 ]
    sql -c "DELETE FROM uses"
    run -0 --separate-stderr backout execute latest --type partial --yes
    [ "$(sql -c "SELECT count(*) FROM days")" = 0 ]
}

@test "a table whose schema or type is gone as well says what to make first" {
    sql -c "CREATE SCHEMA shop; CREATE TABLE shop.goods (id int PRIMARY KEY);
        CREATE TYPE state AS ENUM ('new', 'old'); CREATE TABLE stock (id int PRIMARY KEY, s state)"
    backout -q point create --db "$PG_URL" --tables shop.goods
    sql -q -c "SET client_min_messages = error; DROP SCHEMA shop CASCADE"
    run -3 --separate-stderr backout execute latest --yes
    [[ $stderr == *"hint: make the schema first: CREATE SCHEMA NAME" ]]
    backout -q point create --db "$PG_URL" --tables stock
    sql -c "DROP TABLE stock; DROP TYPE state"
    run -3 --separate-stderr backout execute latest --yes
    [[ $stderr == *"hint: make first what the table needs"* ]]
}

@test "what refers to one partition keeps its rows, and the hint says what to do" {
    sql -c "CREATE TABLE days (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE day1 PARTITION OF days FOR VALUES FROM (0) TO (100);
        CREATE TABLE uses (day int REFERENCES day1)"
    backout -q point create --db "$PG_URL" --tables days --no-closure
    sql -c "INSERT INTO days VALUES (5)"
    backout -q point seal latest
    sql -c "INSERT INTO uses VALUES (5)"
    run -3 --separate-stderr backout execute latest --type partial --on-conflict skip --yes
    [[ $stderr == *"rows of days that go are still referred to by rows of public.uses"* ]]
    [[ $stderr == *"hint: rows that are not part of it refer to rows that go"* ]]
}

@test "commands that need what is recorded make no catalog in a database of somebody" {
    run -3 --separate-stderr backout --catalog "$PG_URL" --repository repo list
    [[ ${stderr_lines[0]} == "backout: there is no catalog at '"* ]]
    run -3 --separate-stderr backout --catalog "$PG_URL" --repository repo audit --verify
    echo "UPDATE customers SET name = 'x'" >x.sql
    run -0 --separate-stderr backout --catalog "$PG_URL" --repository repo run --db "$PG_URL" --dry-run x.sql
    [[ $output == "dry run: would insert 0, update "* ]]
    run -0 --separate-stderr backout --catalog "$PG_URL" --repository repo doctor --db "$PG_URL"
    [[ $output == *"there is no catalog yet"* ]]
    [ "$(sql -c "SELECT count(*) FROM pg_namespace WHERE nspname LIKE '%backout%'")" = 0 ]
    [ ! -e repo ]
    backout -q --catalog "$PG_URL" --repository repo backup customers --db "$PG_URL"
    run -0 --separate-stderr backout --catalog "$PG_URL" --repository repo list --output json
    [ "$(jq length <<<"$output")" = 1 ]
}

@test "a sequence does not go back where only some rows do" {
    sql -c "CREATE TABLE a (id serial PRIMARY KEY, v text); CREATE TABLE b (id serial PRIMARY KEY);
        INSERT INTO a (v) VALUES ('x'), ('y'); INSERT INTO b DEFAULT VALUES"
    backout -q point create --db "$PG_URL" --tables a,b
    sql -c "UPDATE a SET v = 'z'; INSERT INTO a (v) VALUES ('new'); INSERT INTO b DEFAULT VALUES"
    backout -q point seal latest
    backout -q execute latest --type full --where 'a: id = 1' --yes
    [ "$(sql -c "INSERT INTO a (v) VALUES ('next') RETURNING id")" = 4 ]
    [ "$(sql -c "INSERT INTO b DEFAULT VALUES RETURNING id")" = 3 ]
}

@test "a sequence that another table takes numbers of goes back with both of them only" {
    sql -c "CREATE SEQUENCE numbers; CREATE TABLE a (id int PRIMARY KEY DEFAULT nextval('numbers'));
        CREATE TABLE b (id int PRIMARY KEY DEFAULT nextval('numbers'))"
    echo "INSERT INTO a DEFAULT VALUES" >one.sql
    backout -q run --db "$PG_URL" --tables a one.sql
    sql -c "INSERT INTO b DEFAULT VALUES"
    backout -q execute latest --type full --yes
    sql -c "INSERT INTO b DEFAULT VALUES"
    [ "$(sql -c "SELECT min(id), max(id), nextval('numbers') FROM b")" = '2|3|4' ]

    backout -q run --db "$PG_URL" --tables a,b one.sql
    backout -q execute latest --type full --yes
    [ "$(sql -c "SELECT nextval('numbers')")" = 5 ]
}

@test "functions of checks, domains, indexes and computed columns find what they name" {
    sql -c "CREATE TABLE codes (code text PRIMARY KEY); INSERT INTO codes VALUES ('de'), ('fr');
        CREATE FUNCTION known(c text) RETURNS boolean LANGUAGE plpgsql
            AS 'BEGIN RETURN EXISTS (SELECT FROM codes WHERE code = c); END';
        CREATE FUNCTION plain(c text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(c)';
        CREATE FUNCTION folded(c text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plain(c); END';
        CREATE DOMAIN country AS text CHECK (known(VALUE));
        CREATE TABLE t (id int PRIMARY KEY, c country, d text CHECK (known(d)), n text,
            g text GENERATED ALWAYS AS (folded(n)) STORED);
        CREATE INDEX ON t (folded(n)); INSERT INTO t VALUES (1, 'de', 'fr', 'A'), (2, 'fr', 'de', 'B')"
    local all
    all=$(sql -c 'SELECT * FROM t ORDER BY id')
    echo "DELETE FROM t WHERE id = 1; UPDATE t SET n = 'C'" >rows.sql
    echo "DROP TABLE t" >table.sql
    echo "ALTER TABLE t DROP COLUMN n CASCADE" >column.sql
    for change in rows table column; do
        backout -q run --db "$PG_URL" --tables t $change.sql
        run -0 --separate-stderr backout execute latest --type full --discard-later --yes
        [ "$(sql -c 'SELECT id, c, d, n, g FROM t ORDER BY id')" = "$all" ]
    done
    backout -q run --db "$PG_URL" --tables t rows.sql
    backout -q execute latest --type partial --yes
    [ "$(sql -c 'SELECT id, c, d, n, g FROM t ORDER BY id')" = "$all" ]
    backout -q run --db "$PG_URL" --tables t rows.sql
    sql -f <(backout script latest)
    [ "$(sql -c 'SELECT id, c, d, n, g FROM t ORDER BY id')" = "$all" ]
    sql -c "DELETE FROM t"
    backout -q restore latest --db "$PG_URL" --yes
    [ "$(sql -c 'SELECT id, c, d, n, g FROM t ORDER BY id')" = "$all" ]
    run -0 --separate-stderr backout run --db "$PG_URL" --tables t --dry-run rows.sql
}

@test "a value that is stored in more than one form is the same value" {
    # an array that had a NULL once says so until it is written anew; a tsquery that was typed in is not as one
    # that was sent
    sql -c "CREATE TYPE few AS (n int[]); CREATE DOMAIN list AS int[];
        CREATE TABLE a (id int PRIMARY KEY, n int[], f few, s list); INSERT INTO a SELECT i, '{1,NULL}' FROM generate_series(1, 3) i;
        UPDATE a SET n[2] = 5; UPDATE a SET f.n = n, s = n;
        CREATE TABLE b AS SELECT n, 'a & b'::tsquery AS q, id FROM a;
        CREATE TABLE c (n int[], q tsquery, v int, PRIMARY KEY (n, q)); INSERT INTO c SELECT n || id, q, id FROM b;
        CREATE TABLE d (n int[] PRIMARY KEY, v int); INSERT INTO d SELECT n, v FROM c"
    local all every="SELECT * FROM a ORDER BY id; SELECT * FROM b ORDER BY id; SELECT * FROM c ORDER BY v; SELECT * FROM d ORDER BY v"
    all=$(sql -c "$every")
    cat >change.sql <<'SQL'
DELETE FROM a WHERE id = 1;
UPDATE a SET f = NULL WHERE id = 2;
UPDATE b SET id = 7 WHERE id > 1;
UPDATE c SET v = 9 WHERE v = 1;
UPDATE c SET q = 'x' WHERE v = 2;
DELETE FROM d WHERE v = 1;
UPDATE d SET n = n || 1 WHERE v = 2;
SQL
    for method in snapshot capture; do
        backout -q run --db "$PG_URL" --tables a,b,c,d --method $method change.sql
        for type in partial full; do
            backout -q execute latest --type $type --yes
            [ "$(sql -c "$every")" = "$all" ]
            undo=$(backout list --all --output json | jq -r '[.[].id | select(startswith("rb_undo"))][0]')
            backout -q execute "$undo" --yes
            [ "$(sql -c 'SELECT count(*) FROM a, b, c, d')" = $((2 * 3 * 3 * 2)) ]
        done
        sql -f <(backout script latest)
        [ "$(sql -c "$every")" = "$all" ]
        run -0 backout verify latest
    done
}

@test "a partition with a foreign key of its own goes along with the table that it is part of" {
    sql -c "CREATE TABLE uses (id int PRIMARY KEY, customer int) PARTITION BY RANGE (id);
        CREATE TABLE few PARTITION OF uses FOR VALUES FROM (0) TO (10);
        CREATE TABLE many PARTITION OF uses FOR VALUES FROM (10) TO (100);
        ALTER TABLE few ADD FOREIGN KEY (customer) REFERENCES customers ON DELETE CASCADE;
        INSERT INTO uses VALUES (1, 1), (2, 2), (11, 1)"
    echo "DELETE FROM customers WHERE id = 1; UPDATE uses SET customer = 3 WHERE id = 11" >damage.sql
    run -0 --separate-stderr backout run --db "$PG_URL" --tables customers,uses damage.sql
    [[ $output == *"sealed  3 tables"* ]] # with orders
    backout -q execute latest --type partial --yes
    [ "$(sql -c 'SELECT * FROM uses ORDER BY id')" = $'1|1\n2|2\n11|1' ]
    [ "$(rows)" = "$before" ]
}
