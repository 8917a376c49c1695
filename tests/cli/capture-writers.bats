#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/cli/capture-writers.bats - whose writes they were: runs, database users, and programs that do
# not say so.  On PostgreSQL, where a write carries both.

load ../support/bats/common
export BACKOUT_TEST_ENGINE=postgresql
load capture
load trouble
setup() {
    common_setup
    make_captured_shop
}
teardown() {
    [ -z "${role:-}" ] || psql -X -q "$PG_SUPER_URL" -c "DROP OWNED BY $role; DROP ROLE $role"
    common_teardown
}

# Somebody else, who works while the change runs.
other_writer() {
    ask "INSERT INTO customers VALUES (7, 'Gil'); UPDATE orders SET total = 7 WHERE id = 12"
}

@test "a failed program is rolled back alone: who wrote meanwhile keeps all" {
    cat >change.sh <<'SH'
psql -X -q -v ON_ERROR_STOP=1 <damage.sql
touch changed
until [ -e others ]; do sleep 0.05; done
exit 3
SH
    backout run --db "$DB" --method capture --tables customers,orders -- sh change.sh 2>said &
    local pid=$!
    eventually test -e changed
    other_writer
    touch others
    ended "$pid"
    [ "$code" = 1 ]
    grep -q "the change failed and was rolled back to rb_sh_" said
    [ "$(ask "SELECT id, name FROM customers ORDER BY 1" | tr '\n' ' ')" = "1|Ann 2|Bob 3|Cy 7|Gil " ]
    [ "$(ask "SELECT id, total FROM orders ORDER BY 1" | tr '\n' ' ')" = "10|500 11|700 12|7 13|100 " ]
    [ "$(ours)" = 0 ]
}

@test "a program that succeeds is sealed with its own rows only" {
    echo 'psql -X -q <damage.sql; psql -X -q "$ANOTHER" -c "UPDATE orders SET total = 7 WHERE id = 12"' \
        >change.sh
    # another session of another program: without the mark
    run -0 --separate-stderr env ANOTHER="$DB&options=" backout run --db "$DB" --method capture \
        --tables customers,orders --output json -- sh change.sh
    [ "$(jq -c '[.tables[].change | .inserted + .updated + .deleted] | add' <<<"$output")" = 4 ]
    run -0 --separate-stderr backout execute latest --type partial --yes
    [ "$(ask "SELECT id, total FROM orders ORDER BY 1" | tr '\n' ' ')" = "10|500 11|700 12|7 13|100 " ]
}

@test "the mark is added to the PGOPTIONS there are, and to those of the URL" {
    run -0 --separate-stderr env PGOPTIONS='-c work_mem=7MB' backout run --db "$DB" --tables orders -- \
        psql -X -q -A -t -c 'SHOW work_mem' -c 'SHOW backout.run'
    [ "${lines[0]}" = 7MB ]
    [[ ${lines[1]} == run_* ]]
    run -0 --separate-stderr backout run --db "$DB&options=-c%20work_mem%3D9MB" --tables orders -- \
        psql -X -q -A -t -c 'SHOW work_mem' -c 'SHOW backout.run'
    [ "${lines[0]}" = 9MB ]
    [[ ${lines[1]} == run_* ]]
}

@test "what a rollback does within a program that is run is the run's" {
    id=$(backout -q point create --db "$DB" --tables orders --output json | jq -r .id)
    ask 'UPDATE orders SET total = 7 WHERE id = 12'
    backout -q point seal "$id"
    echo "cd '$PWD' && '$BACKOUT_BIN' -q execute $id --yes" >change.sh
    run -0 --separate-stderr backout run --db "$DB" --method capture --tables orders --output json -- sh change.sh
    [ "$(jq -c '[.tables[].change | .inserted + .updated + .deleted] | add' <<<"$output")" = 1 ]
}

@test "a failed program without the mark is not said to be rolled back" {
    cat >change.sh <<'SH'
PGOPTIONS= psql -X -q <damage.sql
exit 3
SH
    run -1 --separate-stderr backout run --db "$DB" --method capture --tables customers,orders -- \
        sh change.sh
    local id
    id=$(backout list --output json | jq -r '.[0].id')
    [[ $output != *"proof"* ]]
    [[ $stderr == *"backout: the change failed, and nothing was rolled back to $id"* ]]
    [[ $stderr == *"4 rows were written meanwhile and none carries the run's mark: whether they are the change's is not known"* ]]
    [[ $stderr == *"hint: "*"backout execute $id --user NAME"* ]]
    [ "$(ask "SELECT count(*) FROM customers WHERE id = 4")" = 1 ]
    run -0 --separate-stderr backout details "$id"
    [[ $output == *"note: 4 rows were written during the run, and none carries its mark"* ]]
    run -0 --separate-stderr backout assess "$id" --user app
    run -0 --separate-stderr backout execute "$id" --user app --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ "$(state)" = "$before" ]
}

@test "a failed file has the mark on all it wrote: what others did meanwhile is no doubt" {
    cat >late.sql <<'SQL'
DO $$ BEGIN
    WHILE NOT EXISTS (SELECT FROM customers WHERE id = 7) LOOP
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;
SELECT * FROM nowhere;
SQL
    backout run --db "$DB" --method capture --tables customers,orders late.sql 2>said &
    local pid=$!
    eventually waiting
    other_writer
    ended "$pid"
    [ "$code" = 1 ]
    grep -q "the change failed and was rolled back" said
    [ "$(ask "SELECT count(*) FROM customers WHERE id = 7")" = 1 ]
}
waiting() {
    ask "SELECT query FROM pg_stat_activity WHERE datname = current_database()" | grep -q '^DO '
}

@test "a file that takes the mark off is in doubt like a program" {
    { echo 'RESET ALL;'; cat bad.sql; } >reset.sql
    run -1 --separate-stderr backout run --db "$DB" --method capture --tables customers,orders reset.sql
    [[ $stderr == *"none carries the run's mark: whether they are the change's is not known"* ]]
}

@test "what one user wrote is undone, what another wrote stays" {
    role=other_$PG_DATABASE
    psql -X -q "$PG_SUPER_URL" -c "CREATE ROLE $role LOGIN;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO $role"
    captured --method capture
    psql -X -q "${PG_SUPER_URL}" -c "SET SESSION AUTHORIZATION $role;
        UPDATE orders SET total = 1 WHERE id = 10"
    ask "UPDATE orders SET total = 2 WHERE id = 11"
    run -0 --separate-stderr backout execute "$id" --user "$role" --yes --output json
    [ "$(jq -r '[.type, .proof] | join(" ")' <<<"$output")" = "partial match" ]
    [ "$(ask "SELECT total FROM orders WHERE id IN (10, 11) ORDER BY id" | tr '\n' ' ')" = "500 2 " ]
    run -0 --separate-stderr backout execute "$id" --run "${one}x" --yes
    [[ $output == *"note: nothing that run '${one}x' wrote since the point is there to be undone"* ]]
}

@test "what one run wrote is undone by its id" {
    captured --method capture
    echo 'UPDATE orders SET total = 1 WHERE id = 10;' >one.sql
    echo 'UPDATE orders SET total = 2 WHERE id = 11;' >two.sql
    backout -q run --db "$DB" --method capture --tables orders one.sql
    local one
    one=$(backout details latest --output json | jq -r '.runs[] | select(.kind == "run") | .id')
    backout -q run --db "$DB" --method capture --tables orders two.sql
    run -0 --separate-stderr backout execute "$id" --run "$one" --yes
    [ "$(ask "SELECT total FROM orders WHERE id IN (10, 11) ORDER BY id" | tr '\n' ' ')" = "500 2 " ]
}

@test "who used what the change wrote is a conflict, left alone, or undone as well" {
    backout -q run --db "$DB" --method capture --tables orders damage.sql
    ask "UPDATE orders SET total = total + 1 WHERE id = 10"
    run -3 --separate-stderr backout execute latest --type partial --yes
    run -0 --separate-stderr backout assess latest --mode cascade --output json
    [ "$(jq -c '[.type, .status, .applied.updated, .conflict_count]' <<<"$output")" = \
        '["partial","planned",2,0]' ]
    run -0 --separate-stderr backout execute latest --mode non-conflict-only --dry-run --output json
    [ "$(jq -c '[.applied.updated, .conflict_count]' <<<"$output")" = '[1,1]' ]
    run -0 --separate-stderr backout execute latest --mode cascade --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ "$(ask "SELECT total FROM orders WHERE id IN (10, 11) ORDER BY id" | tr '\n' ' ')" = "500 700 " ]
}

@test "who used it by a foreign key of one partition, or to one, is undone as well" {
    sql -c "CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE p (id int PRIMARY KEY, a int) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p (FOREIGN KEY (a) REFERENCES a) FOR VALUES FROM (1) TO (9);
        CREATE TABLE x (id int PRIMARY KEY, p int REFERENCES p1)"
    backout -q point create --db "$DB" --method capture --tables a,p,x
    sql -c "INSERT INTO a VALUES (1)"
    backout -q point seal latest
    sql -c "INSERT INTO p VALUES (1, 1)"
    sql -c "INSERT INTO x VALUES (1, 1)"
    run -0 --separate-stderr backout execute latest --mode cascade --yes --output json
    [ "$(jq -c '[.proof, .applied.deleted]' <<<"$output")" = '["match",3]' ]
    [ "$(sql -c 'SELECT count(*) FROM a, p, x')" = 0 ]
}

@test "a point that its run could not seal is sealed by hand with the run's own rows" {
    cat >change.sh <<'SH'
psql -X -q -v ON_ERROR_STOP=1 <damage.sql
PGOPTIONS= psql -X -q -c "INSERT INTO customers VALUES (7, 'Gil'); UPDATE orders SET total = 7 WHERE id = 12"
mkdir -p ".backout/repository/$BACKOUT_POINT_ID.change/in the way"
SH
    run -1 --separate-stderr backout run --db "$DB" --method capture --tables customers,orders -- sh change.sh
    [[ $stderr == *"the point could not be sealed"* ]]
    rm -r .backout/repository/*.change
    run -0 --separate-stderr backout point seal latest --output json
    [ "$(jq -c '[.tables[].change | .inserted + .updated + .deleted] | add' <<<"$output")" = 4 ]
    run -0 --separate-stderr backout execute latest --type partial --yes
    [ "$(ask "SELECT id, name FROM customers ORDER BY 1" | tr '\n' ' ')" = "1|Ann 2|Bob 3|Cy 7|Gil " ]
    [ "$(ask "SELECT id, total FROM orders ORDER BY 1" | tr '\n' ' ')" = "10|500 11|700 12|7 13|100 " ]
}

@test "type full is refused for what others wrote before the change, too, or in between" {
    cat >change.sh <<'SH'
another() { PGOPTIONS= psql -X -q -c "$1"; }
another "UPDATE orders SET total = 501 WHERE id = 10"
psql -X -q -v ON_ERROR_STOP=1 -c "UPDATE orders SET total = total + 1000 WHERE id IN (10, 11)"
another "UPDATE orders SET customer_id = 2 WHERE id = 11"
psql -X -q -v ON_ERROR_STOP=1 -c "UPDATE orders SET total = total + 1000 WHERE id = 11"
SH
    backout -q run --db "$DB" --method capture --tables orders -- sh change.sh
    run -3 --separate-stderr backout execute latest --yes
    [[ $stderr == *"2 rows were written by others after the point, and type full would discard them"* ]]
    run -0 --separate-stderr backout execute latest --discard-later --yes --output json
    [ "$(ask "SELECT id, customer_id, total FROM orders ORDER BY 1" | tr '\n' ' ')" = \
        "10|1|500 11|1|700 12|2|900 13|3|100 " ]
    [ "$(jq .lost.rows <<<"$output")" = 2 ]
    jq -s -e 'any(.before.total == "500" and .after.total == "501")' "$(jq -r .lost.export <<<"$output")"
}

@test "a failed change of a table's shape does not take along what others wrote" {
    cat >change.sh <<'SH'
psql -X -q -v ON_ERROR_STOP=1 -c "ALTER TABLE customers DROP COLUMN name; UPDATE orders SET total = 1 WHERE id = 10"
PGOPTIONS= psql -X -q -c "UPDATE orders SET total = 7 WHERE id = 12"
exit 3
SH
    run -1 --separate-stderr backout run --db "$DB" --method both --tables customers,orders -- sh change.sh
    [[ $stderr == *"and others wrote to the tables meanwhile"* ]]
    [ "$(ask "SELECT total FROM orders WHERE id = 12")" = 7 ]
    run -0 --separate-stderr backout execute latest --type full --discard-later --yes
    [ "$(state)" = "$before" ]
}

@test "what a user wrote is undone by column, and no file is left over" {
    captured --method capture
    ask "UPDATE orders SET total = 1 WHERE id = 10"
    run -0 --separate-stderr backout execute "$id" --user app --by column --yes
    [ "$(ask "SELECT total FROM orders WHERE id = 10")" = 500 ]
    run -0 --separate-stderr backout check
}

@test "what default privileges give to others is no journal" {
    role=reader_$$
    psql -X -q "$PG_SUPER_URL" -c "CREATE ROLE $role"
    ask "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO PUBLIC, $role;
        ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO $role"
    backout -q point create --db "$DB" --method capture --tables orders
    for table in capture marker "journal_$(ask "SELECT 'orders'::regclass::oid")"; do
        run ! psql -X -q -v ON_ERROR_STOP=1 "$PG_SUPER_URL" -c "SET ROLE $role" -c "DELETE FROM backout.$table"
        [[ $output == *"permission denied for schema backout"* ]]
    done
}
