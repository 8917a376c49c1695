# SPDX-License-Identifier: Apache-2.0
# bench/cases/capture.bash - what writers pay while their table is captured; other ways to do it.

CAPTURE_WAYS="none backout row jsonb"
BULK="UPDATE bulk SET quantity = quantity + 1, status = 'changed' WHERE id % 2 = 0"
TRANSACTIONS=5000 # of each of four clients, in each turn
TURNS="1 2 3"     # in a round: the rate wanders by a tenth and more, so the ways take turns

measure_capture() {
    local way programs
    programs=$(server_programs)
    fresh_database
    sql "CREATE TABLE bulk (LIKE orders INCLUDING ALL)" \
        "INSERT INTO bulk SELECT * FROM orders WHERE id <= 1000000"
    "$programs/pgbench" -i -q -s 20 >/dev/null 2>&1
    for way in $CAPTURE_WAYS; do
        sql "VACUUM FULL bulk" "VACUUM ANALYZE bulk"
        "capture_by_$way" bulk id
        timed "capture/bulk/$way" psql -X -q -v ON_ERROR_STOP=1 -c "$BULK"
        "end_of_$way" bulk
    done
    for _ in $TURNS; do
        for way in $CAPTURE_WAYS; do
            single_rows "$way"
        done
    done
    capture_in_sqlite
}

single_rows() { # WAY
    local table
    for table in pgbench_accounts:aid pgbench_branches:bid pgbench_tellers:tid; do
        "capture_by_$1" "${table%:*}" "${table#*:}"
    done
    sql "VACUUM ANALYZE pgbench_accounts" "VACUUM pgbench_branches" "VACUUM pgbench_tellers"
    timed "capture/single/$1" "$programs/pgbench" -n -M prepared -c 4 -j 2 -t "$TRANSACTIONS"
    for table in pgbench_accounts pgbench_branches pgbench_tellers; do
        "end_of_$1" "$table"
    done
}

# ---- ways: begin TABLE KEY, end TABLE ----

capture_by_none() { :; }
end_of_none() { :; }

capture_by_backout() {
    new_catalog
    backout point create --db "$URL" --tables "$1" --method capture --migration "$1"
    answer .id >"$WORK/captured_$1"
    cp -r "$WORK/catalog" "$WORK/catalog_$1"
}

end_of_backout() {
    cd "$WORK/catalog_$1" || die "no catalog of $1"
    backout point release "$(cat "$WORK/captured_$1")" --yes
    cd "$WORK" || die "no folder"
    rm -rf "$WORK/catalog_$1"
}

# A trigger for each row into a table of the same types.
capture_by_row() {
    sql "CREATE TABLE log_$1 AS SELECT 0::bigint AS seq, pg_current_xact_id() AS xid, session_user::text
            AS by_user, ''::text AS op, t.* FROM $1 t LIMIT 0" \
        "ALTER TABLE log_$1 ALTER seq SET NOT NULL,
            ALTER seq ADD GENERATED ALWAYS AS IDENTITY" \
        "CREATE FUNCTION log_$1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO log_$1 (xid, by_user, op, $2)
                    VALUES (pg_current_xact_id(), session_user, 'I', NEW.$2);
            ELSE
                INSERT INTO log_$1 (xid, by_user, op, $(columns_of "$1"))
                    VALUES (pg_current_xact_id(), session_user, left(TG_OP, 1), OLD.*);
            END IF; RETURN NULL; END \$\$" \
        "CREATE TRIGGER log_row AFTER INSERT OR UPDATE OR DELETE ON $1 FOR EACH ROW
            EXECUTE FUNCTION log_$1()"
}

columns_of() { # TABLE
    sql "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = '$1'::regclass AND attnum > 0"
}

end_of_row() {
    sql "DROP TRIGGER log_row ON $1" "DROP FUNCTION log_$1" "DROP TABLE log_$1"
}

# A trigger for each row, old and new as jsonb.
capture_by_jsonb() {
    sql "CREATE TABLE log_$1 (seq bigint GENERATED ALWAYS AS IDENTITY, xid xid8, by_user text, op text,
            was jsonb, became jsonb)" \
        "CREATE FUNCTION log_$1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN
            INSERT INTO log_$1 (xid, by_user, op, was, became)
                VALUES (pg_current_xact_id(), session_user, TG_OP, to_jsonb(OLD), to_jsonb(NEW));
            RETURN NULL; END \$\$" \
        "CREATE TRIGGER log_row AFTER INSERT OR UPDATE OR DELETE ON $1 FOR EACH ROW
            EXECUTE FUNCTION log_$1()"
}

end_of_jsonb() {
    end_of_row "$1"
}

# ---- SQLite ----

list() {
    local IFS=,
    echo "$*"
}

# What row triggers must cost: they write the key of a row, or copy it, and see no REPLACE.
plain_triggers() { # COLUMN...
    local names=("${@/#/c_}") came="INSERT INTO plain (op, c_id) VALUES ('I', NEW.id)" kept
    kept="INSERT INTO plain ($(list op "${names[@]}")) VALUES ($(list 1 "${@/#/OLD.}"))"
    cat <<END
CREATE TABLE plain (seq INTEGER PRIMARY KEY, $(list op "${names[@]}"));
CREATE TRIGGER came AFTER INSERT ON orders BEGIN $came; END;
CREATE TRIGGER changed BEFORE UPDATE ON orders BEGIN $kept; END;
CREATE TRIGGER went BEFORE DELETE ON orders BEGIN $kept; END;
END
}

capture_in_sqlite() {
    local file=$WORK/captured.db way id
    local columns=(id customer_id product_id quantity ordered_at total status note)
    for way in none key plain backout; do
        rm -f "$file" "$file-wal" "$file-shm"
        make_sqlite "$file"
        case $way in
        key) sqlite3 "$file" "$(plain_triggers id)" ;;
        plain) sqlite3 "$file" "$(plain_triggers "${columns[@]}")" ;;
        backout)
            new_catalog
            backout point create --db "$file" --tables orders --method capture
            id=$(answer .id)
            ;;
        esac
        timed "capture/sqlite/$way" \
            sqlite3 "$file" "BEGIN; $(change_sql orders "$ROWS" $((ROWS / 5))) COMMIT"
    done
    backout point seal "$id"
    timed_backout capture/sqlite/undo execute "$id" --type partial --yes
    [ "$(answer .proof)" = match ] || die "the rollback in SQLite was not proved"
    rm -f "$file" "$file-wal" "$file-shm"
}

compare_capture() {
    local none="not captured"
    row "UPDATE of 500,000 rows, captured" capture/bulk/backout "$none" capture/bulk/none 1.6
    row "the same, by a row trigger" capture/bulk/row "$none" capture/bulk/none
    row "the same, by a row trigger as jsonb" capture/bulk/jsonb "$none" capture/bulk/none
    row "pgbench, all three tables captured" capture/single/backout "$none" capture/single/none 1.18
    row "the same, by row triggers" capture/single/row "$none" capture/single/none
    row "the same, by row triggers as jsonb" capture/single/jsonb "$none" capture/single/none
    row "SQLite: change of $(thousands $((ROWS / 5))) rows, captured" capture/sqlite/backout \
        "$none" capture/sqlite/none 1.3
    row "SQLite: the same, by triggers that copy the row" capture/sqlite/plain "$none" capture/sqlite/none
    row "SQLite: the same, by triggers that write its key" capture/sqlite/key "$none" capture/sqlite/none
    row "SQLite: undo of it" capture/sqlite/undo "the change, not captured" capture/sqlite/none
}
