# SPDX-License-Identifier: Apache-2.0
# tests/docs/bench.bats - the benchmarks run, record, compare and write their page; on few rows, so their times
# mean nothing.

bats_require_minimum_version 1.5.0

# The tools of the benchmarks are built for nothing else.  A record of one case is where the tests begin.
setup_file() {
    export BENCH_TOOLS=${BACKOUT_BIN%/*}/bench ROWS=20000 RUNS=1
    ninja -C "${BACKOUT_BIN%/*}" --quiet bench/measure bench/copy_out bench/select_out
    export RECORD=$BATS_FILE_TMPDIR/results.json DOCS=$BATS_FILE_TMPDIR/docs
    bench sqlite_undo
}

setup() {
    cp -r "$BATS_FILE_TMPDIR/results.json" "$BATS_FILE_TMPDIR/docs" "$BATS_TEST_TMPDIR"
    export RECORD=$BATS_TEST_TMPDIR/results.json DOCS=$BATS_TEST_TMPDIR/docs
}

bench() {
    "$BACKOUT_SOURCE/bench/run" "$@" 2>"$BATS_FILE_TMPDIR/err" || {
        local status=$?
        cat "$BATS_FILE_TMPDIR/err"
        return $status
    }
}

of_record() { # JQ-FILTER
    jq -er "$1" "$RECORD"
}

change_record() { # JQ-FILTER
    jq "$1" "$RECORD" >"$RECORD.new"
    mv "$RECORD.new" "$RECORD"
}

@test "a case is measured beside its peers, and takes its place in the record and on the page" {
    change_record '.cases.sqlite = .cases.sqlite_undo'
    RUNS=2 bench sqlite >"$BATS_TEST_TMPDIR/out"
    [ "$(of_record '.cases | to_entries | sort_by(.key)[] | "\(.key) \(.value.rows) \(.value.runs)"')" = \
        $'sqlite 20000 2\nsqlite_undo 20000 1' ]
    of_record '.cases.sqlite.results[] | select(.what == "point of the table" and .peer == "`.backup`")
        | .ratio > 0 and .seconds > 0 and .peak_mib > 1 and .megabytes > 0 and .peer_megabytes > 0'
    of_record '.cases.sqlite.results | map(select(.peer == "`EXCEPT` both ways" and .found))
        | . != [] and all(.found == 1000 and .peer_found == 1000)'
    grep -F '| point of the table | `.dump` |' "$BATS_TEST_TMPDIR/out" "$DOCS/benchmarks.md"
    [ "$(grep -o '`make bench CASES=.*`' "$DOCS/benchmarks.md")" = \
        $'`make bench CASES=sqlite`\n`make bench CASES=sqlite_undo`' ]
}

@test "a ratio that is more than 15 % worse than recorded is named, and the status is 4" {
    change_record '.cases.sqlite_undo.results[].ratio /= 1000'
    cp "$RECORD" "$BATS_TEST_TMPDIR/before"
    run -4 bench --compare sqlite_undo
    [[ "$output" == *"worse than recorded by more than 15 %:"* ]]
    [[ "$output" == *"sqlite_undo: undo of 100 rows, beside the change itself: "* ]]
    cmp "$RECORD" "$BATS_TEST_TMPDIR/before"
}

@test "nothing is compared with a record of another machine" {
    change_record '.cases.sqlite_undo.results[].ratio /= 1000 | .machine.cores += 1'
    run -0 bench --compare sqlite_undo
    [[ "$output" == *"| undo of 100 rows |"* ]]
    [[ "$output" != *"worse than recorded"* ]]
}

@test "the page is written again from the record" {
    mv "$DOCS/benchmarks.md" "$BATS_TEST_TMPDIR/before"
    bench --page
    cmp "$DOCS/benchmarks.md" "$BATS_TEST_TMPDIR/before"
}

@test "a server is started for a case of PostgreSQL, and every difference is found" {
    bench verify
    of_record '.cases.verify.results | map(select(.found)) | . != [] and all(.found == 1000)'
    of_record '.cases.verify.results[] | select(.peer == "`FULL JOIN`" and .ratio) | .ratio > 0'
}
