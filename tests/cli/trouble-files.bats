# SPDX-License-Identifier: Apache-2.0
# tests/cli/trouble-files.bats - disks, files, keys and the catalog: full, read-only, gone, damaged, not
# ours.  Each case ends with the rows as they were, and most with a rollback that works after all.

load ../support/bats/common
load trouble
load shop # its damage() takes the place of a server's
setup() {
    common_setup
    make_shop
    before=$(rows)
}
teardown() {
    unmount
    common_teardown
}

# Rows that do not compress: 400 of 2000 bytes.
fill_shop() {
    sqlite3 shop.db "CREATE TABLE big (id INTEGER PRIMARY KEY, data BLOB);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
        INSERT INTO big SELECT i, randomblob(2000) FROM n"
    echo 'UPDATE big SET data = randomblob(2000) WHERE id <= 200;' >big.sql
}

@test "a folder that cannot be written: exit 1 for the catalog, for the repository and for init" {
    small_disk disk 2m
    (cd disk && backout -q init)
    read_only disk
    run -1 --separate-stderr backout --catalog disk/.backout/catalog.db point create --db shop.db
    said "cannot open the catalog 'sqlite:$PWD/disk/.backout/catalog.db'"
    said "check the path and the rights"
    run -1 --separate-stderr backout point create --db shop.db --repository disk/snapshots
    said "cannot open the repository 'disk/snapshots'"
    said "because: cannot create the folder 'disk/snapshots': Read-only file system"
    run -1 --separate-stderr backout init disk/other
    said "cannot create the folder 'disk/other': Read-only file system"
    no_point
    unchanged
}

@test "a database that cannot be written: a rollback exits 3, before anything" {
    small_disk disk 2m
    cp shop.db disk/shop.db
    id=$(backout -q run --db disk/shop.db damage.sql --output json | jq -r .id)
    local damaged
    damaged=$(rows disk/shop.db)
    read_only disk
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: the database file '$PWD/disk/shop.db' or its folder cannot be written"
    [ "$(rows disk/shop.db)" = "$damaged" ]
    mount -o remount,rw disk
    run -0 --separate-stderr backout execute "$id" --yes
    [ "$(rows disk/shop.db)" = "$before" ]
}

# kill_writer FILE: a program that is killed with half of a transaction in the file.
kill_writer() {
    sqlite3 "$1" 'PRAGMA cache_size = 1; BEGIN; UPDATE orders SET total_cents = 0' \
        'CREATE TABLE half AS SELECT randomblob(1e6)' '.shell kill -9 $PPID' || true
}

@test "what a killed program left is rolled back, and where it cannot be it is said, exit 3" {
    kill_writer shop.db
    [ -s shop.db-journal ]
    mkdir copy
    cp shop.db* copy
    run -0 backout -q point create --db shop.db
    unchanged
    [ ! -e shop.db-journal ]
    run -3 --separate-stderr backout point create --db 'sqlite:copy/shop.db?mode=ro'
    said "because: a program was killed while it wrote the database"
    said "takes the right to write the file and its folder"
}

@test "a database in WAL mode in a folder that cannot be written is not read, and the reason is said" {
    small_disk disk 2m
    cp shop.db disk
    sqlite3 disk/shop.db 'PRAGMA journal_mode = WAL'
    read_only disk
    run -1 --separate-stderr backout point create --db disk/shop.db
    said "because: the database, its journal or its folder cannot be opened: check the path and the rights"
    said "in WAL mode a reader too has to write the folder"
    mount -o remount,rw disk
    chmod 555 disk
    run -3 --separate-stderr setpriv --bounding-set=-dac_override,-dac_read_search \
        backout point create --db disk/shop.db
    said "because: the folder of the database cannot be written"
    said "in WAL mode a reader does too"
}

@test "a schema that this SQLite does not know is not called damage alone" {
    sqlite3 shop.db 'PRAGMA writable_schema = ON' \
        "INSERT INTO sqlite_schema VALUES ('table', 'w', 'w', 0, 'CREATE TABLE w (id INTEGER) STRICT, LATER')"
    run -3 --separate-stderr backout point create --db shop.db
    said "because: its schema cannot be read: it is damaged, or of a later SQLite than this one"
    said "unknown table option: LATER"
    said "hint: open it with the sqlite3 of the program that made it"
}

@test "a file that takes the database's place while a rollback waits: exit 3, both are as they were" {
    damage
    local mode damaged copy holder pid
    damaged=$(rows)
    for mode in delete wal; do
        sqlite3 shop.db "PRAGMA journal_mode = $mode" >/dev/null
        cp shop.db new.db
        hold_file shop.db 'BEGIN IMMEDIATE'
        backout execute "$id" --yes 2>said &
        pid=$!
        eventually opened "$pid" shop.db
        ln shop.db old.db
        mv new.db shop.db
        let_file_go
        ended "$pid"
        stderr=$(cat said)
        [ "$code" = 3 ] || { echo "$code: $stderr"; false; }
        said "the database file was moved, replaced or removed after it was opened"
        said "hint: look whether the right file is there now, then try again"
        for copy in shop.db old.db; do
            [ "$(rows "$copy")" = "$damaged" ] || { echo "$mode: $copy"; false; }
        done
        rm -f old.db*
    done
    run -0 --separate-stderr backout execute "$id" --yes
    unchanged
}

@test "a file in WAL mode that is open by another name: exit 3, and what was written there stays" {
    damage
    local damaged
    damaged=$(rows)
    sqlite3 shop.db 'PRAGMA journal_mode = WAL'
    mkdir inner
    ln shop.db inner/app.db
    hold_file inner/app.db "UPDATE customers SET name = 'app' WHERE id = 3"
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    said "because: the database file '$PWD/shop.db' is open by another name, with a -wal of its own"
    said "because: process $holder (sqlite3) of $(id -un), running since "
    said " has it open as '$PWD/inner/app.db'"
    said "hint: end that program, or use the name that it uses"
    run -3 --separate-stderr backout point create --db shop.db
    run -0 --separate-stderr backout point create --db inner/app.db
    let_file_go
    [ "$(rows)" = "${damaged/Cy/app}" ]
    run -0 --separate-stderr backout execute "$id" --type partial --yes
    [ "$(rows)" = "${before/Cy/app}" ]
}

@test "who holds a lock of the database is named" {
    damage
    printf '%s\n' 'databases:' '  shop: {url: "sqlite:shop.db", lock_timeout: 300ms}' >>backout.yaml
    local mode holder
    for mode in delete wal; do
        sqlite3 shop.db "PRAGMA journal_mode = $mode" >/dev/null
        hold_file shop.db 'BEGIN IMMEDIATE'
        run -3 --separate-stderr backout execute "$id" --yes
        said "because: the database file is locked by another process (database is locked)"
        said "because: it is held by process $holder (sqlite3) of $(id -un), running since "
        let_file_go
    done
    sqlite3 shop.db 'PRAGMA journal_mode = delete' >/dev/null
    hold_file shop.db 'BEGIN' 'SELECT 1 FROM orders'
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: it is held by process $holder (sqlite3)"
    let_file_go
    run -0 --separate-stderr backout execute "$id" --yes
    unchanged
}

@test "a file may have any name: no part of a plain path is an option" {
    local name
    mkdir sub
    for name in 'a b' 'a?b' 'a?mode=ro' 'a=b' 'a%41' 'a#b' $'a\nb' "a'b" -a :a 'a?b=c?d'; do
        cp shop.db "./$name"
        run -0 backout -q run --db "./$name" damage.sql
        [ "$(rows "./$name")" != "$before" ]
        (cd sub && backout -q execute latest --yes)
        [ "$(rows "./$name")" = "$before" ] || { echo "$name"; false; }
    done
    run -3 --separate-stderr backout run --db 'shop.db?mode=ro' damage.sql
    said "because: no database file 'shop.db?mode=ro'"
    said "hint: options need a URL: 'sqlite:FILE?mode=ro'"
}

@test "a path that is longer than SQLite takes is said to be" {
    local deep
    deep=$(printf 'x%.0s' {1..200})
    mkdir -p "$deep/$deep/$deep"
    cp shop.db "$deep/$deep/$deep"
    run -3 --separate-stderr backout run --db "$deep/$deep/$deep/shop.db" damage.sql
    said "because: the path of the database has "
    said "and SQLite opens none of 512 or more"
}

@test "the limit of a file's size is an error of the point, and not the end of the program" {
    fill_shop
    sqlite3 shop.db .dump >was
    run -1 --separate-stderr bash -c 'ulimit -f 400; backout run --db shop.db big.sql'
    said "the change was not begun"
    said "File too large"
    diff was <(sqlite3 shop.db .dump)
    run -0 --separate-stderr backout run --db shop.db big.sql
}

@test "a full disk: the point is not taken, the change not begun, no part of a file stays" {
    fill_shop
    sqlite3 shop.db .dump >was
    small_disk disk 600k
    run -1 --separate-stderr backout run --db shop.db --repository "$PWD/disk" big.sql
    said "nothing was changed: the point could not be taken"
    said "no room in the repository '$PWD/disk'"
    said "backout prune"
    [ -z "$(find disk -type f)" ]
    no_point
    sqlite3 shop.db .dump | cmp - was
}

@test "a disk that is full during a rollback: nothing is changed, and with room it goes on" {
    fill_shop
    sqlite3 shop.db .dump >was
    small_disk disk 1900k
    backout -q run --db shop.db --repository "$PWD/disk" big.sql
    sqlite3 shop.db .dump >damaged
    run -1 --separate-stderr backout execute latest --yes --repository "$PWD/disk"
    said "cannot roll back to 'rb_big_"
    said "because: the rollback changed nothing"
    said "hint: "
    sqlite3 shop.db .dump | cmp - damaged
    [ "$(find disk -type f | wc -l)" = 2 ]
    mount -o remount,size=20m disk
    run -0 --separate-stderr backout execute latest --yes --repository "$PWD/disk"
    sqlite3 shop.db .dump | cmp - was
}

@test "a snapshot file that is gone is named, exit 3; check finds it, exit 4" {
    damage
    local damaged kind
    damaged=$(rows)
    for kind in snapshot change; do
        mv ".backout/repository/$id.$kind" kept
        run -3 --separate-stderr backout execute "$id" --yes
        said "because: cannot use '$id.$kind'"
        said "No such file or directory"
        if [ "$kind" = snapshot ]; then
            said "hint: backout execute $id --type partial"
        else
            said "hint: bring the file back from a copy of the repository"
        fi
        [ "$(rows)" = "$damaged" ]
        run -4 --separate-stderr backout check "$id"
        mv kept ".backout/repository/$id.$kind"
    done
    run -0 --separate-stderr backout execute "$id" --yes
    unchanged
}

@test "another bit in a file is found, exit 3; check finds it, exit 4" {
    damage
    local damaged kind
    damaged=$(rows)
    for kind in snapshot change; do
        flip ".backout/repository/$id.$kind"
        run -3 --separate-stderr backout execute "$id" --yes
        said "because: cannot use '$id.$kind'"
        if [ "$kind" = snapshot ]; then
            said "hint: backout execute $id --type partial; backout check $id says what is still whole"
        else
            said "hint: see what is still whole with: backout check $id"
        fi
        [ "$(rows)" = "$damaged" ]
        run -4 --separate-stderr backout check "$id"
        flip ".backout/repository/$id.$kind"
    done
    run -0 --separate-stderr backout execute "$id" --yes
    unchanged
}

# damage_rows FILE: the middle of its first rows; header and index stay as they are.
damage_rows() {
    local at
    at=$(LC_ALL=C grep -obUaPm1 '\x28\xb5\x2f\xfd' "$1" | head -1 | cut -d: -f1)
    printf 'damage' | dd of="$1" bs=1 seek=$((at + 20)) conv=notrunc status=none
}

@test "of a file with a damaged table the others are restored; the hint says how" {
    local file damaged
    # one connection reads the tables in their order: customers come first
    printf 'databases:\n  shop: {url: "sqlite:shop.db", workers: 1}\n' >>backout.yaml
    id=$(backout -q point create --db shop --output json | jq -r .id)
    sqlite3 shop.db 'DELETE FROM items'
    damaged=$(rows)
    file=".backout/repository/$id.snapshot"
    damage_rows "$file"
    cp "$file" copy.snapshot
    run -4 --separate-stderr backout check "$id"
    [[ $output == *"whole: items, orders; readable in part: customers "* ]]
    run -3 --separate-stderr backout restore "$id" --db shop --yes
    said "because: cannot use '$id.snapshot'"
    said "because: cannot read table 'customers'"
    said "hint: backout check $id says which tables are whole: backout restore $id --db DB --tables TABLE"
    run -3 --separate-stderr backout restore copy.snapshot --db shop --yes
    said "because: cannot use 'copy.snapshot'"
    said "because: cannot read table 'customers'"
    said "hint: other tables of it may be whole: name them with --tables; or bring the file again"
    [ "$(rows)" = "$damaged" ]
    run -0 --separate-stderr backout restore "$id" --db shop --tables items --yes
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM items')" != 0 ]
    truncate -s -1 copy.snapshot
    run -3 --separate-stderr backout restore copy.snapshot --db shop --yes
    said "hint: bring the file again from where it was written"
}

@test "what a damaged file still gives is exported, exit 4; what is missing is told" {
    sqlite3 shop.db 'CREATE TABLE big (id INTEGER PRIMARY KEY, v TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
        INSERT INTO big SELECT i, hex(randomblob(40)) FROM n'
    id=$(backout -q point create --db shop.db --tables big --output json | jq -r .id)
    run -0 --separate-stderr backout -q export "$id" --which readable
    [ "${#lines[@]}" = 60000 ]
    [ "$stderr" = "" ]
    damage_rows ".backout/repository/$id.snapshot"
    run -4 --separate-stderr backout -q export "$id" --which readable --output-file rows.csv --format csv
    local left
    left=$(grep -c '^big,' rows.csv)
    [ "$left" -gt 20000 ] && [ "$left" -lt 60000 ]
    said "backout: rows of '$id' are missing: they cannot be read"
    said "because: table 'big': $((60000 - left)) of 60000 rows"
    run -4 --separate-stderr backout -q export "$id" --which readable --output json
    [ "$(jq '.tables[0].rows | length' <<<"$output")" = "$left" ]
    said "backout: rows of '$id' are missing"
    run -4 --separate-stderr backout export "$id" --which readable --output-file rows.json --output json
    [ "$(jq -r '.file, .error.status' <<<"$output")" = $'rows.json\nmismatch' ]
}

# number FILE AT SIZE: of that many bytes, the first the highest.
number() {
    printf '%d' "0x$(od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n')"
}

@test "a file of a later format is told from a damaged one: exit 3, and the hint says what reads it" {
    local file=later.snapshot size header at index root
    id=$(backout -q point create --db shop.db --output json | jq -r .id)
    cp ".backout/repository/$id.snapshot" $file
    printf '\002' | dd of=$file bs=1 seek=17 conv=notrunc status=none # the version
    size=$(stat -c %s $file)
    header=$((8 + $(od -An -tu4 --endian=little -j 4 -N 4 $file)))
    at=$(number $file $((size - 56)) 8)
    index=$(number $file $((size - 48)) 8)
    root=$({ head -c $header $file && tail -c +$((at + 1)) $file | head -c "$index"; } | b2sum -l 256)
    # shellcheck disable=SC2059 # the format is the bytes
    printf "$(sed 's/../\\x&/g' <<<"${root%% *}")" |
        dd of=$file bs=1 seek=$((size - 40)) conv=notrunc status=none
    run -3 --separate-stderr backout restore $file --db shop.db --yes
    said "because: the pack has format 2; this version reads up to format 1"
    said "hint: it was written by a later version of backout, which reads it"
    unchanged
}

@test "an end that is cut off is found, exit 3" {
    damage
    local damaged
    damaged=$(rows)
    truncate -s -1 ".backout/repository/$id.snapshot"
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: cannot use '$id.snapshot'"
    : >".backout/repository/$id.snapshot"
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: cannot use '$id.snapshot'"
    [ "$(rows)" = "$damaged" ]
}

@test "a file that was put in the place of another is found, exit 3" {
    damage
    backout -q point create --db shop.db
    cp .backout/repository/rb_manual_*.snapshot ".backout/repository/$id.snapshot"
    local damaged
    damaged=$(rows)
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: cannot use '$id.snapshot'"
    [ "$(rows)" = "$damaged" ]
}

@test "an encrypted point needs its own key: exit 3, and the hint says where it goes" {
    head -c 32 /dev/urandom >key
    head -c 32 /dev/urandom >other
    chmod 600 key other
    export BACKOUT_KEY_FILE=key
    damage
    local damaged
    damaged=$(rows)
    BACKOUT_KEY_FILE='' run -3 --separate-stderr backout execute "$id" --yes
    said "because: it is encrypted, and no key was given"
    said "hint: name the key: BACKOUT_KEY_FILE"
    BACKOUT_KEY_FILE=other run -3 --separate-stderr backout execute "$id" --yes
    said "because: the key does not open it"
    said "hint: it is of another key or passphrase: look at what BACKOUT_KEY_FILE"
    echo horse >words
    chmod 600 words
    BACKOUT_PASSPHRASE_FILE=words run -2 --separate-stderr backout execute "$id" --yes
    said "BACKOUT_KEY_FILE and BACKOUT_PASSPHRASE_FILE exclude each other"
    BACKOUT_KEY_FILE=damage.sql run -2 --separate-stderr backout execute "$id" --yes
    said "the key in 'damage.sql' is neither 32 bytes nor 64 hex digits"
    [ "$(rows)" = "$damaged" ]
    run -0 --separate-stderr backout execute "$id" --yes
    unchanged
}

@test "a catalog or a repository that others may write to is not used, exit 3" {
    damage
    local damaged
    damaged=$(rows)
    chmod 777 .backout/repository
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: others may write to the folder '$PWD/.backout/repository'"
    said "hint: chmod go-w"
    chmod 700 .backout/repository
    chmod 666 .backout/catalog.db
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: others may write to '$PWD/.backout/catalog.db': chmod 600 makes it ours"
    chmod 600 .backout/catalog.db
    [ "$(rows)" = "$damaged" ]
    run -0 --separate-stderr backout execute "$id" --yes
    unchanged
}

@test "a catalog that is gone is not replaced by an empty one; a file restores without it" {
    damage
    local damaged
    damaged=$(rows)
    rm .backout/catalog.db*
    run -3 --separate-stderr backout list
    [ "${stderr_lines[0]}" = "backout: the catalog '$PWD/.backout/catalog.db' is gone" ]
    [ "${stderr_lines[1]}" = "  because: the repository beside it still has 2 files" ]
    said "hint: bring the catalog back from a copy"
    [ ! -e .backout/catalog.db ]
    run -3 --separate-stderr backout execute "$id" --yes
    [ "$(rows)" = "$damaged" ]
    (umask 077 && : >.backout/catalog.db)
    run -3 --separate-stderr backout point create --db shop.db
    [ "${stderr_lines[0]}" = "backout: the catalog '$PWD/.backout/catalog.db' is an empty file" ]
    [ ! -s .backout/catalog.db ]
    run -0 --separate-stderr backout restore ".backout/repository/$id.snapshot" --db shop.db --yes
    unchanged
}

@test "an older copy of the catalog does not replace what is known of the change" {
    local made
    made=$(backout -q point create --db shop.db --migration older | sed 's/ .*//')
    mkdir older
    cp .backout/catalog.db* older
    sqlite3 shop.db "UPDATE customers SET name = 'changed' WHERE id = 1"
    backout -q point seal "$made"
    cp ".backout/repository/$made.change" known
    sqlite3 shop.db "UPDATE customers SET name = 'Eve' WHERE id = 2"
    mkdir newer
    mv .backout/catalog.db* newer
    cp older/* .backout
    backout point seal "$made" && false # nor does it the second time
    run -3 --separate-stderr backout point seal "$made"
    said "because: '$made.change' is of a seal that this catalog does not know: it is older than its repository"
    cmp known ".backout/repository/$made.change"
    rm .backout/catalog.db*
    cp newer/* .backout
    run -0 --separate-stderr backout execute "$made" --type partial --yes
    [ "$(sqlite3 shop.db 'SELECT group_concat(name) FROM customers')" = Ann,Eve,Cy ]
}

@test "a damaged catalog exits 3 and says so" {
    damage
    local damaged
    damaged=$(rows)
    sqlite3 .backout/catalog.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
    cp .backout/catalog.db kept
    printf 'this is no catalog, and it never was' | dd of=.backout/catalog.db conv=notrunc status=none
    run -3 --separate-stderr backout execute "$id" --yes
    said "cannot open the catalog"
    said "because: the file is not a SQLite database"
    head -c 65536 /dev/urandom | dd of=.backout/catalog.db bs=4096 seek=1 conv=notrunc status=none
    head -c 4096 kept | dd of=.backout/catalog.db bs=4096 conv=notrunc status=none
    run -3 --separate-stderr backout execute "$id" --yes
    said "the database file is damaged"
    [ "$(rows)" = "$damaged" ]
    cp kept .backout/catalog.db
    run -0 --separate-stderr backout execute "$id" --yes
    unchanged
}

@test "a database of other tables is made no catalog, and a catalog is no database to work on: exit 3" {
    sqlite3 shop.db .dump >was
    run -3 --separate-stderr backout --catalog shop.db point create --db shop.db
    said "cannot open the catalog 'sqlite:$PWD/shop.db'"
    said "because: it is a database with tables of its own, and no catalog"
    said "hint: give --catalog a file of its own"
    sqlite3 shop.db .dump | cmp - was
    [ "$(sqlite3 shop.db 'PRAGMA journal_mode')" = delete ]
    run -3 --separate-stderr backout point create --db .backout/catalog.db
    said "because: there is no table to take a point of"
}

@test "a catalog of a later version exits 3 and is left alone" {
    damage
    sqlite3 .backout/catalog.db "UPDATE backout_meta SET value = 9 WHERE key = 'schema_version'"
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: it was written by a later version of backout (schema 9, this one knows 1)"
    [ "$(sqlite3 .backout/catalog.db "SELECT value FROM backout_meta WHERE key = 'schema_version'")" = 9 ]
}

@test "a catalog that another program keeps locked exits 3" {
    damage
    local damaged
    damaged=$(rows)
    sqlite3 .backout/catalog.db 'BEGIN IMMEDIATE' \
        '.shell touch held; while [ -e held ]; do sleep 0.1; done' &
    local pid=$!
    eventually test -e held
    echo 'lock_timeout: 500ms' >>backout.yaml
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: another backout process is writing to the catalog"
    said "because: it is held by process $pid (sqlite3) of $(id -un), running since "
    said "hint: wait for the other work to end, then try again"
    rm held
    ended "$pid"
    [ "$(rows)" = "$damaged" ]
}

@test "what is asked for with bytes that are not UTF-8 is in the audit log, escaped" {
    damage
    local odd=$'odd\xff'
    run -3 --separate-stderr backout restore "$odd" --db shop.db --yes
    [[ $stderr != *"audit log"* ]]
    run -3 --separate-stderr backout execute "$id" --tables "$odd" --yes
    [[ $stderr != *"audit log"* ]]
    run -3 --separate-stderr backout backup "$odd" --db shop.db
    [[ $stderr != *"audit log"* ]]
    run -0 --separate-stderr backout audit --limit 10 --output json
    [ "$(jq -r '[.[] | select(.outcome == "refused" and (.details | tostring | contains("odd\\\\xff")))] | length' \
        <<<"$output")" = 3 ]
    run -2 --separate-stderr backout point create --db shop.db --where "orders: status = '$odd'"
    [ "${stderr_lines[0]}" = "backout: --where is not UTF-8: 'orders: status = 'odd\\xff''" ]
    run -2 --separate-stderr backout point create --db shop.db --entity "a=$odd"
    run -0 backout audit --verify
}
