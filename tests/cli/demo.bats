# SPDX-License-Identifier: Apache-2.0
# tests/cli/demo.bats - the guided tour, and libbackout from C.

load ../support/bats/common
setup() { common_setup; }
teardown() { common_teardown; }

@test "the demo ends with a proved rollback and leaves nothing behind" {
    export TMPDIR=$PWD
    run -0 --separate-stderr backout demo
    [[ $output == *"proof: match"* ]]
    [[ $output == *"Rolled back and proved."* ]]
    [ -z "$(ls -A)" ]
}

@test "the demo takes a TMPDIR of any length, and names one that is not there" {
    local long
    long=$PWD/$(printf 'folder/%.0s' {1..20})
    mkdir -p "$long"
    TMPDIR=$long run -0 --separate-stderr backout demo
    TMPDIR=$PWD/nowhere run -1 --separate-stderr backout demo
    [[ $stderr == *"because: cannot make a folder in '$PWD/nowhere': No such file or directory"* ]]
}

@test "the demo keeps its folder on request and says where" {
    export TMPDIR=$PWD
    run -0 --separate-stderr backout demo --keep --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ -s "$(jq -r .folder <<<"$output")/shop.db" ]
}

@test "the example in C protects a change" {
    local build=${BACKOUT_BIN%/*}
    local library
    library=$(find "$build" -maxdepth 2 -name 'libbackout.so' | head -1)
    "${CC:-cc}" "$BACKOUT_SOURCE/examples/c/protect.c" -I"$BACKOUT_SOURCE/include" \
        "$library" -Wl,-rpath,"$(dirname "$library")" -o protect
    sqlite3 shop.db 'CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (1), (2);'
    run -0 ./protect sqlite:shop.db 'DELETE FROM a WHERE id = 1'
    [[ $output == "done; undo it with: backout execute rb_example_"* ]]
    run -1 ./protect sqlite:shop.db 'DELETE FROM a; SELECT * FROM nowhere'
    [[ $output == *"rolled back, proof: match"* ]]
    [ "$(sqlite3 shop.db 'SELECT id FROM a')" = 2 ]
}
