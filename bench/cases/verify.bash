# SPDX-License-Identifier: Apache-2.0
# bench/cases/verify.bash - the table is compared with its point: equal, and with 1,000 differences.

measure_verify() {
    local id
    fresh_database
    new_catalog
    backout point create --db "$URL" --tables orders
    id=$(answer .id)
    timed_backout verify/match verify "$id"
    # shellcheck disable=SC2016 # the inner shell expands it
    timed verify/copy sh -c '"$1" "$2" orders && "$1" "$2" orders' sh "$TOOLS/copy_out" "$URL"
    sql "$(change_sql orders "$ROWS" 1000)"
    timed_as 4 verify/differs "$PROGRAM" --output json --quiet verify "$id"
}

compare_verify() {
    row "verify, equal" verify/match "two COPY, thrown away" verify/copy 0.6
    row "verify, 1,000 rows differ" verify/differs "two COPY, thrown away" verify/copy
}
