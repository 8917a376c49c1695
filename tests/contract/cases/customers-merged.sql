-- SPDX-License-Identifier: Apache-2.0
-- story: two customers become one with the other's unique e-mail; a moved order is changed meanwhile
-- before
CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL UNIQUE, points integer NOT NULL CHECK (points >= 0));
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers (id), status text NOT NULL);
INSERT INTO customers VALUES (1, 'ann@x', 5), (2, 'ann@y', 7), (3, 'cy@x', 0);
INSERT INTO orders VALUES (10, 1, 'paid'), (11, 2, 'open'), (12, 2, 'paid'), (13, 3, 'open');
-- change
UPDATE orders SET customer_id = 1 WHERE customer_id = 2;
DELETE FROM customers WHERE id = 2;
UPDATE customers SET email = 'ann@y', points = 12 WHERE id = 1;
-- later
UPDATE orders SET status = 'sent' WHERE id = 12;
INSERT INTO orders VALUES (14, 1, 'open');
-- left
UPDATE orders SET customer_id = 1, status = 'sent' WHERE id = 12;
INSERT INTO orders VALUES (14, 1, 'open');
-- expect
-- partial: conflicts
--   data orders 12 (status)
-- full: done
