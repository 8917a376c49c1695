# SPDX-License-Identifier: Apache-2.0
# bench/cases/sqlite.bash - a point of a table in a SQLite file in WAL mode, beside `.backup`, which copies the
# file as it is, and `.dump`; and comparing the table with its point, beside sqldiff and `EXCEPT` with a copy.

measure_sqlite() {
    local file=$WORK/orders.db id
    [ -e "$file" ] || {
        say "making $ROWS rows in SQLite"
        make_sqlite "$file"
    }
    new_catalog
    timed_point sqlite/point --db "$file" --tables orders
    timed sqlite/backup sqlite3 "$file" ".backup '$WORK/copy.db'"
    on_disk sqlite/backup "$WORK/copy.db"
    # shellcheck disable=SC2016 # the inner shell expands it
    timed sqlite/dump sh -c 'sqlite3 "$1" .dump >"$2"' sh "$file" "$WORK/dump.sql"
    on_disk sqlite/dump "$WORK/dump.sql"
    rm "$WORK/dump.sql"
    timed_backout sqlite/match verify "$id"

    sqlite3 "$file" "BEGIN; $(change_sql orders "$ROWS" 1000) COMMIT"
    timed_differences sqlite/differs "$id"
    # shellcheck disable=SC2016 # the inner shell expands it
    timed sqlite/count sh -c 'for file; do sqlite3 "$file" "SELECT count(note) FROM orders"; done' sh \
        "$file" "$WORK/copy.db"
    ! peer sqldiff sqlite3-tools || {
        timed sqlite/sqldiff sqldiff --table orders "$WORK/copy.db" "$file"
        found sqlite/sqldiff "$(grep -cE '^(INSERT|UPDATE|DELETE) ' "$WORK/out")"
    }
    timed sqlite/except sqlite3 "$file" "ATTACH '$WORK/copy.db' AS b" \
        "SELECT id FROM (SELECT * FROM main.orders EXCEPT SELECT * FROM b.orders)
            UNION SELECT id FROM (SELECT * FROM b.orders EXCEPT SELECT * FROM main.orders)"
    found sqlite/except "$(wc -l <"$WORK/out")"
    sqlite3 "$file" "ATTACH '$WORK/copy.db' AS b; BEGIN;
        $(change_back main.orders b.orders "$ROWS" 1000) COMMIT; PRAGMA main.wal_checkpoint(TRUNCATE)" \
        >/dev/null
    rm "$WORK/copy.db"
}

compare_sqlite() {
    local what="verify, 1,000 rows differ" found="differences found, of 1,000"
    row "point of the table" sqlite/point "\`.backup\`" sqlite/backup 2
    row "point of the table" sqlite/point "\`.dump\`" sqlite/dump 0.333
    row "verify, equal" sqlite/match "reading both once" sqlite/count
    row "$what" sqlite/differs "reading both once" sqlite/count
    row "$what" sqlite/differs "sqldiff" sqlite/sqldiff
    row "$what" sqlite/differs "\`EXCEPT\` both ways" sqlite/except
    row_found "$found" sqlite/differs "sqldiff" sqlite/sqldiff
    row_found "$found" sqlite/differs "\`EXCEPT\` both ways" sqlite/except
}
