-- SPDX-License-Identifier: Apache-2.0
-- story: primary keys that do not say NOT NULL, as most are written: without NULLs in them they are keys
-- before
CREATE TABLE prices (sku TEXT PRIMARY KEY, cents INTEGER);
CREATE TABLE stock (sku TEXT REFERENCES prices, shop INTEGER, n INTEGER, PRIMARY KEY (sku, shop));
INSERT INTO prices VALUES ('pen', 100), ('ink', 250), ('cup', 700), ('mug', 900);
INSERT INTO stock VALUES ('pen', 1, 5), ('pen', 2, 6), ('cup', 1, 7);
-- change
UPDATE prices SET cents = cents * 2;
UPDATE stock SET n = 0;
-- later
DELETE FROM prices WHERE sku = 'ink';
UPDATE prices SET cents = 700 WHERE sku = 'cup';
UPDATE prices SET cents = 1 WHERE sku = 'mug';
UPDATE stock SET n = 3 WHERE shop = 2;
-- left
DELETE FROM prices WHERE sku = 'ink';
UPDATE prices SET cents = 1 WHERE sku = 'mug';
UPDATE stock SET n = 3 WHERE shop = 2;
-- expect
-- partial: conflicts
--   not-found prices ink
--   data prices mug (cents)
--   data stock (pen, 2) (n)
-- full: done
