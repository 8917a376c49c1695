# SPDX-License-Identifier: Apache-2.0
# tests/cli/shop.bash - a small shop in SQLite, and the files that change it.

# Makes shop.db (3 customers, 4 orders, 6 items) and a catalog in this folder.
make_shop() {
    sqlite3 shop.db <<'SQL'
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers,
    status TEXT NOT NULL, total_cents INTEGER NOT NULL);
CREATE TABLE items (order_id INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE,
    line INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (order_id, line));
INSERT INTO customers VALUES (1, 'Ann', 'ann@x'), (2, 'Bob', 'bob@x'), (3, 'Cy', NULL);
INSERT INTO orders VALUES (10, 1, 'open', 500), (11, 1, 'paid', 700), (12, 2, 'paid', 900),
    (13, 3, 'open', 100);
INSERT INTO items VALUES (10, 1, 'pen'), (10, 2, 'ink'), (11, 1, 'cup'), (12, 1, 'mug'),
    (12, 2, 'jar'), (13, 1, 'cap');
SQL
    backout -q init
    cat >damage.sql <<'SQL'
UPDATE orders SET total_cents = total_cents / 10 WHERE status = 'paid';
DELETE FROM items WHERE order_id = 10;
INSERT INTO customers VALUES (4, 'Dan', 'dan@x');
SQL
}

# All rows of all tables, to compare before and after.
rows() {
    sqlite3 "${1:-shop.db}" 'SELECT * FROM customers ORDER BY 1; SELECT * FROM orders ORDER BY 1;
        SELECT * FROM items ORDER BY 1, 2;'
}

# damage: runs damage.sql under protection; its point is in $id.
damage() {
    # shellcheck disable=SC2034 # for the tests
    id=$(backout -q run --db shop.db damage.sql --output json | jq -r .id)
}
