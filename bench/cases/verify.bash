# SPDX-License-Identifier: Apache-2.0
# bench/cases/verify.bash - comparing a table in PostgreSQL with its point: equal, and with 1,000 rows of it changed. The peers compare the table with a copy of it on the same server.
# Found is what `EXCEPT`, a `FULL JOIN`, pg_comparator and backout name of 1,000 rows; in the last row pairs of
# neighbours were changed alike.

measure_verify() {
    local id
    [ "$ROUND" -gt 1 ] || prepare_verify
    id=$(cat "$WORK/verify_id")
    cd "$WORK/catalog" || die "no catalog"
    timed_backout verify/match verify "$id"
    timed verify/copy "$TOOLS/copy_out" "$URL" orders
    timed verify/count psql -X -q -c "SELECT count(*) FROM orders" -c "SELECT count(*) FROM before"

    sql "$(change_sql orders "$ROWS" 1000)"
    timed_differences verify/differs "$id"
    timed verify/except psql -X -q -A -t -c "$(differing_rows EXCEPT)"
    found verify/except "$(wc -l <"$WORK/out")"
    timed verify/join psql -X -q -A -t -c "$(differing_rows JOIN)"
    found verify/join "$(wc -l <"$WORK/out")"
    ! peer pg_comparator postgresql-comparator || compare_by_pg_comparator verify/pg_comparator
    [ "$ROUND" -gt 1 ] || count_changed_alike "$id"
    sql "$(change_back orders before "$ROWS" 1000)" "VACUUM ANALYZE orders"
}

# What is counted is the same in each round.
count_changed_alike() { # ID
    sql "$(change_back orders before "$ROWS" 1000)" "$(change_alike orders "$ROWS" 1000)"
    timed_differences verify/alike "$1"
    ! peer pg_comparator || compare_by_pg_comparator verify/alike/pg_comparator
}

prepare_verify() {
    fresh_database
    drop_smaller_tables
    new_catalog
    backout point create --db "$URL" --tables orders
    answer .id >"$WORK/verify_id"
    sql "CREATE TABLE before AS TABLE orders" "ALTER TABLE before ADD PRIMARY KEY (id)" \
        "VACUUM ANALYZE before"
    [ ! -e /usr/share/postgresql ] || sql "CREATE EXTENSION IF NOT EXISTS pgcmp" 2>/dev/null || true
}

# The keys of rows that differ between the table and its copy.
differing_rows() { # HOW
    case $1 in
    EXCEPT)
        echo "(SELECT id FROM (TABLE orders EXCEPT TABLE before) a)
            UNION (SELECT id FROM (TABLE before EXCEPT TABLE orders) b)"
        ;;
    JOIN)
        echo "SELECT id FROM orders o FULL JOIN before b USING (id) WHERE o.status IS NULL
            OR (o.customer_id, o.product_id, o.quantity, o.ordered_at, o.total, o.status, o.note)
            IS DISTINCT FROM
            (b.customer_id, b.product_id, b.quantity, b.ordered_at, b.total, b.status, b.note)"
        ;;
    esac
}

compare_by_pg_comparator() { # NAME
    local at="pgsql://postgres@/orders" columns="customer_id,product_id,quantity,ordered_at,total,status,note"
    timed "$1" pg_comparator --source-1 "DBI:Pg:dbname=orders" --source-2 "DBI:Pg:dbname=orders" \
        "$at/orders?id:$columns" "$at/before?id:$columns"
    found "$1" "$(grep -cE '^(INSERT|UPDATE|DELETE) ' "$WORK/out")"
}

compare_verify() {
    local what
    row "verify, equal" verify/match "one \`COPY\`, thrown away" verify/copy 1.2
    row "verify, equal" verify/match "two \`count(*)\`" verify/count
    what="verify, 1,000 rows differ"
    row "$what" verify/differs "one \`COPY\`, thrown away" verify/copy 1.2
    row "$what" verify/differs "\`EXCEPT\` both ways" verify/except
    row "$what" verify/differs "\`FULL JOIN\`" verify/join
    row "$what" verify/differs "pg_comparator" verify/pg_comparator
    what="differences found, of 1,000"
    row_found "$what" verify/differs "\`EXCEPT\` both ways" verify/except
    row_found "$what" verify/differs "\`FULL JOIN\`" verify/join
    row_found "$what" verify/differs "pg_comparator" verify/pg_comparator
    row_found "$what, changed alike" verify/alike "pg_comparator" verify/alike/pg_comparator
}
