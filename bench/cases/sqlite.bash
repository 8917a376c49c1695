# SPDX-License-Identifier: Apache-2.0
# bench/cases/sqlite.bash - point and rollback of a SQLite file in WAL mode.

measure_sqlite() {
    local file=$WORK/orders.db
    [ -e "$file" ] || {
        say "making $ROWS rows in SQLite"
        make_sqlite "$file"
    }
    new_catalog
    timed_backout sqlite/point point create --db "$file" --tables orders
    timed sqlite/backup sqlite3 "$file" ".backup '$WORK/copy.db'"
    rm "$WORK/copy.db"
    # shellcheck disable=SC2016 # the inner shell expands it
    timed sqlite/dump sh -c 'sqlite3 "$1" .dump >/dev/null' sh "$file"
    undo_in_sqlite "$file"
}

# Its changes are undone, so the file is the same in each round.
undo_in_sqlite() { # FILE
    local count id
    for count in $(change_sizes "$ROWS"); do
        backout point create --db "$1" --tables orders
        id=$(answer .id)
        timed "sqlite/$count/change" sqlite3 "$1" "BEGIN; $(change_sql orders "$ROWS" "$count") COMMIT"
        backout point seal "$id"
        timed_backout "sqlite/$count" execute "$id" --type partial --yes
        [ "$(answer .proof)" = match ] || die "the rollback of $count rows was not proved"
    done
}

compare_sqlite() {
    local count
    row "SQLite: point of the table" sqlite/point ".backup" sqlite/backup
    row "SQLite: point of the table" sqlite/point ".dump, thrown away" sqlite/dump
    for count in $(change_sizes "$ROWS"); do
        row "SQLite: undo of $(thousands "$count") rows" "sqlite/$count" \
            "the change itself" "sqlite/$count/change"
    done
}
