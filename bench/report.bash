# SPDX-License-Identifier: Apache-2.0
# bench/report.bash - samples and rows become results; results, the record; the record, a page.

# In the order of the page.
ALL_CASES="point restore rollback undo journal capture verify mariadb sqlite sqlite_undo growth"

thousands() { # 1234567 -> 1,234,567
    sed ':again; s/\B[0-9]\{3\}\>/,&/; t again' <<<"$1"
}

machine() {
    jq -n --arg processor "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" \
        --argjson cores "$(nproc)" \
        --argjson memory_gib "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" \
        --arg kernel "$(uname -sr)" '$ARGS.named'
}

# Of backout and of what it is measured beside, as far as it is installed.
versions() {
    local peers=(pgcopydb postgresql-comparator mydumper percona-toolkit)
    {
        echo "backout $("$PROGRAM" --version | awk 'NR == 1 { print $2 }')"
        echo "PostgreSQL $(psql --version | awk '{ print $3 }')"
        echo "MariaDB $(mariadb --version | sed 's/.*Distrib \([0-9.]*\).*/\1/')"
        echo "SQLite $(sqlite3 --version | awk '{ print $1 }')"
        # shellcheck disable=SC2016 # dpkg-query expands it
        dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' "${peers[@]}" 2>/dev/null |
            sed -n 's/^installed //p' || true
    } | jq -nR '[inputs | split(" ") | {(.[0]): .[1]}] | add'
}

# The comment at the top of a case says what it is.
about() { # CASE
    sed -n '2,/^$/ s/^# //p' "$BENCH/cases/$1.bash" | tr '\n' ' ' | sed 's/^[^ ]* - //; s/ $//'
}

recorded() {
    [ -e "$RECORD" ] && cat "$RECORD" || echo '{"machine": null, "cases": {}}'
}

# add_result CASE: $WORK/result.CASE.json, of its samples and rows; and what is worse than recorded.
add_result() {
    jq -n --arg case "$1" --arg about "$(about "$1")" --argjson machine "$(machine)" \
        --argjson versions "$(versions)" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        --argjson rows "$ROWS" --argjson runs "$RUNS" --slurpfile samples "$WORK/samples" \
        --slurpfile declared "$WORK/rows" --slurpfile left_out "$WORK/left_out" \
        -f "$BENCH/result.jq" >"$WORK/result.$1.json"
    recorded | jq -r --slurpfile new "$WORK/result.$1.json" -f "$BENCH/worse.jq" >>"$WORK/worse"
}

# Nothing is compared with a record of another machine, and a new one takes its place.
warn_of_other_machine() {
    local kind='[.processor, .cores, .memory_gib]'
    [ ! -e "$RECORD" ] || [ "$(machine | jq -c "$kind")" = "$(jq -c ".machine | $kind" "$RECORD")" ] ||
        say "$RECORD is of another machine: nothing is compared with it$1"
}

# record CASE: into the record, in the place of what it had of this case.  A record of another machine
# begins anew.
record() {
    recorded | jq -r --slurpfile new "$WORK/result.$1.json" -f "$BENCH/record.jq" >"$WORK/record"
    cp "$WORK/record" "$RECORD"
}

write_page() {
    mkdir -p "$DOCS/images"
    write_plots
    jq -r -L "$BENCH" --arg order "$ALL_CASES" --arg plots "$(plots)" \
        -f "$BENCH/page.jq" "$RECORD" >"$DOCS/benchmarks.md"
}

# What was measured now, and what is worse than it was.
show_results() { # CASE...
    local case
    for case in "$@"; do
        jq -r -L "$BENCH" 'include "table"; section, ""' "$WORK/result.$case.json"
    done
    if [ -s "$WORK/worse" ]; then
        printf '\nworse than recorded by more than 15 %%:\n'
        cat "$WORK/worse"
    fi
}
