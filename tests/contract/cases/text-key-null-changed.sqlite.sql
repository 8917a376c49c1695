-- SPDX-License-Identifier: Apache-2.0
-- story: the change itself writes rows without a value for their key into one table, and removes those of another
-- before
CREATE TABLE prices (sku TEXT PRIMARY KEY, cents INTEGER);
CREATE TABLE codes (code TEXT PRIMARY KEY, n INTEGER);
INSERT INTO prices VALUES ('pen', 100), ('ink', 250), ('cup', 700);
INSERT INTO codes VALUES (NULL, 1), (NULL, 1), ('a', 2), ('b', 3);
-- change
INSERT INTO prices (cents) SELECT cents FROM prices;
UPDATE prices SET cents = 0 WHERE sku = 'pen';
DELETE FROM codes WHERE code IS NULL;
UPDATE codes SET n = 4 WHERE code = 'a';
-- later
INSERT INTO prices VALUES ('later', 1);
INSERT INTO codes VALUES ('later', 1);
-- expect
-- partial: done
-- full: done
