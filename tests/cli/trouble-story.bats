# SPDX-License-Identifier: Apache-2.0
# tests/cli/trouble-story.bats - two people and one afternoon, on each engine: a change through five
# tables, another session's work after it, two rows that both wrote, and every way out of it.

load ../support/bats/common
load trouble
setup() { common_setup; }
teardown() { common_teardown; }

# A small music shop: artists, albums, tracks, customers, invoice lines.
schema='CREATE TABLE artist (artist_id INTEGER PRIMARY KEY, name VARCHAR(120) NOT NULL);
CREATE TABLE album (album_id INTEGER PRIMARY KEY, title VARCHAR(160) NOT NULL,
    artist_id INTEGER NOT NULL REFERENCES artist (artist_id) ON DELETE CASCADE);
CREATE TABLE track (track_id INTEGER PRIMARY KEY, name VARCHAR(200) NOT NULL,
    album_id INTEGER REFERENCES album (album_id) ON DELETE CASCADE, price NUMERIC(10, 2) NOT NULL);
CREATE TABLE customer (customer_id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL, city VARCHAR(40));
CREATE TABLE invoice_line (line_id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (customer_id) ON DELETE CASCADE,
    track_id INTEGER REFERENCES track (track_id) ON DELETE SET NULL, quantity INTEGER NOT NULL);'

# numbered TABLE FIRST LAST EXPRESSIONS: INSERT of one row for each number i.
numbered() {
    printf 'INSERT INTO %s WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n
        WHERE i < %d) SELECT %s FROM n;\n' "$@"
}

sample() {
    printf '%s\n' "$schema"
    numbered artist 1 20 "i, 'Artist ' || i"
    numbered album 1 60 "i, 'Album ' || i, 1 + i % 20"
    numbered track 1 600 "i, 'Track ' || i, 1 + i % 60, 0.99"
    numbered customer 1 30 "i, 'Customer ' || i, 'City ' || (i % 5)"
    numbered invoice_line 1 400 "i, 1 + i % 30, 1 + i % 600, 1 + i % 3"
}

# The change: prices, an artist gone with his albums and tracks (lines lose theirs), new rows.
change() {
    echo 'UPDATE track SET price = 1.29 WHERE track_id <= 100;'
    echo "UPDATE customer SET city = 'Nowhere' WHERE customer_id % 5 = 0;"
    echo 'DELETE FROM artist WHERE artist_id = 7;'
    echo 'DELETE FROM customer WHERE customer_id = 13;'
    numbered artist 101 105 "i, 'New ' || i"
    numbered album 101 110 "i, 'New album ' || i, 101 + i % 5"
}

# The other session: rows of its own, and two rows that the change had written.
others_work="INSERT INTO customer VALUES (500, 'Walk-in', 'City 1');
    INSERT INTO invoice_line VALUES (900, 500, 3, 1);
    UPDATE customer SET city = 'Moved' WHERE customer_id = 2;
    UPDATE track SET price = 2.00 WHERE track_id = 42;
    UPDATE customer SET name = 'Renamed' WHERE customer_id = 10;"

dump() {
    local table
    for table in artist album track customer invoice_line; do
        query "SELECT * FROM $table ORDER BY 1"
    done
}

# Everything of the story, for any database: $db names it, query executes SQL in it.
tell_story() {
    local before both undo
    before=$(dump)
    { echo "$prelude"; change; } >change.sql
    id=$(backout -q run --db "$db" change.sql --output json | jq -r .id)
    [ "$(query 'SELECT count(*) FROM album WHERE artist_id = 7')" = 0 ]

    query "$others_work" >/dev/null
    both=$(dump)

    # Partial refuses, with exactly the two rows that both wrote.
    run -3 --separate-stderr backout execute "$id" --type partial --yes --output json
    [ "$(jq -r .status <<<"$output")" = refused ]
    [ "$(jq -c '[.conflicts[] | [.table, .key, .class, .columns]] | sort' <<<"$output")" = \
        '[["customer","10","data",["name"]],["track","42","data",["price"]]]' ]
    [ "$(dump)" = "$both" ]
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    said "because: 2 rows were changed since the change"
    said "hint: see them with: backout assess $id"
    [ "$(dump)" = "$both" ]

    # Full refuses too: it would discard what the others wrote.
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: 5 rows were written by others after the change, and type full would discard them"
    said "--discard-later"
    [ "$(dump)" = "$both" ]

    # Skip: everything of the change but those two rows; everything of the others.
    run -4 --separate-stderr backout execute "$id" --type partial --on-conflict skip --yes --output json
    [ "$(jq -r '.status + " " + .proof' <<<"$output")" = "done match" ]
    undo=$(jq -r .undo_point <<<"$output")
    [ "$(diff <(echo "$before") <(dump) | grep -c '^[<>]')" = 8 ] # 2 new, 3 changed rows twice
    [ "$(query 'SELECT price FROM track WHERE track_id = 42')" = "$(printed 2.00)" ]
    [ "$(query 'SELECT name, city FROM customer WHERE customer_id = 10')" = 'Renamed|Nowhere' ]
    [ "$(query 'SELECT city FROM customer WHERE customer_id = 2')" = Moved ]
    [ "$(query 'SELECT count(*) FROM track')" = 600 ]

    # The undo of the undo.
    run -0 --separate-stderr backout execute "$undo" --yes
    [ "$(dump)" = "$both" ]

    # Full, knowingly: the others' rows are exported, and everything is as it was.
    run -0 --separate-stderr backout execute "$id" --yes --discard-later --output json
    [ "$(jq .lost.rows <<<"$output")" = 5 ]
    undo=$(jq -r .undo_point <<<"$output")
    grep -q Walk-in "$(jq -r .lost.export <<<"$output")"
    [ "$(dump)" = "$before" ]
    run -0 --separate-stderr backout verify "$id"

    # And back again: the undo of the undo has the work of both.
    run -0 --separate-stderr backout execute "$undo" --yes
    [ "$(dump)" = "$both" ]
    run -0 --separate-stderr backout audit --verify
}

@test "the story on SQLite" {
    query() { sqlite3 shop.db "PRAGMA foreign_keys = ON; $1"; }
    printed() { sqlite3 :memory: "CREATE TABLE t (v NUMERIC); INSERT INTO t VALUES ($1); SELECT v FROM t"; }
    sample | sqlite3 shop.db
    backout -q init
    db=shop.db prelude='PRAGMA foreign_keys = ON;'
    tell_story
}

@test "the story on PostgreSQL" {
    pg_database
    query() { sql -c "$1"; }
    printed() { echo "$1"; }
    sample | sql -q
    backout -q init
    db=$PG_URL prelude=
    tell_story
}

@test "the story on MariaDB" {
    my_database
    query() { my -e "$1"; }
    printed() { echo "$1"; }
    prelude="SET sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT');"
    { echo "$prelude"; sample; } | my
    backout -q init
    db=$MY_URL
    tell_story
}

@test "one row that others wrote, one conflict: the sentences are singular" {
    sample | sqlite3 shop.db
    backout -q init
    change >change.sql
    id=$(backout -q run --db shop.db change.sql --output json | jq -r .id)
    sqlite3 shop.db 'UPDATE track SET price = 2 WHERE track_id = 42'
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: 1 row was written by others after the change, and type full would discard it"
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    said "because: 1 row was changed since the change"
    run -4 --separate-stderr backout execute "$id" --type partial --on-conflict skip --yes
    said "done, and 1 conflict was skipped"
}

@test "TRUNCATE through five tables, and others who wrote into the emptied ones" {
    pg_database
    query() { sql -c "$1"; }
    sample | sql -q
    backout -q init
    local before both
    before=$(dump)
    echo 'TRUNCATE artist, customer CASCADE;' >empty.sql
    id=$(backout -q run --db "$PG_URL" empty.sql --output json | jq -r .id)
    [ "$(query 'SELECT count(*) FROM invoice_line')" = 0 ]
    query "INSERT INTO customer VALUES (500, 'Walk-in', NULL);
        INSERT INTO artist VALUES (1, 'Other'), (2, 'Artist 2')" >/dev/null
    both=$(dump)
    run -3 --separate-stderr backout execute "$id" --type partial --yes --output json
    [ "$(jq -c '[.conflicts[] | [.table, .key, .class]]' <<<"$output")" = '[["artist","1","exists"]]' ]
    [ "$(dump)" = "$both" ]
    run -4 --separate-stderr backout execute "$id" --type partial --yes --on-conflict skip
    [ "$(query 'SELECT name FROM artist WHERE artist_id = 1')" = Other ]
    [ "$(query 'SELECT count(*) FROM customer')" = 31 ]
    run -0 --separate-stderr backout execute latest --yes --discard-later
    [ "$(dump)" = "$before" ]
}
