# SPDX-License-Identifier: Apache-2.0
# bench/cases/sqlite_undo.bash - a partial rollback of a sealed change in a SQLite file, beside the change itself.

# Its changes are undone, so the file is the same in each round.
measure_sqlite_undo() {
    local file=$WORK/undone.db count id
    [ "$ROUND" -gt 1 ] || make_sqlite "$file"
    new_catalog
    for count in $(change_sizes "$ROWS"); do
        backout point create --db "$file" --tables orders
        id=$(answer .id)
        timed "sqlite/$count/change" sqlite3 "$file" \
            "BEGIN; $(change_sql orders "$ROWS" "$count") COMMIT"
        backout point seal "$id"
        timed_backout "sqlite/$count" execute "$id" --type partial --yes
        [ "$(answer .proof)" = match ] || die "the rollback of $count rows was not proved"
    done
}

compare_sqlite_undo() {
    local count
    for count in $(change_sizes "$ROWS"); do
        row "undo of $(thousands "$count") rows" "sqlite/$count" \
            "the change itself" "sqlite/$count/change"
    done
}
