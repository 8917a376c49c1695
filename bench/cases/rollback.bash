# SPDX-License-Identifier: Apache-2.0
# bench/cases/rollback.bash - 1,000 rows of the table change and come back, with proof.

measure_rollback() {
    local id change
    change=$(change_sql orders "$ROWS" 1000)
    fresh_database
    new_catalog
    backout point create --db "$URL" --tables orders
    id=$(answer .id)
    sql "$change"
    timed_backout rollback/seal point seal "$id"
    timed_backout rollback/partial execute "$id" --type partial --yes
    sql "$change"
    timed_backout rollback/full execute "$id" --type full --discard-later --yes
    # shellcheck disable=SC2016 # the inner shell expands it
    timed rollback/read sh -c 'zstd -q -dc "$1" >/dev/null && "$2" "$3" orders' sh \
        "$WORK/catalog/.backout/repository/$id.snapshot" "$TOOLS/copy_out" "$URL"
}

compare_rollback() {
    local both="reading point and table once"
    row "seal after 1,000 changed rows" rollback/seal "$both" rollback/read
    row "partial rollback of 1,000 rows" rollback/partial "$both" rollback/read
    row "full rollback of 1,000 rows" rollback/full "$both" rollback/read 1.2
}
