# SPDX-License-Identifier: Apache-2.0
# bench/cases/point.bash - taking a point of a table in PostgreSQL: compressed, checksummed, on disk, read
# back and verified. Beside it: one `COPY` through libpq, thrown away, which is what reading costs; dumps; a copy
# of the table in another database.

measure_point() {
    [ "$ROUND" -gt 1 ] || {
        fresh_database
        drop_smaller_tables
    }
    new_catalog
    timed_point point/backout --db "$URL" --tables orders
    timed point/copy "$TOOLS/copy_out" "$URL" orders
    timed point/pg_dump-Fc pg_dump -Fc -t orders -f "$WORK/dump"
    on_disk point/pg_dump-Fc "$WORK/dump"
    rm "$WORK/dump"
    timed point/pg_dump-Fd pg_dump -Fd -j 2 -t orders -f "$WORK/dump"
    on_disk point/pg_dump-Fd "$WORK/dump"
    rm -r "$WORK/dump"
    ! peer pgcopydb || clone
}

clone() {
    PGDATABASE=postgres sql "DROP DATABASE IF EXISTS clone" "CREATE DATABASE clone"
    timed point/pgcopydb pgcopydb clone --source "$URL" --target "${URL/orders/clone}" \
        --dir "$WORK/pgcopydb" --table-jobs 2 --index-jobs 2
    rm -r "$WORK/pgcopydb"
    PGDATABASE=postgres sql "DROP DATABASE clone"
}

compare_point() {
    row "point of the table" point/backout "one \`COPY\`, thrown away" point/copy 1.05
    row "point of the table" point/backout "\`pg_dump -Fc\`" point/pg_dump-Fc 0.143
    row "point of the table" point/backout "\`pg_dump -Fd -j2\`" point/pg_dump-Fd
    row "point of the table" point/backout "\`pgcopydb clone\`, 2 jobs" point/pgcopydb
}
