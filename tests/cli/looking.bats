# SPDX-License-Identifier: Apache-2.0
# tests/cli/looking.bats - commands that only look: where there is no catalog they make none, and one
# that cannot be written they read.

load ../support/bats/common
load trouble
load shop
setup() {
    common_setup
    make_shop
    # shellcheck disable=SC2034 # for unchanged
    before=$(rows)
    mkdir "$BATS_TEST_TMPDIR/scratch"
    export TMPDIR=$BATS_TEST_TMPDIR/scratch
}
teardown() {
    unmount
    chmod -R u+w . # what a test that failed has left frozen
    common_teardown
}

# alone: in a folder with shop.db, its damage.sql and saved.snapshot of it, and no catalog here or above.
alone() {
    mkdir ../alone
    backout -q backup customers orders items --db shop.db
    cp .backout/repository/*.snapshot ../alone/saved.snapshot
    cp shop.db damage.sql ../alone
    cd ../alone || return
}

# left_nothing: all that is in this folder was there when `alone` ended, and nothing is in TMPDIR.
left_nothing() {
    [ "$(ls -A)" = $'damage.sql\nsaved.snapshot\nshop.db' ]
    [ -z "$(ls -A "$TMPDIR")" ]
    unchanged
}

@test "doctor without a catalog examines the database, says that there is none, and makes none" {
    alone
    local catalog
    for catalog in "" "--catalog typo/c.db" "--catalog shop.db"; do
        # shellcheck disable=SC2086 # two words
        run -0 --separate-stderr backout doctor --db shop.db $catalog
        [[ $output == *"customers  covered "* ]]
        [[ $output == *"note: there is no catalog yet"*"next: backout init"*"result: clean" ]]
        left_nothing
    done
    run -0 --separate-stderr backout doctor --output json
    [ "$(jq -c '.result, (.findings | map(.kind)), .tables' <<<"$output")" = $'"clean"\n["no-catalog"]\n[]' ]
    left_nothing
    backout -q init
    run -0 --separate-stderr backout doctor --db shop.db --output json
    [ "$(jq -c .findings <<<"$output")" = '[]' ]
}

@test "doctor without a catalog reads the configuration all the same, and says when the catalog is gone" {
    alone
    printf 'databases:\n  shop: {urll: x}\n' >backout.yaml
    run -2 --separate-stderr backout doctor
    said "unknown key 'urll'"
    printf 'databases:\n  shop: {url: shop.db}\n' >backout.yaml
    run -0 --separate-stderr backout doctor --output json
    [ "$(jq -c '.tables | map(.name)' <<<"$output")" = '["customers","items","orders"]' ]
    cd ../work
    rm .backout/catalog.db*
    run -3 --separate-stderr backout doctor --db shop.db
    said "the catalog '$PWD/.backout/catalog.db' is gone"
    [ ! -e .backout/catalog.db ]
}

@test "run --dry-run without a catalog shows what would change, and leaves nothing" {
    alone
    local catalog
    for catalog in "" "--catalog typo/c.db" "--catalog shop.db --repository typo"; do
        # shellcheck disable=SC2086 # several words
        run -0 --separate-stderr backout run --db shop.db --dry-run damage.sql $catalog
        [ "${lines[0]}" = "dry run: would insert 1, update 2, delete 2; nothing was changed" ]
        [[ $output != *"rehearse with"* ]]
        [ "$stderr" = "there is no catalog yet: this is not recorded" ]
        left_nothing
    done
    run -0 --separate-stderr backout run --db shop.db --dry-run damage.sql --output json
    [ "$(jq -c '[.id, .status, .change.updated]' <<<"$output")" = '[null,"dry-run",2]' ]
    echo 'UPDATE nowhere SET x = 1' >../bad.sql
    run -1 --separate-stderr backout run --db shop.db --dry-run ../bad.sql
    said "no such table: nowhere"
    left_nothing
}

@test "restore --dry-run FILE without a catalog shows what would come back, and leaves nothing" {
    alone
    run -0 --separate-stderr backout restore saved.snapshot --db shop.db --dry-run
    [[ ${lines[0]} == "restore of saved.snapshot: planned"* ]]
    left_nothing
    run -3 --separate-stderr backout restore rb_backup_1 --db shop.db --dry-run --catalog typo/c.db
    [ "${stderr_lines[0]}" = "there is no catalog yet: this is not recorded" ]
    said "'rb_backup_1' is neither a point nor a file"
    left_nothing
    cd ../work # its catalog is gone: a file can still be looked at
    rm .backout/catalog.db*
    run -0 --separate-stderr backout restore ../alone/saved.snapshot --db shop.db --dry-run
    [ "$(ls -A .backout)" = repository ]
}

@test "run --rollback without a catalog makes none" {
    alone
    run -3 --separate-stderr backout run --rollback damage.sql --db shop.db --catalog typo/c.db
    said "there is no catalog at 'sqlite:$PWD/typo/c.db'"
    run -3 --separate-stderr backout run --rollback rb_damage_1 --dry-run --db shop.db --catalog typo/c.db
    said "there is no catalog at 'sqlite:$PWD/typo/c.db'"
    left_nothing
}

@test "a refusal that no catalog can record says so" {
    alone
    printf 'databases:\n  shop: {url: shop.db, allow: {create: [nobody-here]}}\n' >backout.yaml
    run -3 --separate-stderr backout run --dry-run damage.sql
    said "is not in 'allow: create' of database 'shop'"
    said "(and the audit log could not be written: there is no catalog)"
    rm backout.yaml
    left_nothing
}

@test "without room for what stands in for the catalog: exit 1, and it is said" {
    alone
    TMPDIR=/proc/none run -1 --separate-stderr backout doctor --db shop.db
    said "there is no catalog, and no room for what stands in for it"
    said "cannot make a folder in '/proc/none': No such file or directory"
}

@test "where there is a catalog, a dry run is recorded in it" {
    run -0 --separate-stderr backout run --db shop.db --dry-run damage.sql --output json
    [[ $(jq -r .id <<<"$output") == DRY_RUN_rb_damage_* ]]
    [ "$(backout audit --output json | jq -c 'map(select(.event == "run.dry") | .outcome)')" = '["done"]' ]
    [ -z "$(ls -A "$TMPDIR")" ]
}

# ---- where nothing can be written ----

# plainly COMMAND...: without root's right to write anywhere; what belongs to root is then its own.
plainly() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --bounding-set=-dac_override,-dac_read_search "$@"
    else
        "$@"
    fi
}

# frozen: nothing in .backout can be written any more, by `plainly`.
frozen() {
    chmod -R a-w .backout
    ! plainly test -w .backout 2>/dev/null && plainly true || skip "no way to give up root's rights"
    kept=$(contents)
}

contents() {
    (cd .backout && find . -type f -printf '%P %s %T@\n' | sort && sha256sum catalog.db)
}

# untouched: .backout is as it was when it was frozen, and nothing is in TMPDIR.
untouched() {
    [ "$(contents)" = "$kept" ]
    [ -z "$(ls -A "$TMPDIR")" ]
}

thaw() {
    chmod -R u+w .backout
}

@test "a catalog that cannot be written: what only looks reads it, and says what is not recorded" {
    damage
    frozen
    local command
    for command in list "details $id" audit "audit --verify" check "check --test-restore" \
        "doctor --db shop.db" "prune --keep-last 1 --dry-run" "restore $id --db shop.db --dry-run" \
        "execute $id --dry-run"; do
        # shellcheck disable=SC2086 # several words
        run -0 --separate-stderr plainly backout $command
        [ "$stderr" = "" ]
        untouched
    done
    for command in "assess $id" "script $id" "export $id"; do
        # shellcheck disable=SC2086
        run -0 --separate-stderr plainly backout $command
        [[ $stderr == "backout: warning: the audit log could not be written, because the catalog cannot be: "*"of '$id' (done)" ]]
        untouched
    done
    run -4 --separate-stderr plainly backout verify "$id" --output json
    [ "$(jq -r .result <<<"$output")" = mismatch ]
    said "point.verify of '$id'"
    untouched
    thaw
    backout -q execute "$id" --yes
    frozen
    run -0 --separate-stderr plainly backout verify "$id"
    thaw
    unchanged
}

@test "a catalog that cannot be written is read whatever its path" {
    mkdir 'a %41#b'
    cd 'a %41#b'
    backout -q init
    frozen
    run -0 --separate-stderr plainly backout list --output json
    [ "$output" = "[]" ]
    thaw
}

@test "a catalog that cannot be written: what changes something fails before it does" {
    damage
    local damaged command
    damaged=$(rows)
    frozen
    for command in "execute $id --yes" "run --db shop.db damage.sql" "point create --db shop.db" \
        "point seal $id" "doctor --fix --yes --db shop.db" "prune --keep-last 1 --yes" \
        "run --dry-run --db shop.db damage.sql"; do
        # shellcheck disable=SC2086
        run --separate-stderr plainly backout $command
        [ "$status" = 1 ] || [ "$status" = 3 ]
        said "cannot be written: check the rights"
        [ "$(rows)" = "$damaged" ]
        untouched
    done
    thaw
}

@test "no right to write to the repository: refused with exit 3, whichever folder of it" {
    damage
    local damaged folder
    damaged=$(rows)
    for folder in tmp .; do
        chmod a-w ".backout/repository/$folder"
        ! plainly test -w ".backout/repository/$folder" || skip "no way to give up root's rights"
        run -3 --separate-stderr plainly backout run --db shop.db damage.sql
        said "nothing was changed: the point could not be taken"
        said "Permission denied"
        [ "$(rows)" = "$damaged" ]
        chmod u+w ".backout/repository/$folder"
    done
}

@test "a repository that may not be looked into is no repository without files" {
    damage
    local command
    chmod 000 .backout/repository
    ! plainly test -x .backout/repository || skip "no way to give up root's rights"
    for command in assess verify export script "execute --dry-run"; do
        # shellcheck disable=SC2086 # several words
        run -3 --separate-stderr plainly backout $command "$id"
        said "Permission denied"
        said "/.backout/repository/$id."
        [[ $stderr != *"bring the file back"* && $stderr != *"No such file"* ]]
    done
    run -0 --separate-stderr plainly backout details "$id"
    [[ $output == *"$id.snapshot  0 bytes, cannot be read"* ]]
    [[ $output != *MISSING* ]]
    run -0 --separate-stderr plainly backout details "$id" --output json
    [ "$(jq -c '.files[0] | [.present, .problem]' <<<"$output")" = '[false,"cannot be read"]' ]
    chmod 700 .backout/repository
    rm ".backout/repository/$id.change"
    run -0 backout details "$id"
    [[ $output == *"$id.change  0 bytes, MISSING"* ]]
}

@test "where neither repository nor TMPDIR can be written, TMPDIR is named" {
    damage
    frozen
    chmod a-w "$TMPDIR"
    run -3 --separate-stderr plainly backout execute "$id" --dry-run
    said "hint: set TMPDIR to a folder that can be written"
    TMPDIR=$BATS_TEST_TMPDIR/nowhere run -3 --separate-stderr plainly backout execute "$id" --dry-run
    said "hint: set TMPDIR to a folder that can be written"
    run -0 --separate-stderr plainly backout list
    chmod u+w "$TMPDIR"
    thaw
}

@test "a disk that is read-only: its catalog is read" {
    small_disk disk 2m
    (cd disk && backout -q init)
    export BACKOUT_CATALOG=disk/.backout/catalog.db
    damage
    read_only disk
    run -0 --separate-stderr backout list --output json
    [ "$(jq -r '.[].id' <<<"$output")" = "$id" ]
    run -0 backout audit --verify
    run -0 --separate-stderr backout assess "$id"
    said "rollback.assess of '$id'"
    run -0 backout check
    [ -z "$(ls -A "$TMPDIR")" ]
}

# killed_while_writing: the last write of a point's description is only in the journal.
killed_while_writing() {
    # shellcheck disable=SC2016 # of the shell that sqlite3 starts
    sqlite3 .backout/catalog.db "UPDATE backout_point SET description = 'newer'" \
        '.system kill -9 $PPID' 2>/dev/null || true
    [ -s .backout/catalog.db-wal ]
}

@test "a journal that cannot be brought in is read with the catalog, or the catalog is not read" {
    damage
    killed_while_writing
    frozen
    run -0 --separate-stderr plainly backout list --output json
    [ "$(jq -r '.[].description' <<<"$output")" = newer ]
    thaw
    rm .backout/catalog.db-shm
    frozen
    run -1 --separate-stderr plainly backout list
    said "which only who may write the catalog can read"
    said "hint: copy its folder"
    untouched
    thaw
    cp -r .backout copy
    run -0 --separate-stderr backout --catalog copy/catalog.db list --output json
    [ "$(jq -r '.[].description' <<<"$output")" = newer ]
}

@test "a catalog that cannot be written and is of another version is not read" {
    local version
    for version in 0 99; do
        sqlite3 .backout/catalog.db \
            "UPDATE backout_meta SET value = '$version' WHERE key = 'schema_version'"
        frozen
        run -3 --separate-stderr plainly backout list
        said "cannot open the catalog"
        said "er version of backout"
        untouched
        thaw
    done
    sqlite3 .backout/catalog.db 'DROP TABLE backout_meta'
    frozen
    run -3 --separate-stderr plainly backout list
    said "there is no catalog at"
    thaw
}

@test "the catalog of another user is refused, whoever may read it" {
    [ "$(id -u)" = 0 ] || skip "only root gives files away"
    chown 65534 .backout
    run -3 --separate-stderr backout list
    said "the folder '$PWD/.backout' belongs to another user"
    said "hint: work as its owner"
}
