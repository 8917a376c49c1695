# SPDX-License-Identifier: Apache-2.0
# bench/cases/point.bash - taking a point: two connections, compressed, checksummed, on disk.

measure_point() {
    [ "$ROUND" -gt 1 ] || fresh_database
    new_catalog
    timed_backout point/backout point create --db "$URL" --tables orders
    timed point/copy "$TOOLS/copy_out" "$URL" orders
    timed point/pg_dump pg_dump -Fc -t orders -f "$WORK/orders.dump"
    rm "$WORK/orders.dump"
}

compare_point() {
    row "point of the table" point/backout "one COPY, thrown away" point/copy 0.95
    row "point of the table" point/backout "pg_dump -Fc" point/pg_dump
}
