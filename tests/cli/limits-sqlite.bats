# SPDX-License-Identifier: Apache-2.0
# tests/cli/limits-sqlite.bats - limits of SQLite that docs/guide/limits.md tells of.

load ../support/bats/common
load shop
setup() {
    common_setup
    make_shop
}

q() { sqlite3 -cmd '.timeout 5000' shop.db "$1"; }

@test "without WAL a point waits for a writer" {
    echo 'databases: {shop: {url: "sqlite:shop.db", lock_timeout: 100ms}}' >>backout.yaml
    for mode in delete:3 wal:0; do
        q "PRAGMA journal_mode = ${mode%:*}"
        mkfifo "${mode%:*}"
        sqlite3 shop.db <"${mode%:*}" >held 3>&- &
        exec 4>"${mode%:*}"
        echo "BEGIN EXCLUSIVE; UPDATE items SET name = name; SELECT 'held';" >&4
        eventually grep -q held held
        run backout point create --db shop.db --tables items
        exec 4>&-
        wait
        rm held # or the next writer is taken for one that holds it already
        [ "$status" = "${mode#*:}" ] || { echo "$output"; false; }
    done
}

@test "row numbers that VACUUM gives anew are no change" {
    q 'CREATE TABLE l (a TEXT); INSERT INTO l VALUES (1), (2), (3); DELETE FROM l WHERE a = 1'
    backout -q point create --db shop.db --tables l
    q 'VACUUM'
    [ "$(q 'SELECT min(rowid) FROM l')" = 1 ]
    run -0 backout -q point seal latest
    [[ $output == *"the change touched 0 rows"* ]] || { echo "$output"; false; }
}

@test "a column whose type changed takes its rows back: a type is no more than a hint" {
    q "CREATE TABLE l (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO l VALUES (1, '01')"
    backout -q point create --db shop.db --tables l
    q "DROP TABLE l; CREATE TABLE l (id INTEGER PRIMARY KEY, a BLOB); INSERT INTO l VALUES (1, 1)"
    backout -q point seal latest
    run -0 backout execute latest --type partial --yes
    [[ $output == *"the type of column 'a' changed since the point"* ]] || { echo "$output"; false; }
    [ "$(q 'SELECT quote(a) FROM l')" = "'01'" ]
}

@test "a NOT NULL column that was dropped comes back by type backup only" {
    q "CREATE TABLE l (id INTEGER PRIMARY KEY, a TEXT NOT NULL); INSERT INTO l VALUES (1, 'x')"
    id=$(backout -q point create --db shop.db --tables l --output json | jq -r .id)
    q 'ALTER TABLE l DROP COLUMN a'
    backout -q point seal "$id"
    q 'INSERT INTO l VALUES (9)'
    for how in --dry-run --yes '--discard-later --dry-run' '--discard-later --yes'; do
        # shellcheck disable=SC2086 # several words
        run -3 backout -q execute "$id" --type full $how
        [[ $output == *"cannot make column 'a' of 'l' again"* ]] || { echo "$output"; false; }
        [[ $output == *"hint: if it was renamed, rename it back; if it was dropped: backout backup TABLE --db DB"* ]]
    done
    kept=$(backout -q backup l --db shop.db --output json | jq -r .id)
    q 'DROP TABLE l'
    backout -q execute "$id" --type backup --yes
    [ "$(q 'SELECT * FROM l')" = '1|x' ]
    [ "$(backout export "$kept" --which before | jq -r .row.id | tr '\n' ' ')" = '1 9 ' ]
    q 'DROP TABLE l'
    backout -q restore "$kept" --db shop.db --yes
    [ "$(q 'SELECT group_concat(id) FROM l')" = '1,9' ]
}

@test "foreign keys are on in a file only if the URL says so" {
    echo 'DELETE FROM orders WHERE id = 10' >one.sql
    backout -q run --db shop.db one.sql
    [ "$(q 'SELECT count(*) FROM items WHERE order_id = 10')" = 2 ]
    backout -q execute latest --yes
    backout -q run --db 'sqlite:shop.db?foreign_keys=on' one.sql
    [ "$(q 'SELECT count(*) FROM items WHERE order_id = 10')" = 0 ]
}

@test "references that led nowhere before a rollback come back with --on-conflict replace" {
    local damaged
    echo 'DELETE FROM orders WHERE id = 10; DELETE FROM customers WHERE id = 2' >one.sql
    backout -q run --db shop.db one.sql
    damaged=$(rows)
    for type in full partial; do
        undo=$(backout -q execute "$(backout list --output json | jq -r '[.[] | select(.migration == "one")][0].id')" \
            --type $type --yes --output json | jq -r .undo_point)
        [ "$(rows)" != "$damaged" ]
        run -3 backout execute "$undo" --yes
        [[ $output == *"2 conflicts are of class constraint or foreign-key"*"come back with --on-conflict replace"* ]]
        run -0 backout execute "$undo" --yes --on-conflict replace
        [ "$(rows)" = "$damaged" ]
    done
}

@test "what a file writes to an attached database stays" {
    sqlite3 other.db 'CREATE TABLE o (a)'
    echo "ATTACH 'other.db' AS other; INSERT INTO other.o VALUES (1); DELETE FROM items;" >both.sql
    backout -q run --db shop.db both.sql
    backout -q execute latest --yes
    [ "$(q 'SELECT count(*) FROM items')" = 6 ]
    [ "$(sqlite3 other.db 'SELECT count(*) FROM o')" = 1 ]
}

@test "a reader that may not write leaves the files of WAL mode behind" {
    local plain=()
    [ "$(id -u)" != 0 ] || plain=(setpriv "--bounding-set=-dac_override,-dac_read_search")
    mkdir data
    cp shop.db data
    sqlite3 data/shop.db 'PRAGMA journal_mode = WAL'
    chmod 444 data/shop.db
    run -0 "${plain[@]}" backout point create --db data/shop.db
    [ -e data/shop.db-shm ] && [ -e data/shop.db-wal ] && [ ! -s data/shop.db-wal ]
    run -3 "${plain[@]}" backout run --db data/shop.db damage.sql
    [[ $output == *"or its folder cannot be written: check the rights"* ]]
    chmod 644 data/*
    run -0 "${plain[@]}" backout run --db data/shop.db damage.sql
    [ ! -e data/shop.db-shm ] && [ ! -e data/shop.db-wal ]
}

@test "BEGIN and COMMIT in a file are refused where backout has to end the transaction" {
    echo 'BEGIN; DELETE FROM items; COMMIT;' >own.sql
    run -1 backout -q run --db shop.db --type transaction own.sql
    [[ $output == *"the file begins or ends a transaction by itself"* ]] || { echo "$output"; false; }
    run -3 backout -q run --db shop.db --dry-run own.sql
    [[ $output == *"the file begins or ends a transaction by itself"* ]] || { echo "$output"; false; }
    [ "$(q 'SELECT count(*) FROM items')" = 6 ]
}

@test "a table that triggers keep, and that is not in the point, is named: it is to be rebuilt" {
    q "CREATE TABLE docs (id INTEGER PRIMARY KEY, body TEXT);
        CREATE VIRTUAL TABLE search USING fts5 (body, content = docs, content_rowid = id);
        CREATE TRIGGER came AFTER INSERT ON docs BEGIN
            INSERT INTO search (rowid, body) VALUES (NEW.id, NEW.body); END;
        CREATE TRIGGER changed AFTER UPDATE ON docs BEGIN
            INSERT INTO search (search, rowid, body) VALUES ('delete', OLD.id, OLD.body);
            INSERT INTO search (rowid, body) VALUES (NEW.id, NEW.body);
            UPDATE items SET name = \"x\" WHERE order_id = -1; INSERT INTO shown VALUES (1); END;
        CREATE VIEW shown AS SELECT 1 AS one;
        CREATE TRIGGER shown INSTEAD OF INSERT ON shown BEGIN SELECT 1; END;
        INSERT INTO docs VALUES (1, 'alpha')"
    echo "UPDATE docs SET body = 'beta'" >one.sql
    backout -q run --db shop.db one.sql 2>/dev/null
    local note="note: docs: none of its triggers"
    run -0 backout assess latest
    [[ $output == *"$note fires: what they keep in search, which is not in the point, is to be rebuilt"* ]]
    [[ $output != *"keep in items"* && $output != *"keep in shown"* ]]
    run -0 backout execute latest --yes
    [[ $output == *"$note fired: what they keep in search, which is not in the point, is to be rebuilt"* ]]
    [ -z "$(q "SELECT rowid FROM search ('alpha')")" ]
    q "INSERT INTO search (search) VALUES ('rebuild')"
    [ "$(q "SELECT rowid FROM search ('alpha')")" = 1 ]
    backout -q run --db shop.db --tables docs one.sql
    run -0 backout execute latest --yes
    [[ $output == *"what they keep in items, which is not in the point"* ]]
}

# The one table of these is items.
capture_items() {
    backout -q point create --db shop.db --method capture --tables items
}

@test "a column of a captured table can be dropped when the capture has ended" {
    capture_items
    run sqlite3 shop.db 'ALTER TABLE items DROP COLUMN name'
    [[ $output == *"error in trigger backout_journal_1_changed"* ]] || { echo "$output"; false; }
    backout -q point release latest --yes
    q 'ALTER TABLE items DROP COLUMN name'
}

@test "what a temporary trigger does to a new row is told wrong" {
    capture_items
    q "CREATE TEMP TRIGGER x AFTER INSERT ON items BEGIN
        UPDATE items SET name = 'x' WHERE rowid = NEW.rowid; END;
        INSERT INTO items VALUES (99, 1, 'n')"
    backout -q point seal latest
    backout -q execute latest --type partial --yes
    [ "$(q 'SELECT name FROM items WHERE order_id = 99')" = n ] # and not gone
}

@test "rows that an index of a while replaced are told wrong, and with both they are not" {
    for method in capture:5 both:6; do
        backout -q point create --db shop.db --method "${method%:*}" --tables items
        q "CREATE UNIQUE INDEX u ON items (order_id, name);
            INSERT OR REPLACE INTO items VALUES (10, 9, 'pen'); DROP INDEX u"
        run -0 --separate-stderr backout point seal latest
        case $method in
        capture*) [[ $stderr != *"may have hidden"* ]] ;;
        both*) [[ $stderr == *"that is gone may have hidden writes; the snapshot tells"* ]] ;;
        esac || { echo "$stderr"; false; }
        backout -q execute latest --type partial --yes
        [ "$(q 'SELECT count(*) FROM items')" = "${method#*:}" ]
        q "INSERT OR IGNORE INTO items VALUES (10, 1, 'pen')"
    done
}

@test "a captured table that was renamed the legacy way takes no new rows until the capture ends" {
    capture_items
    q 'PRAGMA legacy_alter_table = ON; ALTER TABLE items RENAME TO things'
    run sqlite3 shop.db "INSERT INTO things VALUES (99, 1, 'n')"
    [[ $output == *"no such table: main.items"* ]] || { echo "$output"; false; }
    backout -q point release latest --yes
    q "INSERT INTO things VALUES (99, 1, 'n')"
}

@test "a session with triggers switched off is not captured, and a snapshot tells what it did" {
    for method in capture:0 both:0 snapshot:6; do
        backout -q point create --db shop.db --method "${method%:*}" --tables items
        sqlite3 -cmd '.dbconfig enable_trigger off' shop.db "UPDATE items SET name = '$method'" >/dev/null
        run -0 backout -q point seal latest
        [[ $output == *"the change touched ${method#*:} rows"* ]] || { echo "$output"; false; }
        backout -q execute latest --type partial --yes
        [ "$(q "SELECT count(*) FROM items WHERE name = '$method'")" = $((6 - ${method#*:})) ]
    done
}

@test "who wrote is not known: a user and a run are refused" {
    capture_items
    q "UPDATE items SET name = 'z'"
    backout -q point seal latest
    for who in '--user root' '--run run_x'; do
        # shellcheck disable=SC2086 # two words
        run -3 backout -q execute latest $who --yes
        [[ $output == *"does not tell who wrote"* ]] || { echo "$output"; false; }
        [ "$(q 'SELECT DISTINCT name FROM items')" = z ]
    done
}

@test "a copy in another place takes a restore only, and a path is UTF-8" {
    backout -q point create --db shop.db --tables items
    cp shop.db copy.db
    run -3 backout execute latest --db copy.db --yes
    [[ $output == *"is not the database the point was taken of"* ]] || { echo "$output"; false; }
    backout -q restore latest --db copy.db --yes
    cp shop.db $'\xff.db'
    run -3 backout point create --db $'\xff.db'
    [[ $output == *"the path of the database is not UTF-8"* ]] || { echo "$output"; false; }
}

@test "a table of more than 1993 columns comes back with restore only" {
    local columns
    columns=$(printf ', c%d DEFAULT 1' {1..1993})
    q "CREATE TABLE wide (id INTEGER PRIMARY KEY$columns); INSERT INTO wide (id) VALUES (1), (2)"
    run -0 backout point create --db shop.db --tables wide
    run -0 backout doctor --db shop.db
    [[ $output == *"too many columns for single rows"* ]]
    q 'UPDATE wide SET c7 = 2 WHERE id = 1'
    run -0 backout point seal latest
    run -3 backout execute latest --type partial --yes
    [[ $output == *"with more than 1993 single rows cannot be changed back"*"restore brings"* ]]
    run -0 backout restore latest --db shop.db --yes
    [ "$(q 'SELECT group_concat(c7) FROM wide')" = 1,1 ]
}

@test "a table whose name is not UTF-8 is left out; named, it is refused" {
    q "$(printf 'CREATE TABLE "gr\xf6\xdfe" (id INTEGER PRIMARY KEY)')"
    run -0 --separate-stderr backout point create --db shop.db
    [[ $stderr == *'left out: table gr\xf6\xdfe: its name is not UTF-8'* ]] || { echo "$stderr"; false; }
    run -3 --separate-stderr backout point create --db shop.db --tables "$(printf '"gr\xf6\xdfe"')"
    [[ $stderr == *"because: its name is not UTF-8"* ]] || { echo "$stderr"; false; }
}
