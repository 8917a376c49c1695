# SPDX-License-Identifier: Apache-2.0
# bench/data.bash - the same rows and the same changes on every machine and in both databases.

# The database 'base' is filled once; what is measured works on copies of it.
make_base() {
    start_server
    [ -z "${base_is_made:-}" ] || return 0
    base_is_made=yes
    say "making $ROWS rows in PostgreSQL"
    PGDATABASE=postgres sql "CREATE DATABASE base"
    PGDATABASE=base sql "CREATE EXTENSION pg_prewarm"
    PGDATABASE=base make_table orders "$ROWS"
    local size
    for size in $(smaller_tables); do
        PGDATABASE=base sql "CREATE TABLE orders_$size (LIKE orders INCLUDING ALL)" \
            "INSERT INTO orders_$size SELECT * FROM orders WHERE id <= $size"
    done
    PGDATABASE=base sql "VACUUM FREEZE ANALYZE"
}

make_table() { # TABLE SIZE
    sql "CREATE TABLE $1 (
            id int PRIMARY KEY, customer_id int NOT NULL, product_id int NOT NULL,
            quantity int NOT NULL, ordered_at timestamptz NOT NULL, total numeric(12,2) NOT NULL,
            status text NOT NULL, note text)" \
        "INSERT INTO $1 SELECT i, i::bigint * 7919 % 100003, i::bigint * 104729 % 5003,
            1 + i % 9, timestamptz '2024-01-01' + i * interval '13.37 seconds',
            (i::bigint * 7 % 1000000) / 100.0,
            (ARRAY['new', 'paid', 'sent', 'zurückgegeben'])[1 + i % 4],
            CASE WHEN i % 10 <> 0 THEN 'Größe ' || md5(i::text) END
            FROM generate_series(1, $2) i"
}

# Sizes of the tables orders_SIZE: the first rows of orders.
smaller_tables() {
    local size
    for size in 50000 500000; do
        [ $size -ge "$ROWS" ] || echo $size
    done
}

# For what takes a whole database.
drop_smaller_tables() {
    local size
    for size in $(smaller_tables); do
        sql "DROP TABLE orders_$size"
    done
}

table_of_size() {
    if [ "$1" -eq "$ROWS" ]; then
        echo orders
    else
        echo "orders_$1"
    fi
}

# A database 'orders' as 'base' is, in memory.
fresh_database() {
    make_base
    PGDATABASE=postgres sql "SET client_min_messages = warning" "DROP DATABASE IF EXISTS orders" \
        "CREATE DATABASE orders TEMPLATE base STRATEGY file_copy"
    sql "SELECT pg_prewarm(oid) FROM pg_class WHERE relname ~ '^orders'" >/dev/null
}

# change_sql TABLE SIZE COUNT: changes COUNT rows all over a table: 80 % updates, 10 % deletes,
# 10 % inserts.  Every database understands it, and the two below.
change_sql() {
    local every=$(($2 / $3)) table=$1 size=$2
    cat <<END
UPDATE $table SET quantity = quantity + 1, status = 'changed'
    WHERE id % $every = 0 AND id / $every % 10 < 8;
INSERT INTO $table SELECT id + $size, customer_id, product_id, quantity, ordered_at, total, status,
    note FROM $table WHERE id % $every = 0 AND id / $every % 10 = 8;
DELETE FROM $table WHERE id % $every = 0 AND id / $every % 10 = 9;
END
}

# change_alike TABLE SIZE COUNT: pairs of rows that lie near each other change in the same way.
change_alike() {
    local every=$((2 * ($2 / $3)))
    cat <<END
UPDATE $1 SET status = 'paid' WHERE status = 'sent' AND id % $every IN (2, 6);
END
}

# change_back TABLE COPY SIZE COUNT: what both did is taken back from a copy of the table.
change_back() {
    local every=$(($3 / $4))
    local changed="id % $every = 0 OR id % $((every * 2)) IN (2, 6)"
    cat <<END
DELETE FROM $1 WHERE $changed;
INSERT INTO $1 SELECT * FROM $2 WHERE $changed;
END
}

# by_hand TABLE COPY: what a person would write to give a table the rows of its copy.
by_hand() {
    cat <<END
BEGIN;
DELETE FROM $1 t WHERE NOT EXISTS (SELECT FROM $2 c WHERE c.id = t.id);
UPDATE $1 t SET customer_id = c.customer_id, product_id = c.product_id, quantity = c.quantity,
    ordered_at = c.ordered_at, total = c.total, status = c.status, note = c.note
    FROM $2 c WHERE c.id = t.id AND (c.*) IS DISTINCT FROM (t.*);
INSERT INTO $1 SELECT * FROM $2 c WHERE NOT EXISTS (SELECT FROM $1 t WHERE t.id = c.id);
COMMIT;
END
}

# The table 'orders' of the databases 'orders' and 'before' of MariaDB, equal.
make_mariadb() {
    say "making $ROWS rows in MariaDB"
    mariadb_sql <<SQL
CREATE DATABASE orders;
CREATE DATABASE before_change;
USE orders;
CREATE TABLE orders (
    id int PRIMARY KEY, customer_id int NOT NULL, product_id int NOT NULL, quantity int NOT NULL,
    ordered_at datetime(2) NOT NULL, total decimal(12,2) NOT NULL, status varchar(20) NOT NULL,
    note varchar(60));
INSERT INTO orders SELECT seq, seq * 7919 % 100003, seq * 104729 % 5003, 1 + seq % 9,
    timestamp('2024-01-01') + INTERVAL seq * 13.37 SECOND, seq * 7 % 1000000 / 100,
    ELT(1 + seq % 4, 'new', 'paid', 'sent', 'zurückgegeben'),
    IF(seq % 10 <> 0, concat('Größe ', md5(seq)), NULL) FROM seq_1_to_$ROWS;
CREATE TABLE before_change.orders LIKE orders;
INSERT INTO before_change.orders SELECT * FROM orders;
ANALYZE TABLE orders, before_change.orders;
SQL
}

make_sqlite() { # FILE
    sqlite3 "$1" >/dev/null <<SQL
PRAGMA journal_mode = WAL;
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, product_id INTEGER NOT NULL,
    quantity INTEGER NOT NULL, ordered_at TEXT NOT NULL, total NUMERIC NOT NULL,
    status TEXT NOT NULL, note TEXT);
WITH RECURSIVE i(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < $ROWS)
INSERT INTO orders SELECT i, i * 7919 % 100003, i * 104729 % 5003, 1 + i % 9,
    datetime(1704067200 + i * 13, 'unixepoch'), (i * 7 % 1000000) / 100.0,
    CASE i % 4 WHEN 0 THEN 'new' WHEN 1 THEN 'paid' WHEN 2 THEN 'sent' ELSE 'zurückgegeben' END,
    CASE WHEN i % 10 <> 0
        THEN printf('Größe %016x%016x', i * 2654435761 % 4294967291, i * 1099511628211 % 4294967279)
        END FROM i;
PRAGMA wal_checkpoint(TRUNCATE);
SQL
}

# Numbers of changed rows to undo in a table: at most a fifth of it.
change_sizes() { # SIZE
    local count
    for count in 100 10000 1000000; do
        [ $count -gt $(($1 / 5)) ] || echo $count
    done
}
