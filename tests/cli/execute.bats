# SPDX-License-Identifier: Apache-2.0
# tests/cli/execute.bats - assess, execute, verify, script, export.

load ../support/bats/common
load shop
setup() {
    common_setup
    make_shop
    before=$(rows)
    damage
}
teardown() { common_teardown; }

later() {
    sqlite3 shop.db "UPDATE orders SET status = 'sent' WHERE id = 13;
        INSERT INTO customers VALUES (5, 'Eve', 'eve@x');"
}

@test "full brings every row back, with proof" {
    run -0 --separate-stderr backout execute "$id" --yes --output json
    [ "$(rows)" = "$before" ]
    [ "$(jq -r .status <<<"$output")" = "done" ]
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ "$(jq -c .applied <<<"$output")" = '{"inserted":2,"updated":2,"deleted":1}' ]
    [ "$(jq -c .conflicts <<<"$output")" = '[]' ]
    run -0 backout verify "$id" --output json
    [ "$(jq -r .result <<<"$output")" = match ]
}

@test "as jsonl it tells the version first and the result last" {
    run -0 --separate-stderr backout execute "$id" --yes --output jsonl
    [ "$(jq -r .type <<<"${lines[0]}")" = version ]
    [ "$(jq -r '.type + " " + .result.type + " " + .result.proof' <<<"${lines[-1]}")" = \
        "result full match" ]
    for line in "${lines[@]}"; do
        [[ $(jq -r .type <<<"$line") =~ ^(version|progress|warning|result)$ ]]
    done
}

@test "'rollback latest' is the same command" {
    run -0 --separate-stderr backout rollback latest -y
    [ "$(rows)" = "$before" ]
    [[ $output == *"full rollback to $id: done, proof: match"* ]]
}

@test "a rollback can be rolled back" {
    local damaged undo
    damaged=$(rows)
    undo=$(backout -q execute "$id" --yes --output json | jq -r .undo_point)
    run -0 backout -q execute "$undo" --yes
    [ "$(rows)" = "$damaged" ]
}

@test "full refuses when others wrote since, changes nothing, and exits 3" {
    later
    local now
    now=$(rows)
    run -3 --separate-stderr backout execute "$id" --yes --output json
    [ "$(rows)" = "$now" ]
    [ "$(jq -r .status <<<"$output")" = refused ]
    [ "$(jq -r '.error.status' <<<"$output")" != null ]
    run -3 --separate-stderr backout execute "$id" --yes
    [[ $stderr == *"--discard-later"* ]]
}

@test "full with --discard-later exports what it gives up" {
    later
    run -0 --separate-stderr backout execute "$id" --yes --discard-later --output json
    [ "$(rows)" = "$before" ]
    [ "$(jq .lost.rows <<<"$output")" = 2 ]
    [ -s "$(jq -r .lost.export <<<"$output")" ]
}

@test "partial keeps what others wrote" {
    later
    run -0 --separate-stderr backout execute "$id" --type partial --yes
    [ "$(sqlite3 shop.db 'SELECT status FROM orders WHERE id = 13')" = sent ]
    [ "$(sqlite3 shop.db 'SELECT name FROM customers WHERE id = 5')" = Eve ]
    [ "$(sqlite3 shop.db 'SELECT total_cents FROM orders WHERE id = 12')" = 900 ]
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM customers WHERE id = 4')" = 0 ]
}

@test "a conflict is refused with exit 3, skipped with exit 4, replaced with exit 0" {
    sqlite3 shop.db 'UPDATE orders SET total_cents = 1 WHERE id = 12'
    local now
    now=$(rows)
    run -3 --separate-stderr backout execute "$id" --type partial --yes --output json
    [ "$(rows)" = "$now" ]
    [ "$(jq -c '.conflicts[0] | [.table, .key, .class, .columns]' <<<"$output")" = \
        '["orders","12","data",["total_cents"]]' ]
    run -4 --separate-stderr backout execute "$id" --type partial --on-conflict skip --yes \
        --output json
    [ "$(jq -r .status <<<"$output")" = "done" ]
    [ "$(sqlite3 shop.db 'SELECT total_cents FROM orders WHERE id = 12')" = 1 ]
    [ "$(sqlite3 shop.db 'SELECT total_cents FROM orders WHERE id = 11')" = 700 ]
    run -0 --separate-stderr backout execute "$id" --type partial --on-conflict replace --yes
    [ "$(sqlite3 shop.db 'SELECT total_cents FROM orders WHERE id = 12')" = 900 ]
}

@test "--by column keeps later writes to other columns of the same row" {
    sqlite3 shop.db "UPDATE orders SET status = 'sent' WHERE id = 12"
    run -0 --separate-stderr backout execute "$id" --type partial --by column --yes
    [ "$(sqlite3 shop.db 'SELECT status, total_cents FROM orders WHERE id = 12')" = 'sent|900' ]
}

@test "a row that others refer to is not called changed: nothing but skip leaves it" {
    sqlite3 shop.db "INSERT INTO orders VALUES (91, 4, 'open', 1)"
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    [[ $stderr == *"because: 1 conflict is of class constraint or foreign-key, which cannot be replaced"* ]]
    [ "${stderr_lines[-1]}" = "  hint: --on-conflict skip leaves these rows as they are" ]
}

@test "the hint of a conflict names what was not tried yet, and fits the command" {
    local hint
    sqlite3 shop.db 'UPDATE orders SET total_cents = 1 WHERE id = 12'
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    hint="see them with: backout assess $id; then: backout execute $id --type partial"
    hint+=" --on-conflict skip|replace, or --by column"
    [ "${stderr_lines[-1]}" = "  hint: $hint" ]
    run -3 --separate-stderr backout execute "$id" --type partial --by column --yes
    hint="the same columns were changed: backout assess $id; then --on-conflict skip|replace"
    [ "${stderr_lines[-1]}" = "  hint: $hint" ]
    backout -q backup customers --db shop.db
    sqlite3 shop.db "INSERT INTO customers VALUES (9, 'New', NULL); INSERT INTO orders VALUES (90, 9, 'open', 1)"
    run -3 --separate-stderr backout restore latest --db shop.db --tables customers --yes
    [[ $stderr == *"rows that stay refer to rows that the snapshot does not have"* ]]
    [[ ${stderr_lines[-1]} == "  hint: those rows have to go first"* ]]
    echo "INSERT INTO customers VALUES (1, 'Twice', NULL);" >twice.sql
    run --separate-stderr backout run --db shop.db --dry-run twice.sql
    [[ $stderr == *"UNIQUE constraint failed"* ]]
    [[ $stderr != *hint* ]]
}

@test "--tables, --where and --only-added limit a rollback" {
    run -0 backout -q execute "$id" --type partial --tables items --yes
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM items')" = 6 ]
    [ "$(sqlite3 shop.db 'SELECT total_cents FROM orders WHERE id = 12')" = 90 ]
    run -0 backout -q execute "$id" --type partial --tables customers --only-added --yes
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM customers')" = 3 ]
}

@test "a table that --where does not name is not looked at" {
    sqlite3 shop.db 'DROP TABLE items'
    run -0 --separate-stderr backout execute "$id" --type partial --where 'orders: id = 11' --yes \
        --output json
    [ "$(jq -c '[.tables[] | [.name, .inserted, .updated, .deleted]]' <<<"$output")" = \
        '[["orders",0,1,0]]' ]
}

@test "what --tables names comes back whole, beside the rows that --where asks of another table" {
    run -0 --separate-stderr backout execute "$id" --type partial --tables items \
        --where 'orders: id = 11' --yes --output json
    [ "$(jq -c '[.tables[] | [.name, .inserted + .updated + .deleted]] | sort' <<<"$output")" = \
        '[["items",2],["orders",1]]' ]
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM items')" = 6 ]
    [ "$(sqlite3 shop.db 'SELECT total_cents FROM orders WHERE id = 12')" = 90 ]
}

@test "a table has one condition" {
    local now
    now=$(rows)
    run -2 --separate-stderr backout execute "$id" --type partial --where 'orders: id = 11' \
        --where 'orders: id = 12' --yes
    [[ $stderr == *"table 'orders' has two conditions"* ]]
    [ "$(rows)" = "$now" ]
}

@test "a dry run prints the plan and changes nothing" {
    local now
    now=$(rows)
    run -0 --separate-stderr backout execute "$id" --dry-run --output json
    [ "$(rows)" = "$now" ]
    [ "$(jq -r .status <<<"$output")" = planned ]
    [ "$(jq -c .applied <<<"$output")" = '{"inserted":2,"updated":2,"deleted":1}' ]
}

@test "without a terminal and without --yes it is refused, recorded, and exits 3" {
    local now
    now=$(rows)
    run -3 --separate-stderr backout execute "$id"
    [ "$(rows)" = "$now" ]
    [[ ${stderr_lines[0]} == "backout: refused: it was not confirmed, and there is no terminal"* ]]
    [ "$(backout audit --limit 1 --output json | jq -r '.[0] | .event + " " + .outcome')" = \
        "rollback.execute refused" ]
}

@test "on a terminal the plan is shown and a no is a refusal" {
    command -v script >/dev/null || skip "no script(1)"
    local now
    now=$(rows)
    run -3 script -qec "backout execute $id" /dev/null <<<"n"
    [ "$(rows)" = "$now" ]
    [[ $output == *"Roll back to $id in "* ]]
    run -0 script -qec "backout execute $id" /dev/null <<<"y"
    [ "$(rows)" = "$before" ]
}

@test "Ctrl-C at the question exits 130 and changes nothing" {
    command -v script >/dev/null || skip "no script(1)"
    local now
    now=$(rows)
    run -130 bash -c "(sleep 1; printf '\\003') | script -qec 'backout execute $id' /dev/null"
    [ "$(rows)" = "$now" ]
}

@test "type transaction is refused when the change has ended" {
    run -3 --separate-stderr backout execute "$id" --type transaction --yes
    [[ ${stderr_lines[0]} == *"no transaction of this point is open any longer" ]]
}

@test "type backup makes a dropped table again" {
    sqlite3 shop.db 'DROP TABLE items'
    run -0 --separate-stderr backout execute "$id" --type backup --tables items --yes
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM items')" = 6 ]
}

@test "assess says what would change, be lost and conflict, and recommends" {
    later
    local now
    now=$(rows)
    run -0 --separate-stderr backout assess "$id" --output json
    [ "$(rows)" = "$now" ]
    [ "$(jq .lost.rows <<<"$output")" = 2 ]
    [ "$(jq -r .recommended <<<"$output")" = partial ]
    run -0 --separate-stderr backout assess "$id"
    [[ $output == *"recommended: partial, because "* ]]
}

@test "what cannot be assessed is said of assess" {
    cp shop.db other.db
    run -3 --separate-stderr backout assess "$id" --db other.db
    [ "${stderr_lines[0]}" = "backout: cannot assess '$id'" ]
    run -3 --separate-stderr backout assess "$id" --db other.db --mode cascade
    [ "${stderr_lines[0]}" = "backout: cannot assess '$id'" ]
}

@test "verify names keys and columns that differ, and exits 4" {
    run -4 --separate-stderr backout verify "$id" --output json
    [ "$(jq -r .result <<<"$output")" = mismatch ]
    [ "$(jq -c '[.tables[] | select(.name == "orders") | .differences[] | [.key, .kind, .columns]]' \
        <<<"$output")" = '[["11","differs",["total_cents"]],["12","differs",["total_cents"]]]' ]
    [[ $output != *700* ]]
    run -0 --separate-stderr backout verify "$id" --against after
    [[ ${lines[0]} == "$id: match" ]]
}

@test "verify has a line for each reason why a table cannot be compared" {
    sqlite3 shop.db 'ALTER TABLE orders RENAME COLUMN status TO state'
    run -4 --separate-stderr backout verify "$id"
    local reasons
    reasons=$(backout verify "$id" --output json 2>/dev/null | jq -r '.tables[] | select(.name == "orders") | .because')
    [ "$(wc -l <<<"$reasons")" -gt 1 ]
    while IFS= read -r reason; do
        [[ $output == *"  $reason"* ]]
    done <<<"$reasons"
    [[ $output != *'\n'* ]]
}

@test "verify of an undo point compares the rows that the rollback wrote" {
    local undo
    undo=$(backout execute "$id" --type partial --yes --output json | jq -r .undo_point)
    run -0 --separate-stderr backout verify "$undo" --against after
    [[ ${lines[0]} == "$undo: match" ]]
    run -4 --separate-stderr backout verify "$undo" --output json
    [ "$(jq -c '[.tables[] | select(.name == "orders") | .differences[] | [.key, .kind, .columns]]' \
        <<<"$output")" = '[["11","differs",["total_cents"]],["12","differs",["total_cents"]]]' ]
    sqlite3 shop.db 'DELETE FROM orders WHERE id = 11'
    run -4 --separate-stderr backout verify "$undo" --against after --output json
    [ "$(jq -c '[.tables[] | select(.name == "orders") | .differences[] | [.key, .kind]]' \
        <<<"$output")" = '[["11","missing"]]' ]
}

@test "verify of an undo point does not take equal rows of a table without a key for its own" {
    local undo
    sqlite3 shop.db "CREATE TABLE bag (v); INSERT INTO bag VALUES ('a'), ('a'), ('b')"
    echo "DELETE FROM bag WHERE rowid = 1" >bag.sql
    backout -q run --db shop.db --tables bag bag.sql
    undo=$(backout execute latest --type partial --yes --output json | jq -r .undo_point)
    run -0 backout verify "$undo" --against after
    backout -q execute "$undo" --type partial --yes
    run -4 --separate-stderr backout verify "$undo" --output json
    [ "$(jq -c '[.result, .tables[0].result, .tables[0].differences]' <<<"$output")" = \
        '["inconclusive","inconclusive",[]]' ]
    [[ $(jq -r '.tables[0].because' <<<"$output") == *"without a key they cannot be told from others" ]]
    sqlite3 shop.db "DELETE FROM bag WHERE v = 'a'"
    run -0 backout verify "$undo"
    run -4 backout verify "$undo" --against after
    [[ $output == *"mismatch"* ]]
}

@test "a row without a key that is long is cut in text, between characters, and whole in JSON" {
    sqlite3 shop.db "CREATE TABLE bag (v); INSERT INTO bag SELECT 'b' || replace(hex(zeroblob(200)), '00', 'ä')"
    id=$(backout -q point create --db shop.db --tables bag --output json | jq -r .id)
    sqlite3 shop.db 'DELETE FROM bag'
    run -4 --separate-stderr backout verify "$id"
    [[ $output =~ bä{59}…\ +missing ]]
    run -4 --separate-stderr backout verify "$id" --output json
    [ "$(jq -r '.tables[0].differences[0].key | length' <<<"$output")" = 201 ]
}

@test "script is SQL that sqlite3 can run, once" {
    backout script "$id" --output-file undo.sql
    [ "$(stat -c %a undo.sql)" = 600 ]
    run -0 sqlite3 -bail shop.db <undo.sql
    [ "$(rows)" = "$before" ]
    run sqlite3 -bail shop.db <undo.sql
    [ "$status" -ne 0 ]
    [ "$(rows)" = "$before" ]
    run -3 backout script "$id" --output-file undo.sql
}

@test "export prints the change in every format" {
    run -0 --separate-stderr backout export "$id"
    [ "$(grep -c . <<<"$output")" -ge 5 ]
    jq -e . <<<"$output" >/dev/null
    run -0 --separate-stderr backout export "$id" --format json
    jq -e . <<<"$output" >/dev/null
    run -0 --separate-stderr backout export "$id" --format csv --which before
    [[ $output == *Ann* ]]
    run -0 --separate-stderr backout export "$id" --format sql --which before
    [[ $output == *'INTO "main"."customers"'* ]]
    later
    run -0 --separate-stderr backout export "$id" --which since
    [[ $output == *eve@x* ]]
}

@test "export --artefacts writes snapshot, SQL and metadata as private files" {
    run -0 --separate-stderr backout export "$id" --artefacts out
    jq -e . out/damage_*_snapshot.json >/dev/null
    jq -e . out/damage_*_metadata.json >/dev/null
    [ "$(stat -c %a out/damage_*_orders.sql)" = 600 ]
}

@test "with a key nothing that is given up is written in clear, and export prints it" {
    head -c 32 /dev/urandom >key
    chmod 600 key
    export BACKOUT_KEY_FILE=$PWD/key
    damage
    sqlite3 shop.db "UPDATE customers SET email = 'in-clear@x' WHERE id = 2"
    run -0 --separate-stderr backout execute "$id" --yes --discard-later
    [[ $output == *", kept encrypted in "*".lost.change"* ]]
    [[ $output == *" --which lost prints them"* ]]
    local undo
    undo=$(sed -n 's/^backout export \(.*\) --which lost.*/\1/p' <<<"$output")
    [ "$(find .backout -name '*.jsonl' | wc -l)" = 0 ]
    run -1 grep -rl in-clear@x .backout
    run -0 --separate-stderr backout export "$undo" --which lost
    [ "$(jq -c '[.table, .op, .before.email, .after.email]' <<<"$output")" = \
        '["customers","update","bob@x","in-clear@x"]' ]
    run -3 --separate-stderr env -u BACKOUT_KEY_FILE backout export "$undo" --which lost
    run -3 --separate-stderr backout export "$id" --which lost
    [[ $stderr == *"is not the undo point of a rollback that gave writes of others up"* ]]
}
