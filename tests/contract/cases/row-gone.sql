-- SPDX-License-Identifier: Apache-2.0
-- story: others delete a row that the change had updated, and bring another back to what it was before
-- before
CREATE TABLE prices (sku varchar(9) NOT NULL PRIMARY KEY, cents integer NOT NULL);
INSERT INTO prices VALUES ('pen', 100), ('ink', 250), ('cup', 700), ('PEN', 1);
-- change
UPDATE prices SET cents = cents * 2;
-- later
DELETE FROM prices WHERE sku = 'ink';
UPDATE prices SET cents = 700 WHERE sku = 'cup';
-- left
DELETE FROM prices WHERE sku = 'ink';
-- expect
-- partial: conflicts
--   not-found prices ink
-- full: done
