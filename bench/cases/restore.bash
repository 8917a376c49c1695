# SPDX-License-Identifier: Apache-2.0
# bench/cases/restore.bash - the whole table comes back: dropped, or a fifth of it changed.

# Each is measured on a database of its own; the dump is that of the first round.
measure_restore() {
    local id
    fresh_database
    [ -e "$WORK/orders.dump" ] || pg_dump -Fc -t orders -f "$WORK/orders.dump"
    new_catalog
    backout point create --db "$URL" --tables orders
    id=$(answer .id)

    sql "DROP TABLE orders"
    timed_backout restore/missing restore "$id" --db "$URL" --yes
    sql "DROP TABLE orders"
    timed restore/missing/pg_restore pg_restore -j 2 -d orders "$WORK/orders.dump"

    fresh_database
    sql "$(change_sql orders "$ROWS" $((ROWS / 5)))"
    timed_backout restore/changed restore "$id" --db "$URL" --yes
    fresh_database
    sql "$(change_sql orders "$ROWS" $((ROWS / 5)))"
    timed restore/changed/pg_restore pg_restore -j 2 --clean -d orders "$WORK/orders.dump"
}

compare_restore() {
    rm "$WORK/orders.dump"
    row "restore, the table is gone" restore/missing \
        "pg_restore -j2" restore/missing/pg_restore 0.7
    row "restore, a fifth of the table is changed" restore/changed \
        "pg_restore -j2 --clean" restore/changed/pg_restore
}
