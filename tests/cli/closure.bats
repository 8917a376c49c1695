# SPDX-License-Identifier: Apache-2.0
# tests/cli/closure.bats - what foreign keys reach from the rows of a point, as a person meets it.

load ../support/bats/common
load shop
setup() { common_setup; }
teardown() { common_teardown; }

URL='sqlite:shop.db?foreign_keys=on'

# Every table and the number of its rows in the point of $output.
tables() {
    jq -c '[.tables[] | [.name, .rows]]' <<<"$output"
}

@test "rows that would go with the named ones are in the point, and it is said why" {
    make_shop
    run -0 --separate-stderr backout point create --db shop.db --where 'orders: id = 12' --output json
    [ "$(tables)" = '[["orders",1],["items",2]]' ]
    [[ $stderr == *"warning: table items is in the point as well: rows of it would go with orders (foreign key fk0, ON DELETE CASCADE)"* ]]
    [ "$(jq -c '[.tables[] | [.where, .closure]]' <<<"$output")" = \
        '[["id = 12",null],[null,"orders -> items by foreign key fk0, ON DELETE CASCADE"]]' ]
    run -0 backout details latest
    [[ $output == *"orders"*"id = 12"*"items"*"by foreign keys"* ]]
    [[ $output == *"  reached: orders -> items by foreign key fk0, ON DELETE CASCADE"* ]]
}

@test "rows of a table that refuses to lose its parents are not followed" {
    make_shop
    run -0 --separate-stderr backout point create --db shop.db --where 'customers: id = 1' --output json
    [ "$(tables)" = '[["customers",1]]' ]
    [[ $stderr != *warning* ]]
}

@test "a child that is named as a whole table stays one, without a word" {
    make_shop
    run -0 --separate-stderr backout point create --db shop.db --where 'orders: id = 12' \
        --tables items --output json
    [ "$(tables)" = '[["orders",1],["items",6]]' ]
    [[ $stderr != *warning* ]]
}

@test "a child that is named with a predicate keeps its rows and gets those that would go" {
    make_shop
    run -0 --separate-stderr backout point create --db shop.db --where 'orders: id = 12' \
        --where "items: name = 'pen' OR name = 'mug' -- two" --output json
    [ "$(tables)" = '[["orders",1],["items",3]]' ]
    [[ $stderr == *"warning: table items: rows that its predicate does not name are in the point as well"* ]]
}

@test "a child of a whole table is a whole table" {
    make_shop
    run -0 --separate-stderr backout point create --db shop.db --tables orders --output json
    [ "$(tables)" = '[["orders",4],["items",6]]' ]
}

@test "--no-closure takes what is named, and says what is not covered" {
    make_shop
    for command in 'point create --tables orders' 'backup orders'; do
        # shellcheck disable=SC2086 # words
        run -0 --separate-stderr backout $command --db shop.db --no-closure --output json
        [ "$(tables)" = '[["orders",4]]' ]
        [[ $stderr == *"warning: table items is not in the point: rows of it would go with orders"* ]]
    done
    echo 'DELETE FROM orders WHERE id = 12;' >change.sql
    run -0 --separate-stderr backout run --db "$URL" --tables orders --no-closure change.sql --output json
    [ "$(tables)" = '[["orders",4]]' ]
}

@test "a dry run shows the rows that go by foreign keys" {
    make_shop
    echo 'DELETE FROM orders WHERE id = 12;' >change.sql
    run -0 --separate-stderr backout run --db "$URL" --where 'orders: id = 12' --dry-run change.sql
    [[ $output == *"dry run: would insert 0, update 0, delete 3; nothing was changed"* ]]
    [[ $output == *"items "*"2  by foreign keys"* ]]
    run -0 --separate-stderr backout run --db "$URL" --where 'orders: id = 12' --dry-run change.sql \
        --output json
    [ "$(jq -c '[.tables[] | [.name, .deleted, .closure]]' <<<"$output")" = \
        '[["orders",1,null],["items",2,"orders -> items by foreign key fk0, ON DELETE CASCADE"]]' ]
    [ "$(jq -c '[.rows[] | [.table, .key, .kind]]' <<<"$output")" = \
        '[["orders","12","delete"],["items","(12, 1)","delete"],["items","(12, 2)","delete"]]' ]
}

@test "a child whose rows cannot be told apart is refused, with the way to it" {
    make_shop
    sqlite3 shop.db 'CREATE TABLE tags (order_id INTEGER, line INTEGER, tag TEXT,
        FOREIGN KEY (order_id, line) REFERENCES items ON DELETE CASCADE)'
    run -3 --separate-stderr backout point create --db shop.db --where 'orders: id = 12'
    [[ $stderr == *"the rows of 'tags' that the change may reach cannot be told apart"* ]]
    [[ $stderr == *"orders -> items by foreign key fk0, ON DELETE CASCADE; items -> tags by foreign key fk0, ON DELETE CASCADE"* ]]
    backout -q point create --db shop.db --where 'orders: id = 12' --tables tags
    backout -q point create --db shop.db --where 'orders: id = 12' --no-closure
}

@test "a child that cannot be covered is refused, with the way to it" {
    pg_database
    sql -c 'CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE SET NULL)'
    psql -X -q "$PG_SUPER_URL" -c 'ALTER TABLE b OWNER TO postgres; INSERT INTO b VALUES (1, NULL)'
    backout -q init
    run -3 --separate-stderr backout point create --db "$PG_URL" --tables a
    [[ $stderr == *"table 'b' cannot be covered, and the change may reach rows of it"* ]]
    [[ $stderr == *"GRANT"* ]]
    [[ $stderr == *"a -> b by foreign key b_a_fkey, ON DELETE SET NULL"* ]]
    run -0 --separate-stderr backout point create --db "$PG_URL" --tables a --no-closure
    [[ $stderr == *"warning: table b is not in the point"* ]]
}

@test "the rows come back when the change took the table they were reached from" {
    make_shop
    backout -q point create --db shop.db --where 'orders: id IN (10, 12)'
    sqlite3 shop.db 'DELETE FROM items WHERE order_id = 12; DROP TABLE orders'
    run -0 backout point seal latest
    [[ $output != *"meet the predicate"* ]]
    run -0 --separate-stderr backout execute latest --tables items --type partial --yes
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM items')" = 6 ]
}

@test "verify says that of chosen rows only those of the point were compared" {
    make_shop
    backout -q point create --db shop.db --where "orders: status = 'open'" --no-closure
    sqlite3 shop.db "UPDATE orders SET status = 'open' WHERE id = 12"
    run -0 --separate-stderr backout verify latest
    [[ $output == *"note: orders: only the rows of the point were compared; its condition is met by 1 now"* ]]
    backout -q point seal latest
    run -0 --separate-stderr backout verify latest --against after --output json
    [ "$(jq -r '.notes[0]' <<<"$output")" = \
        "orders: only the rows of the point and of its change were compared" ]
}
