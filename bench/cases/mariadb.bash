# SPDX-License-Identifier: Apache-2.0
# bench/cases/mariadb.bash - a point of a table in MariaDB, beside dumps and one unbuffered `SELECT *`, thrown
# away; and comparing the table with it. pt-table-sync and pt-table-checksum compare the table with a copy on the
# same server. By default they combine the CRC32 of the rows of a chunk with `BIT_XOR`: rows that were changed
# alike cancel each other out. What each finds is counted after 1,000 rows have changed in different ways, and
# after 1,000 have changed from 'sent' to 'paid'.

measure_mariadb() {
    local id
    [ "$ROUND" -gt 1 ] || prepare_mariadb
    new_catalog
    timed_point mariadb/point --db "$MARIADB_URL" --tables orders
    timed mariadb/select "$TOOLS/select_out" "$MARIADB_SOCKET" orders orders
    dumps_of_mariadb
    timed_backout mariadb/match verify "$id"

    change_mariadb "$(change_sql orders "$ROWS" 1000)"
    compare_in_mariadb mariadb/differs
    take_back_in_mariadb
    [ "$ROUND" -eq 1 ] || return 0 # what is counted is the same in each round
    change_mariadb "$(change_alike orders "$ROWS" 1000)"
    compare_in_mariadb mariadb/alike
    take_back_in_mariadb
}

take_back_in_mariadb() {
    change_mariadb "$(change_back orders before_change.orders "$ROWS" 1000)"
}

# Rows that are only looked at are not locked.
change_mariadb() { # STATEMENTS
    mariadb_sql orders -e "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; $1"
}

prepare_mariadb() {
    start_mariadb
    make_mariadb
}

dumps_of_mariadb() {
    local as_root=(--no-defaults --socket="$MARIADB_SOCKET" --user=root)
    timed mariadb/dump mariadb-dump "${as_root[@]}" --single-transaction \
        --result-file="$WORK/dump" orders orders
    on_disk mariadb/dump "$WORK/dump"
    rm "$WORK/dump"
    peer mydumper || return 0
    timed mariadb/mydumper mydumper "${as_root[@]:1}" --database orders --tables-list orders \
        --threads 2 --rows 100000 --compress --verbose 1 --outputdir "$WORK/dump"
    on_disk mariadb/mydumper "$WORK/dump"
    rm -r "$WORK/dump"
}

compare_in_mariadb() { # NAME
    local socket="S=$MARIADB_SOCKET,u=root"
    timed_differences "$1" "$id"
    peer pt-table-sync percona-toolkit || return 0
    timed_as "0 2" "$1/sync" pt-table-sync --print --no-version-check --no-check-slave --no-bin-log \
        "$socket,D=orders,t=orders" "$socket,D=before_change,t=orders"
    found "$1/sync" "$(grep -c . "$WORK/out" || true)"
    timed "$1/checksum" pt-table-checksum "$socket" --no-version-check --no-check-binlog-format \
        --no-check-replication-filters --recursion-method none --databases orders,before_change \
        --tables orders --chunk-time 0 --chunk-size $((ROWS / 250)) --quiet
    found "$1/checksum" "$(mariadb_sql percona -e "$(rows_of_differing_chunks)")"
}

# pt-table-checksum names chunks: how many of the changed rows lie in those it found to differ.
rows_of_differing_chunks() {
    cat <<END
CREATE TEMPORARY TABLE changed AS SELECT o.id FROM orders.orders o
    JOIN before_change.orders b ON b.id = o.id WHERE b.status <> o.status;
SELECT count(*) FROM changed JOIN checksums c ON id BETWEEN c.lower_boundary + 0 AND c.upper_boundary + 0
    JOIN checksums b ON b.chunk = c.chunk AND b.db = 'before_change'
    WHERE c.db = 'orders' AND (c.this_crc <> b.this_crc OR c.this_cnt <> b.this_cnt);
END
}

compare_mariadb() {
    local limit="one \`SELECT *\`, thrown away" what="verify, 1,000 rows differ"
    local sync="\`pt-table-sync --print\`" checksum="\`pt-table-checksum\` of both tables"
    row "point of the table" mariadb/point "$limit" mariadb/select
    row "point of the table" mariadb/point "\`mariadb-dump\`" mariadb/dump
    row "point of the table" mariadb/point "\`mydumper\`, 2 threads, compressed" mariadb/mydumper
    row "verify, equal" mariadb/match "$limit" mariadb/select
    row "$what" mariadb/differs "$limit" mariadb/select
    row "$what" mariadb/differs "$sync" mariadb/differs/sync 0.125
    row "$what" mariadb/differs "$checksum" mariadb/differs/checksum
    row_found "differences found, of 1,000" mariadb/differs "$sync" mariadb/differs/sync
    what="differences found, of 1,000 changed alike"
    row_found "$what" mariadb/alike "$sync" mariadb/alike/sync
    row_found "$what" mariadb/alike "$checksum" mariadb/alike/checksum
}
