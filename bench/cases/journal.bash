# SPDX-License-Identifier: Apache-2.0
# bench/cases/journal.bash - undoing a captured change, beside plain SQL that does it from the same
# journal: DELETE and INSERT, nothing compared, proved or kept.

measure_journal() {
    local size count
    fresh_database
    for size in $(smaller_tables) "$ROWS"; do
        for count in $(change_sizes "$size"); do
            undo_captured "$(table_of_size "$size")" "$size" "$count"
        done
    done
}

undo_captured() { # TABLE SIZE COUNT
    local name=journal/$2/$3 id
    new_catalog
    backout point create --db "$URL" --tables "$1" --method capture
    id=$(answer .id)
    sql "$(change_sql "$1" "$2" "$3")"
    timed_backout "$name/seal" point seal "$id"
    keep_journal "$1"
    database_work "$name" timed_backout "$name/command" execute "$id" --type partial --yes
    [ "$(answer .proof)" = match ] || die "the rollback of $3 rows was not proved"
    backout point release "$id"
    sql "$(change_sql "$1" "$2" "$3")"
    database_work "$name/plain" timed "$name/psql" psql -X -q -v ON_ERROR_STOP=1 \
        -c "$(plain_undo "$1")"
    sql "DROP TABLE plain_journal" "VACUUM $1"
}

keep_journal() { # TABLE
    sql "DO \$\$ BEGIN EXECUTE format('CREATE TABLE plain_journal AS TABLE backout.%I',
        'journal_' || '$1'::regclass::oid); END \$\$" "ANALYZE plain_journal" "ANALYZE $1"
}

plain_undo() { # TABLE
    local columns="id, customer_id, product_id, quantity, ordered_at, total, status, note"
    cat <<END
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM $1 t USING plain_journal j WHERE t.id = j.id;
INSERT INTO $1 SELECT $columns FROM
    (SELECT DISTINCT ON (id) * FROM plain_journal ORDER BY id, backout_seq) b WHERE backout_op <> 'I';
COMMIT;
END
}

compare_journal() {
    local size count name
    for count in 100 10000 1000000; do
        for size in $(smaller_tables) "$ROWS"; do
            name=journal/$size/$count
            grep -q "\"name\":\"$name\"" "$WORK/samples" || continue
            row "undo of $(thousands "$count") captured of $(thousands "$size") rows, work of the database" \
                "$name" "plain DELETE and INSERT" "$name/plain" "$(undo_target "$size" "$count")"
        done
    done
    row "undo of 100 of $(thousands "$ROWS") rows, work of the database" "journal/$ROWS/100" \
        "the same of 50,000 rows" journal/50000/100 3
    row "undo of 1,000,000 captured rows, the whole command" "journal/$ROWS/1000000/command" \
        "plain DELETE and INSERT" "journal/$ROWS/1000000/psql"
}

# 0.03, 0.2 and 7 s where plain SQL takes 0.02, 0.13 and 5.4 s.
undo_target() { # SIZE COUNT
    [ "$1" -eq "$ROWS" ] || return 0
    case $2 in
    100) echo 1.5 ;;
    10000) echo 1.54 ;;
    *) echo 1.3 ;;
    esac
}
