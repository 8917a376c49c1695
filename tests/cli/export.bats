# SPDX-License-Identifier: Apache-2.0
# tests/cli/export.bats - export, script: rows and rollbacks without backout.

load ../support/bats/common
load shop
setup() { common_setup; }
teardown() { common_teardown; }

@test "export prints what the change did, a line for each row" {
    make_shop
    damage
    run -0 --separate-stderr backout export "$id"
    [ "${#lines[@]}" = 5 ]
    run -0 jq -r 'select(.table == "orders") | .op + .before.total_cents + "/" + .after.total_cents' \
        <<<"$output"
    [ "$output" = $'update700/70\nupdate900/90' ]
}

@test "export --which before prints the rows of the point" {
    make_shop
    damage
    run -0 --separate-stderr backout export "$id" --which before --format json
    [ "$(jq -c '[.tables[] | {name, rows: (.rows | length)}] | sort' <<<"$output")" = \
        '[{"name":"customers","rows":3},{"name":"items","rows":6},{"name":"orders","rows":4}]' ]
    run -0 --separate-stderr backout export "$id" --which before --format csv
    [[ $output == *$'table,id,name,email\r\ncustomers,1,Ann,ann@x\r\n'*$'customers,3,Cy,\r\n'* ]]
}

@test "export --which since leaves the change out" {
    make_shop
    damage
    run -0 --separate-stderr backout export "$id" --which since
    [ "$output" = "" ]
    sqlite3 shop.db "UPDATE customers SET name = 'Anna' WHERE id = 1"
    run -0 --separate-stderr backout export "$id" --which since
    [ "$(jq -c '[.table, .op, .before.name, .after.name]' <<<"$output")" = \
        '["customers","update","Ann","Anna"]' ]
}

# one: the output is a single JSON value.
one() { jq -s -e 'length == 1' <<<"$output"; }

@test "with --output json the rows are one JSON value" {
    make_shop
    damage
    backout export "$id" --format json >plain.json
    for format in jsonl json; do
        run -0 --separate-stderr backout export "$id" --format "$format" --output json
        one
        jq -S . <<<"$output" | cmp - <(jq -S . plain.json)
    done
    run -0 --separate-stderr backout export "$id" --which since --output json
    [ "$(jq -c . <<<"$output")" = '{"changes":[]}' ]
    run -0 --separate-stderr backout export "$id" --which before --output json
    one
    [ "$(jq '[.tables[].rows | length] | add' <<<"$output")" = 13 ]
}

@test "with --output json, SQL and CSV are the text of one JSON value" {
    make_shop
    sqlite3 shop.db "UPDATE customers SET name = 'a \"b\" \\ ' || char(10, 9, 233) WHERE id = 1"
    damage
    for command in "sql script $id" "sql export $id --which before --format sql" \
        "csv export $id --which before --format csv"; do
        # shellcheck disable=SC2086 # words of a command
        set -- $command
        backout "${@:2}" | sed 's/, written .*//' >plain
        run -0 --separate-stderr backout "${@:2}" --output json
        one
        [ "$(jq -c '[.id, .format]' <<<"$output")" = "[\"$id\",\"$1\"]" ]
        jq -j .text <<<"$output" | sed 's/, written .*//' | cmp - plain
    done
}

@test "with --output jsonl, rows and scripts are events" {
    make_shop
    damage
    for command in "export $id" "export $id --format csv" "script $id" "script $id --output-file x.sql"; do
        # shellcheck disable=SC2086 # words of a command
        run -0 --separate-stderr backout $command --output jsonl
        [ "$(jq -r .type <<<"${lines[0]}")" = version ]
        [ "$(jq -r .type <<<"${lines[-1]}")" = result ]
        jq -e '.result | type == "object"' <<<"${lines[-1]}"
    done
    run -0 --separate-stderr backout export "$id" --output jsonl
    [ "$(jq '.result.changes | length' <<<"${lines[-1]}")" = 5 ]
}

@test "with --output json, what fails on its way leaves nothing but the error" {
    make_shop
    sqlite3 shop.db "CREATE TABLE notes (id INTEGER PRIMARY KEY, line TEXT);
        INSERT INTO notes VALUES (1, 'first'), (2, CAST(x'ff0a' AS TEXT))"
    echo "DELETE FROM notes" >damage.sql
    damage
    backout export "$id" --which before --format csv >plain
    run -3 --separate-stderr backout export "$id" --which before --format csv --output json
    one
    [ "$(jq -r .error.status <<<"$output")" = unsupported ]
    run -3 --separate-stderr backout export "$id" --which lost --output json
    one
    [ "$(jq -r .error.status <<<"$output")" = notfound ]
}

@test "the script returns to the point with sqlite3 alone, and only once" {
    make_shop
    rows >before
    damage
    run -0 --separate-stderr backout script "$id" --output-file undo.sql
    [ "$(stat -c %a undo.sql)" = 600 ]
    sqlite3 -bail shop.db <undo.sql
    rows | cmp - before
    run -1 sqlite3 -bail shop.db <undo.sql
    [[ $output == *"the row is not as expected"* ]]
    rows | cmp - before
    run -0 --separate-stderr backout verify "$id"
}

@test "texts with zero bytes and carriage returns come back from a script, whatever the encoding" {
    backout -q init
    for encoding in UTF-8 UTF-16le UTF-16be; do
        sqlite3 $encoding.db "PRAGMA encoding = '$encoding'; CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY, v TEXT);
            INSERT INTO t VALUES (char(0), 'é' || char(0, 13, 10) || '\\0\\r' || char(0, 13)),
                ('\\r0' || char(13), '\\r0' || char(13) || '\\r');"
        sqlite3 $encoding.db 'SELECT hex(k), hex(v) FROM t ORDER BY k' >before
        echo "UPDATE t SET v = 'x' || v; DELETE FROM t WHERE k = char(0);" >change.sql
        backout -q run --db $encoding.db change.sql
        backout script latest >undo.sql
        backout export latest --which before --format sql >rows.sql
        sqlite3 $encoding.db <undo.sql
        sqlite3 $encoding.db 'SELECT hex(k), hex(v) FROM t ORDER BY k' | diff before -
        sqlite3 $encoding.db 'DELETE FROM t' '.read rows.sql'
        sqlite3 $encoding.db 'SELECT hex(k), hex(v) FROM t ORDER BY k' | diff before -
    done
}

@test "a column whose name is not UTF-8 has it escaped in JSON, and as it is in CSV and SQL" {
    backout -q init
    local name
    name=$(printf 'gr\xf6\xdfe')
    sqlite3 l.db "CREATE TABLE t (id INTEGER PRIMARY KEY, \"$name\"); INSERT INTO t VALUES (1, 2)"
    echo "UPDATE t SET \"$name\" = 3" >change.sql
    backout -q run --db l.db change.sql
    [ "$(backout export latest | jq -c .after)" = '{"id":"1","gr\\xf6\\xdfe":"3"}' ]
    [ "$(backout export latest --format csv | head -1)" = "table,op,image,id,$name"$'\r' ]
    backout script latest >undo.sql
    sqlite3 -bail l.db <undo.sql
    [ "$(sqlite3 l.db 'SELECT * FROM t')" = '1|2' ]
}

@test "the script stops at a row that was written after the change" {
    make_shop
    damage
    backout script "$id" >undo.sql
    sqlite3 shop.db "UPDATE orders SET status = 'sent' WHERE id = 11"
    rows >now
    run -1 sqlite3 -bail shop.db <undo.sql
    rows | cmp - now
}

@test "the journals of captured tables know of a script, or it stops" {
    make_shop
    local original before later
    original=$(rows)
    id=$(backout -q run --db shop.db --method capture damage.sql --output json | jq -r .id)
    later=$(backout -q point create --db shop.db --method capture --output json | jq -r .id)
    before=$(rows)
    backout script "$id" >undo.sql
    sqlite3 shop.db <undo.sql
    [ "$(rows)" = "$original" ]
    backout -q point seal "$later"
    run -0 backout -q execute "$later" --type full --yes
    [ "$(rows)" = "$before" ]
    sqlite3 shop.db 'CREATE TRIGGER stamp AFTER UPDATE ON Orders BEGIN DELETE FROM items; END'
    run -1 sqlite3 shop.db <undo.sql
    [[ $output == *"a table has a trigger that is new: let backout write the script again"* ]]
    backout script "$id" >undo.sql
    run -1 sqlite3 shop.db <undo.sql
    [[ $output == *"a table is captured: backout execute, or backout point release before"* ]]
    [ "$(rows)" = "$before" ]
    backout -q point release "$id"
    backout -q point release "$later"
    sqlite3 shop.db <undo.sql
    [ "$(rows)" = "$original" ]
}

@test "the script returns to the point with psql alone, as the owner of the tables" {
    pg_database
    sql -c "CREATE TABLE customers (id int PRIMARY KEY, email text UNIQUE);
        CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer int NOT NULL REFERENCES customers, at timestamptz, total numeric);
        INSERT INTO customers VALUES (1, E'it''s\\\\\\n\\\\q'), (2, NULL);
        INSERT INTO orders (customer, at, total) VALUES (1, 'infinity', 1.50), (1, NULL, 'NaN');"
    dump() { sql -c "TABLE customers ORDER BY 1" -c "TABLE orders ORDER BY 1"; }
    dump >before
    backout -q init
    echo "DELETE FROM orders; DELETE FROM customers WHERE id = 1; INSERT INTO customers VALUES (3, 'x');" \
        >damage.sql
    id=$(backout -q run --db "$PG_URL" damage.sql --output json | jq -r .id)
    backout script "$id" >undo.sql
    psql -X -q "$PG_URL" -f undo.sql
    dump | cmp - before
    run -3 psql -X -q "$PG_URL" -f undo.sql
    [[ $output == *"the row is not as expected"* ]]
    dump | cmp - before
}

@test "a point that is not sealed has no script" {
    make_shop
    id=$(backout -q point create --db shop.db --output json | jq -r .id)
    run -3 --separate-stderr backout script "$id"
    [ "$output" = "" ]
    [[ $stderr == *"is not sealed"* ]]
}

@test "artefacts are written once, and restore the rows with sqlite3 alone" {
    make_shop
    rows >before
    backout -q point create --db shop.db --migration "add codes"
    run -0 --separate-stderr backout export latest --artefacts out
    [ "$(find out -name 'add_codes_*_snapshot.json' -perm 600 | wc -l)" = 1 ]
    [ "$(find out -name 'add_codes_*.sql' -perm 600 | wc -l)" = 3 ]
    [ "$(jq -r '.files | length' out/*_metadata.json)" = 4 ]
    run -3 --separate-stderr backout export latest --artefacts out
    sqlite3 shop.db "DELETE FROM items; DELETE FROM orders; DELETE FROM customers;"
    for table in customers orders items; do
        sqlite3 -bail shop.db <"$(echo out/*_"$table".sql)"
    done
    rows | cmp - before
}
