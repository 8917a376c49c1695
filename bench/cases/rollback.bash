# SPDX-License-Identifier: Apache-2.0
# bench/cases/rollback.bash - 1,000 rows of the table change; the point is sealed, and they come back, with
# proof. The limit is to read both sides once: decompressing the point, and one `COPY`.

measure_rollback() {
    local id change
    change=$(change_sql orders "$ROWS" 1000)
    fresh_database
    [ "$ROUND" -gt 1 ] || pg_dump -Fc -t orders -f "$WORK/orders.dump"
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
    sql "CREATE TABLE before AS TABLE orders" "ALTER TABLE before ADD PRIMARY KEY (id)" \
        "ANALYZE before" "$change"
    timed rollback/by-hand psql -X -q -v ON_ERROR_STOP=1 -c "$(by_hand orders before)"
    timed rollback/pg_restore pg_restore -j 2 --clean -d orders "$WORK/orders.dump"
}

compare_rollback() {
    local both="reading point and table once" hand="SQL by hand, from a copy"
    local dump="\`pg_restore -j2 --clean\`"
    rm "$WORK/orders.dump"
    row "seal after 1,000 changed rows" rollback/seal "$both" rollback/read
    row "partial rollback of 1,000 rows" rollback/partial "$both" rollback/read
    row "partial rollback of 1,000 rows" rollback/partial "$hand" rollback/by-hand
    row "partial rollback of 1,000 rows" rollback/partial "$dump" rollback/pg_restore
    row "full rollback of 1,000 rows" rollback/full "$both" rollback/read 1.2
    row "full rollback of 1,000 rows" rollback/full "$hand" rollback/by-hand
    row "full rollback of 1,000 rows" rollback/full "$dump" rollback/pg_restore
}
