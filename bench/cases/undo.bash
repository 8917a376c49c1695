# SPDX-License-Identifier: Apache-2.0
# bench/cases/undo.bash - the cost of a partial rollback follows the change, not the table.

measure_undo() {
    local size
    fresh_database
    for size in $(smaller_tables) "$ROWS"; do
        undo_changes "$(table_of_size "$size")" "$size"
    done
}

undo_changes() { # TABLE SIZE
    local count id
    new_catalog
    for count in $(change_sizes "$2"); do
        backout point create --db "$URL" --tables "$1"
        id=$(answer .id)
        timed "undo/$2/$count/change" psql -X -q -v ON_ERROR_STOP=1 \
            -c "$(change_sql "$1" "$2" "$count")"
        backout point seal "$id"
        timed_backout "undo/$2/$count" execute "$id" --type partial --yes
        [ "$(answer .proof)" = match ] || die "the rollback of $count rows was not proved"
    done
}

compare_undo() {
    local size count
    for size in $(smaller_tables) "$ROWS"; do
        for count in $(change_sizes "$size"); do
            row "undo of $(thousands "$count") of $(thousands "$size") rows" "undo/$size/$count" \
                "the change itself" "undo/$size/$count/change"
        done
    done
}
