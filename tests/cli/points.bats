# SPDX-License-Identifier: Apache-2.0
# tests/cli/points.bats - init, point create, point seal, list, details.

load ../support/bats/common
load shop
setup() { common_setup; }
teardown() { common_teardown; }

@test "init makes a private catalog and a configuration, once" {
    run -0 --separate-stderr backout init here
    [ "$(stat -c %a here/.backout)" = 700 ]
    [ "$(stat -c %a here/backout.yaml)" = 600 ]
    [ -s here/.backout/catalog.db ]
    [ "$(stat -c %a here/.backout/catalog.db)" = 600 ]
    [ -d here/.backout/repository ]
    run -3 --separate-stderr backout init here
    [[ ${stderr_lines[0]} == *"exists already; nothing was changed" ]]
}

@test "every command in the folder or below finds the catalog" {
    make_shop
    backout -q point create --db shop.db
    mkdir -p a/b
    cd a/b
    run -0 --separate-stderr backout list --output json
    [ "$(jq length <<<"$output")" = 1 ]
}

@test "point create prints the id, the status and the rows of each table" {
    make_shop
    run -0 --separate-stderr backout point create --db shop.db --tables customers,orders \
        --migration prices --description 'before the sale' --output json
    [[ $(jq -r .id <<<"$output") =~ ^rb_prices_[0-9]{8}_[0-9]{6} ]]
    [ "$(jq -c '[.tables[] | [.name, .rows]] | sort' <<<"$output")" = \
        '[["customers",3],["items",6],["orders",4]]' ]
    [ "$(jq -r .status <<<"$output")" != null ]
}

@test "point create of chosen rows takes those, and what would go with them" {
    make_shop
    run -0 --separate-stderr backout point create --db shop.db --where "orders: status = 'paid'" \
        --output json
    [ "$(jq -c '[.tables[] | [.name, .rows]]' <<<"$output")" = '[["orders",2],["items",3]]' ]
}

@test "a table that does not exist exits 3 and is named" {
    make_shop
    run -3 --separate-stderr backout point create --db shop.db --tables nothing
    [ "$output" = "" ]
    [[ $stderr == *"nothing"* ]]
    [[ $stderr == *"hint: check the name of the table"* ]]
}

@test "a predicate with a mistake exits 2" {
    make_shop
    run -2 --separate-stderr backout point create --db shop.db --where 'orders: nope = 1'
    [[ $stderr == *"nope"* ]]
    run -2 --separate-stderr backout point create --db shop.db --where 'orders'
    [[ ${stderr_lines[0]} == "backout: --where needs 'TABLE: PREDICATE', not 'orders'" ]]
}

@test "a database that does not exist is not made" {
    make_shop
    run --separate-stderr backout point create --db nowhere.db
    [ "$status" -ne 0 ]
    [ ! -e nowhere.db ]
}

@test "list as text has the columns of the contract, newest first" {
    make_shop
    backout -q point create --db shop.db --tables orders --migration one --description first
    backout -q point create --db shop.db --tables orders --migration two
    run -0 --separate-stderr backout list
    [[ ${lines[0]} =~ ^"Rollback ID"\ +"Migration ID"\ +Table\ +Status\ +"Created At"\ +Description ]]
    [[ ${lines[1]} == rb_two_* ]]
    [[ ${lines[2]} == rb_one_* ]]
    [[ ${lines[2]} == *first* ]]
}

@test "list finds by table, migration, entity and number" {
    make_shop
    backout -q point create --db shop.db --tables orders --migration one --entity campaign=123
    backout -q point create --db shop.db --tables items --migration two
    count() { backout list "$@" --output json | jq length; }
    [ "$(count)" = 2 ]
    [ "$(count --limit 1)" = 1 ]
    [ "$(count --table orders)" = 1 ]
    [ "$(count --migration two)" = 1 ]
    [ "$(count --entity campaign=123)" = 1 ]
    [ "$(count --entity campaign=124)" = 0 ]
    [ "$(count --db shop.db)" = 2 ]
    run -0 --separate-stderr backout list --migration none
    [ "$output" = "" ]
    [ "$stderr" = "no rollback points of migration 'none'" ]
    run -0 --separate-stderr backout list --db nosuch.db --table nosuch
    [ "$stderr" = "no rollback points of database 'nosuch.db', table 'nosuch'" ]
}

@test "a point has one value of each entity: a second one exits 2" {
    make_shop
    run -2 --separate-stderr backout point create --db shop.db -e a=b -e c=b -e a=c
    [ "${stderr_lines[0]}" = "backout: --entity names 'a' twice" ]
    run -0 backout list --all
    [ "$output" = "no rollback points" ]
}

@test "a point that could not be taken is listed with --all only" {
    make_shop
    run -3 backout point create --db shop.db --tables order
    backout -q point create --db shop.db --tables orders
    [ "$(backout list --output json | jq -c '[.[].status]')" = '["ready"]' ]
    [ "$(backout list --limit 1 --output json | jq length)" = 1 ]
    [ "$(backout list --all --output json | jq -c '[.[].status]')" = '["ready","failed"]' ]
}

@test "list as jsonl begins with the version and has one line for each point" {
    make_shop
    backout -q point create --db shop.db --tables orders
    run -0 --separate-stderr backout list --output jsonl
    [ "$(jq -r .type <<<"${lines[0]}")" = version ]
    [ "$(jq -r .type <<<"${lines[1]}")" = item ]
    [ "$(jq -c . <<<"${lines[2]}")" = '{"type":"result","count":1}' ]
}

@test "seal counts what the change did, once" {
    make_shop
    id=$(backout -q point create --db shop.db --output json | jq -r .id)
    sqlite3 shop.db <damage.sql
    run -0 --separate-stderr backout point seal "$id" --output json
    [ "$(jq '[.tables[].change | .inserted + .updated + .deleted] | add' <<<"$output")" = 5 ]
    run -3 --separate-stderr backout point seal "$id"
}

@test "details show tables, files and the database, by a beginning of the id too" {
    make_shop
    damage
    run -0 --separate-stderr backout details "${id%??}"
    [[ ${lines[0]} == "$id"* ]]
    [[ $output == *shop.db* ]]
    [[ $output == *items* ]]
    [[ $output == *Files* ]]
    run -0 --separate-stderr backout details latest --output json
    [ "$(jq -r .id <<<"$output")" = "$id" ]
    [ "$(jq '[.files[].present] | all' <<<"$output")" = true ]
}

@test "an unknown point exits 3 and says how to list them" {
    make_shop
    run -3 --separate-stderr backout details rb_nothing
    [ "$output" = "" ]
    [[ $stderr == *"rb_nothing"* ]]
    [[ $stderr == *"hint: list the points with: backout list --all"* ]]
}
