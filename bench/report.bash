# SPDX-License-Identifier: Apache-2.0
# bench/report.bash - samples and rows become results.json and the table of results.md.

thousands() { # 1234567 -> 1,234,567
    sed ':again; s/\B[0-9]\{3\}\>/,&/; t again' <<<"$1"
}

machine() {
    jq -n --arg processor "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" \
        --argjson cores "$(nproc)" \
        --argjson memory_mib "$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)" \
        --arg kernel "$(uname -sr)" '$ARGS.named'
}

versions() {
    jq -n --arg backout "$("$PROGRAM" --version | awk 'NR == 1 { print $2 }')" \
        --arg postgresql "$(psql --version | awk '{ print $3 }')" \
        --arg sqlite "$(sqlite3 --version | awk '{ print $1 }')" '$ARGS.named'
}

report() {
    jq -n --argjson machine "$(machine)" --argjson versions "$(versions)" \
        --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --argjson rows "$ROWS" --argjson runs "$RUNS" \
        --slurpfile samples "$WORK/samples" --slurpfile declared "$WORK/rows" \
        -f "$BENCH/report.jq" >"$WORK/results.json"
    jq -r -f "$BENCH/table.jq" "$WORK/results.json" >"$WORK/results.md"
    cp "$WORK/results.json" "$WORK/results.md" "$RESULTS/"
    cat "$WORK/results.md"
}
