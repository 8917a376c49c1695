# SPDX-License-Identifier: Apache-2.0
# tests/cli/backups.bats - backup, restore, check, prune, audit.

load ../support/bats/common
load shop
setup() { common_setup; make_shop; before=$(rows); }
teardown() { common_teardown; }

take_backup() {
    id=$(backout -q backup customers orders items --db shop.db --description 'by hand' \
        --output json | jq -r .id)
}

@test "a backup is restored by its id, and the state before is a point" {
    take_backup
    sqlite3 shop.db <damage.sql
    local damaged undo
    damaged=$(rows)
    run -0 --separate-stderr backout restore "$id" --db shop.db --yes --output json
    [ "$(rows)" = "$before" ]
    [ "$(jq -r .proof <<<"$output")" = match ]
    undo=$(jq -r .undo_point <<<"$output")
    run -0 backout -q execute "$undo" --yes
    [ "$(rows)" = "$damaged" ]
}

@test "a restore is called so, of a backup and of a point" {
    damage
    run -0 --separate-stderr backout restore "$id" --db shop.db --dry-run
    [[ ${lines[0]} == "restore of $id: planned"* ]]
    run -0 --separate-stderr backout execute "$id" --type backup --yes
    [[ ${lines[0]} == "restore of $id: done"* ]]
    [ "$(rows)" = "$before" ]
}

@test "a backup that cannot be taken is not called a point" {
    run -3 --separate-stderr backout backup nothing --db shop.db
    [ "${stderr_lines[0]}" = "backout: cannot take a backup" ]
    run --separate-stderr backout backup orders --db nowhere.db
    [ "${stderr_lines[0]}" = "backout: cannot take a backup" ]
}

@test "restore says that columns that were added since get their default, and the undo point has them" {
    take_backup
    sqlite3 shop.db "ALTER TABLE items ADD COLUMN note DEFAULT 'none'; UPDATE items SET note = 'precious'"
    run -0 --separate-stderr backout restore "$id" --db shop.db --yes --output json
    [[ $output == *"items: column 'note' gets its default in every row"* ]]
    local undo
    undo=$(jq -r .undo_point <<<"$output")
    [ "$(sqlite3 shop.db "SELECT DISTINCT note FROM items")" = none ]
    run -0 backout -q execute "$undo" --yes
    [ "$(sqlite3 shop.db "SELECT DISTINCT note FROM items")" = precious ]
}

@test "a backup is restored from its file, in another database, without its catalog" {
    take_backup
    local file
    file=$(backout details "$id" --output json | jq -r '.files[0].name')
    file=$(find .backout/repository -name "${file##*/}" -type f | head -1)
    mkdir ../elsewhere
    cp "$file" ../elsewhere/saved
    cd ../elsewhere
    backout -q init
    sqlite3 other.db 'CREATE TABLE note (x)'
    run -0 --separate-stderr backout restore saved --db other.db --yes
    [ "$(rows other.db)" = "$before" ]
}

@test "a backup belongs to no change: it is not sealed, and nothing is told from later writes" {
    take_backup
    sqlite3 shop.db 'DELETE FROM items WHERE rowid = (SELECT max(rowid) FROM items)'
    local later
    later=$(rows)
    run -3 --separate-stderr backout point seal "$id"
    [[ $stderr == *"is a backup: it belongs to no change"* ]]
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    [[ $stderr == *"is a backup: it belongs to no change"* ]]
    [[ $stderr != *"point seal"* ]]
    run -3 --separate-stderr backout execute "$id" --yes
    [ "$(rows)" = "$later" ]
}

@test "type backup takes whole tables: rows are not chosen with it, and of its own database only" {
    take_backup
    cp shop.db copy.db
    sqlite3 shop.db <damage.sql
    local damaged option
    damaged=$(rows)
    for option in '--where=items: id = 1' --only-added --on-conflict=skip --by=column; do
        run -2 --separate-stderr backout execute "$id" --type backup "$option" --yes
        [[ $stderr == *"type backup makes whole tables as they were"* ]]
    done
    run -3 --separate-stderr backout execute "$id" --type backup --db copy.db --yes
    [[ $stderr == *"is not the database the point"* ]]
    [ "$(rows)" = "$damaged" ]
    run -0 --separate-stderr backout execute "$id" --type backup --yes --output json
    [ "$(rows)" = "$before" ]
    [ "$(jq -c '[.lost.rows, .tables[].lost] | unique' <<<"$output")" = '[null]' ]
}

@test "a dry run's point is not restored" {
    run -0 --separate-stderr backout -q run --db shop.db --dry-run damage.sql
    local point
    point=$(backout list --all --output json | jq -r '.[] | select(.kind == "dry-run") | .id' | head -1)
    [ -n "$point" ]
    run -3 --separate-stderr backout restore "$point" --db shop.db --yes
    [[ $stderr == *"is of a dry run"* ]]
    run -3 --separate-stderr backout execute "$point" --type backup --yes
    [[ $stderr == *"is of a dry run"* ]]
    [ "$(rows)" = "$before" ]
}

@test "the latest point of a database is not that of another" {
    cp shop.db other.db
    echo "UPDATE customers SET name = 'Zoe'" >rename.sql
    backout -q run --db shop.db rename.sql
    backout -q run --db other.db rename.sql
    run -0 --separate-stderr backout execute latest --db shop.db --yes
    [ "$(rows shop.db)" = "$before" ]
    [ "$(sqlite3 other.db 'SELECT DISTINCT name FROM customers')" = Zoe ]
}

@test "restore asks: without --yes and a terminal it is refused" {
    take_backup
    sqlite3 shop.db 'DELETE FROM items'
    run -3 --separate-stderr backout restore "$id" --db shop.db
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM items')" = 0 ]
}

@test "on a terminal restore shows its plan before it asks" {
    command -v script >/dev/null || skip "no script(1)"
    take_backup
    sqlite3 shop.db 'DELETE FROM items'
    run -0 script -qec "backout restore $id --db shop.db" /dev/null <<<"y"
    [[ $output == *planned* ]]
    [[ $output == *"Restore $id, giving up what the tables hold now in "* ]]
    [ "$(rows)" = "$before" ]
}

@test "check reads everything, with a test restore too" {
    take_backup
    run -0 --separate-stderr backout check --output json
    [ "$(jq -r .result <<<"$output")" = match ]
    run -0 --separate-stderr backout check "$id" --test-restore
    [[ $output == *"result: match"* ]]
    run -0 --separate-stderr backout check --test-restore
}

@test "check exits 4 and says so when a file cannot be opened" {
    head -c 32 /dev/urandom >key
    chmod 600 key
    BACKOUT_KEY_FILE=key take_backup
    run -4 --separate-stderr backout check
    [[ $output == *"result: inconclusive"* ]]
    [ "${stderr_lines[0]}" = "backout: some of what is stored could not be checked" ]
    BACKOUT_KEY_FILE=key run -0 --separate-stderr backout check
}

@test "check exits 4 when a byte was changed, and a rollback refuses that file" {
    take_backup
    local file
    file=$(find .backout/repository -type f -size +100c | head -1)
    printf 'X' | dd of="$file" bs=1 seek=90 conv=notrunc status=none
    run -4 --separate-stderr backout check --output json
    [ "$(jq -r .result <<<"$output")" = mismatch ]
    sqlite3 shop.db 'DELETE FROM items'
    run -3 --separate-stderr backout restore "$id" --db shop.db --yes
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM items')" = 0 ]
}

@test "prune keeps what the rule says, and says why" {
    for _ in 1 2 3; do backout -q backup items --db shop.db; done
    run -2 --separate-stderr backout prune
    [[ ${stderr_lines[0]} == "backout: no rule says what to keep" ]]
    run -0 --separate-stderr backout prune --keep-last 1 --dry-run --output json
    [ "$(jq .removed <<<"$output")" = 2 ]
    [ "$(find .backout/repository -type f | wc -l)" -ge 3 ]
    run -3 --separate-stderr backout prune --keep-last 1
    run -0 --separate-stderr backout prune --keep-last 1 --yes --output json
    [ "$(jq .removed <<<"$output")" = 2 ]
    run -0 backout check
}

@test "the audit log has every attempt, is whole, and can be exported" {
    take_backup
    run -3 backout restore "$id" --db shop.db
    run -0 --separate-stderr backout audit --output json
    [ "$(jq 'length >= 2' <<<"$output")" = true ]
    [ "$(jq -r '.[0] | .event + " " + .outcome' <<<"$output")" = "restore.execute refused" ]
    run -0 --separate-stderr backout audit --verify --output json
    [ "$(jq -r .result <<<"$output")" = match ]
    run -0 --separate-stderr backout audit --export rollback_audit.json
    [ "$(jq -r '.[-1].outcome' rollback_audit.json)" = refused ]
    run -0 --separate-stderr backout audit --verify --file rollback_audit.json
    local elsewhere
    elsewhere=$(mktemp -d)
    mv rollback_audit.json "$elsewhere"
    run -0 --separate-stderr env -C "$elsewhere" backout audit --verify --file rollback_audit.json
    [ "$(ls -A "$elsewhere")" = rollback_audit.json ] # neither needs nor makes a catalog
    rm -r "$elsewhere"
}

@test "a record that was changed in an exported log is found, exit 4" {
    take_backup
    backout -q audit --export log.json
    jq '.[0].actor = "somebody"' log.json >forged.json
    run -4 --separate-stderr backout audit --verify --file forged.json --output json
    [ "$(jq -r .result <<<"$output")" = mismatch ]
    [ "$(jq .broken_at <<<"$output")" != null ]
}

@test "audit --export replaces a regular file, and that only with --replace" {
    echo mine >log.json
    run -3 --separate-stderr backout audit --export log.json
    [ "$(cat log.json)" = mine ]
    [[ $stderr == *"'log.json' exists already"* ]]
    run -0 --separate-stderr backout audit --export log.json --replace
    run -0 --separate-stderr backout audit --verify --file log.json
    echo mine >victim
    ln -s victim link
    mkfifo pipe
    mkdir folder
    local place
    for place in link pipe folder; do
        run -3 --separate-stderr backout audit --export "$place" --replace
        [[ $stderr == *"'$place' is there and is not a regular file"* ]]
    done
    [ -p pipe ]
    [ "$(readlink link) $(cat victim)" = "victim mine" ]
}

@test "latest is of a change: a backup taken since is not what execute returns to" {
    damage
    local of_change=$id
    take_backup
    run -0 --separate-stderr backout details latest --output json
    [ "$(jq -r .id <<<"$output")" = "$of_change" ]
    sqlite3 shop.db 'DELETE FROM items WHERE order_id = 12'
    run -0 --separate-stderr backout restore latest --db shop.db --yes --output json
    [ "$(jq -r .id <<<"$output")" = "$id" ]
    run -0 --separate-stderr backout execute latest --yes --output json
    [ "$(jq -r .id <<<"$output")" = "$of_change" ]
    [ "$(rows)" = "$before" ]
}

@test "with backups only, execute latest is refused and names the newest" {
    take_backup
    run -3 --separate-stderr backout execute latest --yes
    [ "${stderr_lines[0]}" = "backout: no point of a change: the newest is the backup '$id'" ]
    [[ $stderr == *"backout restore"* ]]
}

@test "execute of a backup refuses what was written since, until --discard-later" {
    take_backup
    run -0 --separate-stderr backout execute "$id" --yes
    sqlite3 shop.db "DELETE FROM items WHERE order_id = 12; UPDATE orders SET status = 'sent' WHERE id = 10;
        INSERT INTO customers VALUES (9, 'Eve', NULL)"
    local now
    now=$(rows)
    run -3 --separate-stderr backout execute "$id" --yes
    [[ $stderr == *"4 rows were written after the backup, and type full would discard them"* ]]
    [[ $stderr == *"backout restore $id --db "* ]]
    [ "$(rows)" = "$now" ]
    run -3 --separate-stderr backout execute "$id" --yes --tables items
    [[ $stderr == *"2 rows were written after the backup"* ]]
    run -0 --separate-stderr backout assess "$id" --output json
    [ "$(jq -c '[.recommended, .lost.rows]' <<<"$output")" = '["backup",4]' ]
    run -0 --separate-stderr backout execute "$id" --yes --discard-later --output json
    [ "$(jq .lost.rows <<<"$output")" = 4 ]
    [ -s "$(jq -r .lost.export <<<"$output")" ]
    [ "$(rows)" = "$before" ]
}

@test "what referred to nothing already comes back with the tables of both sides" {
    sqlite3 shop.db "INSERT INTO orders VALUES (99, 7, 'of nobody', 1);
        WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 10100)
        INSERT INTO orders SELECT i, 1, 'many', i FROM n"
    take_backup
    before=$(rows)
    echo 'DELETE FROM orders;' >all.sql
    backout -q run --db shop.db all.sql
    run -0 backout execute latest --type full --yes # orders come back in one stream
    [ "$(rows)" = "$before" ]
    sqlite3 shop.db 'DELETE FROM orders'
    sqlite3 shop.db 'DELETE FROM items'
    run -0 backout restore "$id" --db shop.db --yes
    [ "$(rows)" = "$before" ]
}

@test "what would refer to nothing by a foreign key that is new does not come back" {
    sqlite3 shop.db 'CREATE TABLE notes (id INTEGER PRIMARY KEY, customer_id INTEGER); INSERT INTO notes VALUES (1, 7)'
    id=$(backout -q backup customers notes --db shop.db --output json | jq -r .id)
    sqlite3 shop.db 'DROP TABLE notes; CREATE TABLE notes (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers)'
    run -3 --separate-stderr backout restore "$id" --db shop.db --yes
    [[ $stderr == *"fk0 of notes (customer_id) refers to no row of customers"* ]]
}
