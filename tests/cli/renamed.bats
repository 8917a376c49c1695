# SPDX-License-Identifier: Apache-2.0
# tests/cli/renamed.bats - PostgreSQL: another table has the name of one of the point.

load ../support/bats/common
setup() {
    common_setup
    pg_database
    export BACKOUT_DB=$PG_URL
    sql -c "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b');
        CREATE TABLE t_new (id int PRIMARY KEY, v text); INSERT INTO t_new VALUES (1, 'A'), (3, 'c')"
    backout -q init
}
teardown() {
    [ -z "${copy:-}" ] || psql -X -q "$BACKOUT_TEST_PG_SUPER_URL" -c "DROP DATABASE $copy"
    common_teardown
}

swap() { sql -c 'ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t'; }
swap_back() { sql -c 'ALTER TABLE t RENAME TO t_new; ALTER TABLE t_old RENAME TO t'; }
# rows TABLE
rows() { sql -c "SELECT string_agg(id || v, ' ' ORDER BY id) FROM $1"; }

# refused COMMAND...: because t is another table; and nothing was changed
refused() {
    run -3 --separate-stderr backout "$@"
    [[ $stderr == *"because: table 't' is not the one of the point"* ]]
    [[ $stderr == *"because: that one is called '${called:-t_old}' now, and another one has its name"* ]]
    [[ $stderr == *"hint: rename both back, then try again; or put the rows into the table that has the name now"* ]]
}

@test "it is not taken for that one, whatever is asked, until both are renamed back" {
    for method in snapshot capture both; do
        backout -q point create --tables t --method $method
        sql -c "UPDATE t SET v = 'x' WHERE id = 1"
        backout -q point seal latest
        swap
        refused execute latest --type partial --yes
        refused execute latest --type partial --dry-run
        refused execute latest --type full --discard-later --yes
        refused assess latest
        refused script latest
        run -4 --separate-stderr backout verify latest --output json
        [ "$(jq -r '.result, .tables[0].because' <<<"$output")" = "inconclusive
t: the table of the point is called 't_old' now, and another one has its name" ]
        run -3 --separate-stderr backout export latest --which since
        [[ $stderr == *"t: the table of the point is called 't_old' now"* ]]
        [[ $stderr != *"because: "$'\n'* ]]
        [ "$(rows t) $(rows t_old)" = "1A 3c 1x 2b" ]
        swap_back
        backout -q execute latest --type partial --yes
        [ "$(rows t)" = "1a 2b" ]
    done
}

@test "a change that exchanged them is sealed as one of the table's shape" {
    echo "UPDATE t SET v = 'x'; ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t;" >swap.sql
    run -0 --separate-stderr backout run --tables t swap.sql
    [[ $stderr == *"warning: table t is called t_old now, and another one has its name: what the change did to its rows cannot be told"* ]]
    [[ $output == *"altered the shape of 1 table"* ]]
    refused execute latest --yes
    swap_back
    run -3 --separate-stderr backout execute latest --type partial --yes
    [[ $stderr == *"had changed its shape when the point was sealed"* ]]
    backout -q execute latest --type full --discard-later --yes
    [ "$(rows t) $(rows t_new)" = "1a 2b 1A 3c" ]
}

@test "a run that fails after it leaves both as they are, and says why" {
    cat >swap.sh <<SH
psql -X -q "$PG_URL" -c 'ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t'
exit 1
SH
    run -1 --separate-stderr backout run --tables t -- sh swap.sh
    [[ $stderr == *"could not be rolled back"*"table 't' is not the one of the point"*"is called 't_old' now"* ]]
    [ "$(rows t) $(rows t_old)" = "1A 3c 1a 2b" ]
}

@test "a restore takes it, keeps its rows first, and says where the other one is" {
    id=$(backout -q backup t --output json | jq -r .id)
    swap
    refused execute "$id" --type full --discard-later --yes
    run -0 --separate-stderr backout restore latest --yes
    [[ $output == *"note: t: the table of the point is called 't_old' now, and stays as it is; the rows go into the one that has its name"* ]]
    [ "$(rows t)" = "1a 2b" ]
    sql -c "UPDATE t_old SET v = 'z'"
    backout -q execute "$(backout list --all --output json | jq -r '.[0].id')" --yes
    [ "$(rows t) $(rows t_old)" = "1A 3c 1z 2z" ]
}

@test "an undo point is of its table, too" {
    backout -q point create --tables t
    sql -c "UPDATE t SET v = 'x' WHERE id = 1"
    backout -q point seal latest
    undo=$(backout -q execute latest --type partial --yes --output json | jq -r .undo_point)
    swap
    refused execute "$undo" --yes
    swap_back
    backout -q execute "$undo" --yes
    [ "$(rows t)" = "1x 2b" ]
}

@test "a table that was moved to another schema, or has a view in its place, is known" {
    backout -q point create --tables t
    sql -c 'CREATE SCHEMA old; ALTER TABLE t SET SCHEMA old; ALTER TABLE t_new RENAME TO t'
    called=old.t refused execute latest --type full --yes
    sql -c 'DROP TABLE t; CREATE VIEW t AS TABLE old.t'
    called=old.t refused execute latest --type full --yes
    sql -c 'DROP VIEW t; ALTER TABLE old.t SET SCHEMA public'
    backout -q execute latest --type full --yes
}

@test "a table of another schema is another one, also when the one of the point is gone" {
    sql -c "CREATE SCHEMA old; CREATE TABLE old.t (id int PRIMARY KEY, v text); INSERT INTO old.t VALUES (9, 'z')"
    backout -q point create --tables t
    sql -c 'DROP TABLE t'
    run -4 --separate-stderr backout verify latest --output json
    [ "$(jq -r '.result, .tables[0].because' <<<"$output")" = $'inconclusive\nt: the table is not there' ]
    backout -q execute latest --type full --yes
    [ "$(rows public.t) $(rows old.t)" = "1a 2b 9z" ]
    sql -c 'DROP TABLE t'
    backout -q restore "$(backout list --output json | jq -r '.[0].id')" --yes
    [ "$(rows public.t) $(rows old.t)" = "1a 2b 9z" ]
    sql -c 'DROP TABLE t'
    run -3 --separate-stderr backout execute latest --type partial --yes
    run -3 --separate-stderr backout script latest
    [ "$(rows old.t)" = 9z ]
}

@test "a table that was dropped and made again is the same one" {
    backout -q point create --tables t
    sql -c 'DROP TABLE t; ALTER TABLE t_new RENAME TO t'
    run -4 --separate-stderr backout verify latest --output json
    [ "$(jq -r .result <<<"$output")" = mismatch ]
    undo=$(backout -q execute latest --type full --yes --output json | jq -r .undo_point)
    [ "$(rows t)" = "1a 2b" ]
    sql -c 'CREATE TABLE t_new (id int PRIMARY KEY, v text)'
    swap
    refused execute "$undo" --yes # it is of the table that was there then
    swap_back
    sql -c 'DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text)'
    backout -q restore "$(backout list --output json | jq -r '.[0].id')" --yes
    [ "$(rows t)" = "1a 2b" ]
}

@test "a table that became a partition of the one that has its name is the same one" {
    backout -q point create --tables t
    sql -c "UPDATE t SET v = 'x'; ALTER TABLE t RENAME TO t_1;
        CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
        ALTER TABLE t ATTACH PARTITION t_1 DEFAULT"
    backout -q execute latest --type full --yes
    [ "$(rows t)" = "1a 2b" ]
}

@test "in a copy of the database the number of a table means nothing" {
    backout -q backup t
    copy=${PG_DATABASE}_copy
    psql -X -q "$BACKOUT_TEST_PG_SUPER_URL" -c "CREATE DATABASE $copy TEMPLATE $PG_DATABASE OWNER app"
    PG_URL=${PG_URL/$PG_DATABASE/$copy}
    swap
    run -0 --separate-stderr backout restore latest --db "$PG_URL" --yes
    [[ $output != *"is called"* ]]
    [ "$(rows t)" = "1a 2b" ]
}
