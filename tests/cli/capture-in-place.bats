#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/cli/capture-in-place.bats - a big captured change is undone inside PostgreSQL, as the
# database's superuser and as a plain owner.

load ../support/bats/common
setup() {
    common_setup
    pg_database
    backout -q init
}
teardown() { common_teardown; }

# big_change [DEFERRABLE [URL]]: 3000 rows, a point of them, and all changed; its id is in $id.
big_change() {
    sql -c "CREATE TABLE items (id int PRIMARY KEY, code int NOT NULL,
        UNIQUE (code) ${1:-}); INSERT INTO items SELECT g, g FROM generate_series(1, 3000) g"
    id=$(backout -q point create --db "${2:-$PG_URL}" --tables items --method capture --output json |
        jq -r .id)
    sql -c "UPDATE items SET code = code + 100000"
}

undo() {
    backout execute "$id" --type partial --yes
}

@test "a key that is checked later is checked in a rollback, too" {
    local url
    for url in "$PG_URL" "$PG_SUPER_URL"; do
        sql -c "DROP TABLE IF EXISTS items"
        big_change "DEFERRABLE INITIALLY DEFERRED" "$url"
        backout -q point seal "$id"
        sql -c "INSERT INTO items VALUES (9999, 5)" # a code that the change let go of
        run -3 --separate-stderr undo
        [[ $output == *"holds its value of the unique key"* ]]
        [ "$(sql -c "SELECT count(*) - count(DISTINCT code) FROM items")" = 0 ]
        sql -c "DELETE FROM items WHERE id = 9999"
        run -0 --separate-stderr undo
        [ "$(sql -c "SELECT sum(code) FROM items")" = 4501500 ]
        backout -q point release "$id"
    done
}

@test "after a rollback the capture goes on" {
    big_change
    backout -q point seal "$id"
    run -0 --separate-stderr undo
    [[ $output == *"proof: match"* ]]
    run -0 --separate-stderr backout verify "$id"
    [[ $output == *match* ]]
    sql -c "UPDATE items SET code = -5 WHERE id = 5"
    run -4 --separate-stderr backout verify "$id"
    run -0 --separate-stderr backout execute "$id" --type full --discard-later --yes
    [ "$(sql -c "SELECT sum(code) FROM items")" = 4501500 ]
    [[ $output =~ rb_undo_[0-9_]+ ]]
    run -0 --separate-stderr backout execute "${BASH_REMATCH[0]}" --type partial --yes
    [ "$(sql -c "SELECT code FROM items WHERE id = 5")" = -5 ]
}

@test "what a seal that failed has left in the database is not what is undone" {
    big_change
    sql -c "DO \$\$ BEGIN EXECUTE format('CREATE TABLE backout.kept_%s_%s AS
        SELECT true AS had, true AS has, id AS b0, code AS b1, id AS a0, code AS a1 FROM items
        WHERE id = 1', 'items'::regclass::oid, md5('$id')); END \$\$"
    backout -q point seal "$id"
    run -0 --separate-stderr undo
    [ "$(sql -c "SELECT sum(code) FROM items")" = 4501500 ]
}

@test "a role that may not switch the triggers undoes it from the file" {
    local role=clerk_$$ url
    [ "$(sql -c "SHOW server_version_num")" -ge 150000 ] || skip "no GRANT SET ON PARAMETER"
    big_change
    backout -q point seal "$id"
    psql -X -q "$PG_SUPER_URL" -c "CREATE ROLE $role LOGIN;
        GRANT SET ON PARAMETER session_replication_role TO $role;
        GRANT ALL ON items TO $role; GRANT USAGE ON SCHEMA backout TO $role;
        GRANT SELECT ON ALL TABLES IN SCHEMA backout TO $role"
    url=${PG_URL/user=app/user=$role}
    run --separate-stderr backout execute "$id" --db "$url" --type partial --yes
    psql -X -q "$PG_SUPER_URL" -c "DROP OWNED BY $role; DROP ROLE $role"
    [ "$status" -eq 0 ]
    [[ $output == *"proof: match"* ]]
    [ "$(sql -c "SELECT sum(code) FROM items")" = 4501500 ]
}
