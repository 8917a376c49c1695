# SPDX-License-Identifier: Apache-2.0
# tests/cli/looking.bats - commands that only look: where there is no catalog they make none.

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
    [[ ${lines[0]} == "backup rollback to saved.snapshot: planned"* ]]
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
