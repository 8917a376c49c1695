# SPDX-License-Identifier: Apache-2.0
# bench/cases/growth.bash - how the time grows with the rows of a table in PostgreSQL, for a point, verify and
# restore, and with the number of changed rows, for undo: from a snapshot and from a journal.

measure_growth() {
    local size
    start_server
    for size in $(sizes_up_to $((ROWS * 2)) 10000 100000 1000000 5000000 10000000); do
        grow_table "$size"
    done
    fresh_database
    drop_smaller_tables
    for size in $(sizes_up_to $((ROWS / 5)) 100 1000 10000 100000 1000000); do
        grow_change "$size"
    done
}

sizes_up_to() { # MOST SIZE...
    local most=$1 size
    for size in "${@:2}"; do
        [ "$size" -gt "$most" ] || echo "$size"
    done
}

# What is measured on a line of a curve is named curve/FIGURE/LINE/X.
grow_table() { # SIZE
    local dump=$WORK/growing.dump id
    PGDATABASE=postgres sql "SET client_min_messages = warning" "DROP DATABASE IF EXISTS orders" \
        "CREATE DATABASE orders"
    make_table orders "$1"
    sql "VACUUM FREEZE ANALYZE orders"
    new_catalog
    timed_point "curve/point/backout/$1" --db "$URL" --tables orders
    timed "curve/point/one COPY/$1" "$TOOLS/copy_out" "$URL" orders
    timed "curve/point/pg_dump -Fc/$1" pg_dump -Fc -t orders -f "$dump"
    on_disk "curve/point/pg_dump -Fc/$1" "$dump"
    sql "CREATE TABLE before AS TABLE orders" "ALTER TABLE before ADD PRIMARY KEY (id)" \
        "VACUUM ANALYZE before"
    timed_backout "curve/verify/backout/$1" verify "$id"
    timed "curve/verify/two count(*)/$1" psql -X -q -c "SELECT count(*) FROM orders" \
        -c "SELECT count(*) FROM before"
    timed "curve/verify/EXCEPT both ways/$1" psql -X -q -c "TABLE orders EXCEPT TABLE before" \
        -c "TABLE before EXCEPT TABLE orders"
    sql "DROP TABLE before, orders"
    timed_backout "curve/restore/backout/$1" restore "$id" --db "$URL" --yes
    sql "DROP TABLE orders"
    timed "curve/restore/pg_restore -j2/$1" pg_restore -j 2 -d orders "$dump"
    rm "$dump"
}

grow_change() { # COUNT
    local id method undo change
    for method in snapshot capture; do
        case $method in
        snapshot) undo="undo from a snapshot" change="the change" ;;
        capture) undo="undo from a journal" change="the change, captured" ;;
        esac
        new_catalog
        backout point create --db "$URL" --tables orders --method $method
        id=$(answer .id)
        timed "curve/undo/$change/$1" psql -X -q -v ON_ERROR_STOP=1 \
            -c "$(change_sql orders "$ROWS" "$1")"
        backout point seal "$id"
        timed_backout "curve/undo/$undo/$1" execute "$id" --type partial --yes
        [ "$(answer .proof)" = match ] || die "the rollback of $1 rows was not proved"
        [ $method = snapshot ] || backout point release "$id"
        sql "VACUUM orders"
    done
}

compare_growth() {
    local size text
    for size in 10000 100000 1000000 5000000 10000000; do
        text="of $(thousands "$size") rows"
        row "point $text" "curve/point/backout/$size" "one \`COPY\`, thrown away" \
            "curve/point/one COPY/$size"
        row "point $text" "curve/point/backout/$size" "\`pg_dump -Fc\`" "curve/point/pg_dump -Fc/$size"
        row "verify $text" "curve/verify/backout/$size" "\`EXCEPT\` both ways" \
            "curve/verify/EXCEPT both ways/$size"
        row "restore $text" "curve/restore/backout/$size" "\`pg_restore -j2\`" \
            "curve/restore/pg_restore -j2/$size"
    done
    for size in 100 1000 10000 100000 1000000; do
        text="undo of $(thousands "$size") of $(thousands "$ROWS") rows"
        row "$text, from a snapshot" "curve/undo/undo from a snapshot/$size" "the change itself" \
            "curve/undo/the change/$size"
        row "$text, from a journal" "curve/undo/undo from a journal/$size" "the captured change" \
            "curve/undo/the change, captured/$size"
    done
}
