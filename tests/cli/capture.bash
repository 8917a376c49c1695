# SPDX-License-Identifier: Apache-2.0
# tests/cli/capture.bash - one small shop on the engine that BACKOUT_TEST_ENGINE names.
#
#   make_captured_shop   $DB is its URL: customers (3 rows), orders (4), notes (no key, 1 row)
#   ask SQL              runs it; rows come as a|b
#   state                all rows of all tables, to compare
#   ours                 how many triggers, tables and functions of backout are in the database
#   break_capture TABLE  what a user may do to our triggers on it
# shellcheck disable=SC2034,SC2153 # DB is for the tests; PG_DATABASE and MY_DATABASE are set by common.bash

ENGINE=${BACKOUT_TEST_ENGINE:-sqlite}

make_captured_shop() {
    "new_$ENGINE"
    ask "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL,
            total INTEGER NOT NULL);
        CREATE TABLE notes (text VARCHAR(40));
        INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cy');
        INSERT INTO orders VALUES (10, 1, 500), (11, 1, 700), (12, 2, 900), (13, 3, 100);
        INSERT INTO notes VALUES ('hello');"
    backout -q init
    before=$(state)
    cat >damage.sql <<'SQL'
UPDATE orders SET total = total / 10 WHERE customer_id = 1;
DELETE FROM customers WHERE id = 3;
INSERT INTO customers VALUES (4, 'Dan');
SQL
    { cat damage.sql; echo 'SELECT * FROM nowhere;'; } >bad.sql
}

state() {
    ask "SELECT * FROM customers ORDER BY 1"
    ask "SELECT * FROM orders ORDER BY 1"
    ask "SELECT * FROM notes ORDER BY 1"
}

ask() {
    "ask_$ENGINE" "$1"
}

ours() {
    "ours_$ENGINE"
}

break_capture() {
    "break_$ENGINE" "$1"
}

# captured OPTION...: takes a point of customers and orders; its id is in $id.
captured() {
    id=$(backout -q point create --db "$DB" --tables customers,orders --output json "$@" |
        jq -r .id)
}

# ---- SQLite ----

new_sqlite() { DB=$PWD/shop.db; }
ask_sqlite() { sqlite3 -cmd '.timeout 10000' "$DB" "$1"; }
ours_sqlite() { ask "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%backout%'"; }
break_sqlite() {
    local name
    name=$(ask "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '$1'
        AND name LIKE '%backout%' ORDER BY name LIMIT 1")
    ask "DROP TRIGGER \"$name\""
}
remove_sqlite() { rm -f "$DB"; }

# ---- PostgreSQL ----

new_postgresql() {
    pg_database
    DB=$PG_URL
}
ask_postgresql() { sql -c "$1"; }
ours_postgresql() {
    ask "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'backout%')
        + (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal)"
}
break_postgresql() { ask "ALTER TABLE $1 DISABLE TRIGGER USER"; }
remove_postgresql() {
    psql -X -q "$BACKOUT_TEST_PG_SUPER_URL" -c "DROP DATABASE $PG_DATABASE WITH (FORCE)"
}

# ---- MariaDB ----

new_mariadb() {
    my_database
    DB=$MY_URL
}
ask_mariadb() { my -e "$1"; }
ours_mariadb() {
    ask "SELECT (SELECT count(*) FROM information_schema.triggers
            WHERE trigger_schema = '$MY_DATABASE')
        + (SELECT count(*) FROM information_schema.tables
            WHERE table_schema = '$MY_DATABASE' AND table_name LIKE '%backout%')"
}
break_mariadb() {
    local name
    name=$(ask "SELECT trigger_name FROM information_schema.triggers
        WHERE trigger_schema = '$MY_DATABASE' AND event_object_table = '$1' LIMIT 1")
    ask "DROP TRIGGER \`$name\`"
}
remove_mariadb() { my_root -e "DROP DATABASE $MY_DATABASE"; }
