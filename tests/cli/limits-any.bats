# SPDX-License-Identifier: Apache-2.0
# tests/cli/limits-any.bats - limits of any engine, as docs/guide/limits.md tells them; in SQLite.

load ../support/bats/common
load shop
setup() {
    common_setup
    make_shop
}

q() { sqlite3 -cmd '.timeout 5000' shop.db "$1"; }

@test "a snapshot takes what others write during the change for the change" {
    backout -q point create --db shop.db --tables customers
    first=$(backout list --output json | jq -r '.[0].id')
    backout -q point create --db shop.db --tables customers
    q "UPDATE customers SET name = 'Ann B' WHERE id = 1" # another backout protects this one
    backout -q point seal latest
    q "UPDATE customers SET name = 'Bob B' WHERE id = 2"
    backout -q point seal "$first"
    backout -q execute "$first" --type partial --yes
    [ "$(q 'SELECT group_concat(name) FROM (SELECT name FROM customers ORDER BY id)')" = Ann,Bob,Cy ]
}

@test "what a failed program did outside the tables stays" {
    run -1 backout -q run --db shop.db -- sh -c 'echo mail >sent; sqlite3 other.db "CREATE TABLE o (a)"
        sqlite3 shop.db "DELETE FROM items"; exit 1'
    [ "$(q 'SELECT count(*) FROM items')" = 6 ]
    [ "$(cat sent)" = mail ]
    [ "$(sqlite3 other.db 'SELECT count(*) FROM o')" = 0 ]
}

@test "definitions that a reader of files would not take are refused before the change" {
    q "CREATE TABLE lists (id INTEGER PRIMARY KEY, v TEXT DEFAULT '$(printf '[%.0s' {1..9000})')"
    run -3 --separate-stderr backout run --db shop.db -- false
    [[ $stderr == *"the description of the pack has more '{' and '[' than a reader takes"* ]]
    [[ $stderr == *"hint: take a point of fewer tables: name them with --tables"* ]]
    backout -q point create --db shop.db --tables customers,items
}

@test "a table that has the name of another one is taken for that, unless changes are captured" {
    for method in snapshot capture; do
        backout -q point create --db shop.db --method $method --tables items
        q 'ALTER TABLE items RENAME TO items_old; CREATE TABLE items (order_id INTEGER NOT NULL,
            line INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (order_id, line))'
        code=0
        backout -q execute latest --type full --yes --output json >out || code=$?
        [ $method != snapshot ] || [ "$code $(jq -r .applied.inserted out)" = '0 6' ]
        [ $method = snapshot ] || [[ $code = 3 && $(cat out) == *"the capture is broken"* ]]
        q 'DROP TABLE items; ALTER TABLE items_old RENAME TO items'
    done
}

@test "a journal grows with the writes of everybody until its last point ends" {
    backout -q point create --db shop.db --method capture --tables items
    before=$(q 'PRAGMA page_count')
    for ((i = 0; i < 4; i++)); do
        q "UPDATE items SET name = hex(zeroblob(9000))"
    done
    backout -q point seal latest
    [ "$(q 'PRAGMA page_count')" -gt $((before + 90)) ]
    q "UPDATE items SET name = ''"
    [ "$(q 'SELECT count(*) FROM backout_journal_1')" = 30 ]
    backout -q point release latest
    [ "$(q "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%backout%'")" = 0 ]
}

@test "rows that meet the predicate later are counted and left alone" {
    backout -q point create --db shop.db --tables orders --where 'orders: total_cents > 600'
    q "UPDATE orders SET total_cents = 800 WHERE id = 10; UPDATE orders SET total_cents = 0 WHERE id = 11"
    run -0 backout point seal latest
    [[ $output == *"table orders: 1 row"*"the predicate now that did not at the point"* ]] ||
        { echo "$output"; false; }
    run -0 backout -q execute latest --type partial --yes
    [ "$(q 'SELECT total_cents FROM orders WHERE id IN (10, 11)')" = $'800\n700' ]
}

@test "a row of a predicate whose own key moves is not found again" {
    backout -q point create --db shop.db --tables customers --where 'customers: id = 3' --no-closure
    q "UPDATE customers SET id = 30 WHERE id = 3"
    backout -q point seal latest
    backout -q execute latest --type full --yes
    [ "$(q 'SELECT group_concat(id) FROM (SELECT id FROM customers ORDER BY id)')" = 1,2,3,30 ]
    backout -q point create --db shop.db --tables customers
    q "UPDATE customers SET id = 31 WHERE id = 30"
    backout -q point seal latest
    backout -q execute latest --type partial --yes
    [ "$(q 'SELECT group_concat(id) FROM (SELECT id FROM customers ORDER BY id)')" = 1,2,3,30 ]
}

@test "without a key: no predicate, and what was undone already is not undone again" {
    q "CREATE TABLE log (text); INSERT INTO log VALUES ('a'), ('a'), ('b')"
    run -3 backout -q point create --db shop.db --tables log --where "log: text = 'a'"
    [[ $output == *"it has no key, so a row cannot be found"* ]] || { echo "$output"; false; }
    backout -q point create --db shop.db --tables log
    q "DELETE FROM log WHERE text = 'b'"
    backout -q point seal latest
    id=$(backout list --output json | jq -r '.[0].id')
    backout -q execute "$id" --type partial --yes
    run -0 backout -q execute "$id" --type partial --yes
    [[ $output == *"its change was undone already"* ]] || { echo "$output"; false; }
    [ "$(q 'SELECT group_concat(text) FROM log')" = a,a,b ]
}

@test "a foreign key of generated columns is not broken, and no plan knows it before" {
    q "CREATE TABLE c (id int PRIMARY KEY, b int, g int GENERATED ALWAYS AS (b * 10) STORED UNIQUE);
        CREATE TABLE d (id int PRIMARY KEY, x int, g int GENERATED ALWAYS AS (x * 10) STORED,
            FOREIGN KEY (g) REFERENCES c (g));
        INSERT INTO c (id, b) VALUES (1, 1), (2, 2), (3, 3); INSERT INTO d (id, x) VALUES (1, 2)"
    backout -q point create --db shop.db --tables c
    q "UPDATE c SET b = 5 WHERE id = 1"
    backout -q point seal latest
    q "UPDATE d SET x = 5 WHERE id = 1" # what it refers to would go
    run -0 backout -q execute latest --type partial --dry-run
    for policy in refuse skip; do
        run -3 backout -q execute latest --type partial --on-conflict $policy --yes
        [[ $output == *"a foreign key of generated columns would be broken"* ]] || { echo "$output"; false; }
    done
    run -3 backout -q execute latest --type full --yes
    q "UPDATE d SET x = 3 WHERE id = 1"
    backout -q execute latest --type partial --yes
    backout -q point create --db shop.db --tables d
    q "UPDATE d SET x = 2 WHERE id = 1"
    backout -q point seal latest
    q "DELETE FROM c WHERE id = 3" # it would refer to nothing
    run -3 backout -q execute latest --type partial --yes
    [[ $output == *"a foreign key of generated columns would be broken"* ]] || { echo "$output"; false; }
    [ "$(q 'SELECT g FROM d')$(q 'SELECT sum(b) FROM c')" = 203 ]
}

@test "what triggers keep elsewhere comes back with its table only" {
    q "CREATE TABLE sums (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO sums VALUES (1, 6);
        CREATE TRIGGER gone AFTER DELETE ON items BEGIN UPDATE sums SET n = n - 1; END"
    backout -q point create --db shop.db --tables items
    q 'DELETE FROM items WHERE order_id = 10'
    backout -q point seal latest
    backout -q execute latest --type full --yes
    [ "$(q 'SELECT count(*), (SELECT n FROM sums) FROM items')" = '6|4' ]
}

@test "indexes that the change dropped are named and not made again, those it made stay" {
    q 'CREATE INDEX old ON items (name)'
    backout -q point create --db shop.db --tables items
    q 'DROP INDEX old; CREATE INDEX new ON items (line); DELETE FROM items'
    backout -q point seal latest
    run -0 backout -q execute latest --type full --discard-later --yes
    [[ $output == *"index 'old' is gone since the point, and is not made again"* ]] ||
        { echo "$output"; false; }
    [ "$(q "SELECT group_concat(name) FROM sqlite_schema WHERE tbl_name = 'items' AND sql IS NOT NULL
        AND type = 'index'")" = new ]
}

@test "a point that is not sealed takes back what others wrote, and keeps it" {
    backout -q point create --db shop.db --tables customers
    q "DELETE FROM orders WHERE customer_id = 3; DELETE FROM customers WHERE id = 3"
    q "INSERT INTO customers VALUES (9, 'new', NULL)" # others
    run -0 backout execute latest --type full --yes --output json
    undo=$(jq -r .undo_point <<<"$output")
    [[ $output == *"the point is not sealed: everything since counts as the change"* ]] ||
        { echo "$output"; false; }
    [ "$(q 'SELECT group_concat(id) FROM (SELECT id FROM customers ORDER BY id)')" = 1,2,3 ]
    backout -q execute "$undo" --yes
    [ "$(q 'SELECT group_concat(id) FROM (SELECT id FROM customers ORDER BY id)')" = 1,2,9 ]
}

@test "what a later point knows to be another change is named before a point that is not sealed takes it" {
    sqlite3 shop.db 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text); INSERT INTO notes VALUES (1, 1)'
    backout -q point create --db shop.db --tables notes
    local point later
    point=$(backout list --output json | jq -r '.[0].id')
    echo 'UPDATE notes SET text = 2' >change.sql
    backout -q run --db shop.db change.sql
    later=$(backout list --output json | jq -r '.[0].id')
    run -0 --separate-stderr backout execute "$point" --dry-run
    [[ $output == *"notes: the later change of $later goes, too"* ]]
    run -0 --separate-stderr backout execute "$point" --yes
    [[ $output == *"notes: the later change of $later goes, too"* ]]
    [ "$(sqlite3 shop.db 'SELECT text FROM notes')" = 1 ]
}

@test "a counter goes back with type full and stays with type partial" {
    q 'CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (7)'
    for type in partial full; do
        backout -q point create --db shop.db --tables a
        q 'INSERT INTO a VALUES (NULL); INSERT INTO a VALUES (NULL)'
        backout -q point seal latest
        backout -q execute latest --type $type --yes
        [ "$(q 'SELECT seq FROM sqlite_sequence')" = 9 ]
        [ "$(q 'SELECT group_concat(id) FROM a')" = 7 ]
    done
}

@test "an undo point holds changes and cannot be restored" {
    damage
    undo=$(backout execute "$id" --yes --output json | jq -r .undo_point)
    run -3 backout -q restore "$undo" --db shop.db --yes
    [[ $output == *"holds changes, not whole tables"* ]] || { echo "$output"; false; }
}


@test "a dump of a captured table has triggers and journals of backout in it" {
    backout -q point create --db shop.db --method capture --tables items
    sqlite3 shop.db .dump | sqlite3 copy.db
    [ "$(sqlite3 copy.db "SELECT count(*) > 1 FROM sqlite_schema WHERE name LIKE 'backout_journal_1%'")" = 1 ]
}

@test "a program has no dry run" {
    run -2 backout run --db shop.db --dry-run -- sqlite3 shop.db 'DELETE FROM items'
    [[ $output == *"a program cannot be kept from committing"* ]] || { echo "$output"; false; }
    [ "$(q 'SELECT count(*) FROM items')" = 6 ]
}

@test "there is no script for a table that the change altered" {
    backout -q point create --db shop.db --tables items
    q "ALTER TABLE items DROP COLUMN name"
    backout -q point seal latest
    run -3 backout script latest
    [[ $output == *"the table had changed its shape when the point was sealed"* ]] || { echo "$output"; false; }
}

@test "an older copy of the catalog is whole in itself" {
    backout -q point create --db shop.db --tables items
    cp .backout/catalog.db old.db
    backout -q point seal latest
    run -0 backout audit --verify
    head=$output
    rm -f .backout/catalog.db-*
    cp old.db .backout/catalog.db
    run -0 backout audit --verify
    [ "$output" != "$head" ]
}
