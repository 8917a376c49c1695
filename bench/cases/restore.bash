# SPDX-License-Identifier: Apache-2.0
# bench/cases/restore.bash - the whole table comes back, dropped or a fifth of it changed, and is proved before
# it is committed; what it replaces is kept. `pg_restore` and SQL by hand prove nothing and keep nothing. The limit
# is to write the rows once, inside the server.

# The dumps are those of the first round.
measure_restore() {
    local id
    fresh_database
    [ "$ROUND" -gt 1 ] || pg_dump -Fc -t orders -f "$WORK/orders.dump"
    [ "$ROUND" -gt 1 ] || pg_dump -Fd -j 2 -t orders -f "$WORK/orders.folder"
    new_catalog
    backout point create --db "$URL" --tables orders
    id=$(answer .id)

    sql "DROP TABLE orders"
    timed_backout restore/missing restore "$id" --db "$URL" --yes
    sql "DROP TABLE orders"
    timed restore/missing/Fc pg_restore -j 2 -d orders "$WORK/orders.dump"
    sql "DROP TABLE orders"
    timed restore/missing/Fd pg_restore -j 2 -d orders "$WORK/orders.folder"

    changed_database
    timed_backout restore/changed restore "$id" --db "$URL" --yes
    changed_database
    timed restore/changed/pg_restore pg_restore -j 2 --clean -d orders "$WORK/orders.dump"
    timed restore/missing/in-server psql -X -q -v ON_ERROR_STOP=1 \
        -c "CREATE TABLE before AS TABLE orders" -c "ALTER TABLE before ADD PRIMARY KEY (id)"
    sql "$(change_sql orders "$ROWS" $((ROWS / 5)))"
    timed restore/changed/by-hand psql -X -q -v ON_ERROR_STOP=1 \
        -c "BEGIN; TRUNCATE orders; INSERT INTO orders TABLE before; COMMIT"
}

changed_database() {
    fresh_database
    sql "$(change_sql orders "$ROWS" $((ROWS / 5)))"
}

compare_restore() {
    rm -r "$WORK/orders.dump" "$WORK/orders.folder"
    row "restore, the table is gone" restore/missing \
        "\`CREATE TABLE AS\` and its key" restore/missing/in-server
    row "restore, the table is gone" restore/missing \
        "\`pg_restore -j2\` of \`-Fc\`" restore/missing/Fc 0.8
    row "restore, the table is gone" restore/missing \
        "\`pg_restore -j2\` of \`-Fd\`" restore/missing/Fd 0.8
    row "restore, a fifth of the table is changed" restore/changed \
        "\`pg_restore -j2 --clean\`" restore/changed/pg_restore
    row "restore, a fifth of the table is changed" restore/changed \
        "\`TRUNCATE\` and \`INSERT\` from a copy" restore/changed/by-hand
}
