-- SPDX-License-Identifier: Apache-2.0
-- story: a key that had no NULL gets two by a later write: type partial no longer knows the rows, type full takes them by all their values
-- before
CREATE TABLE prices (sku TEXT PRIMARY KEY, cents INTEGER);
INSERT INTO prices VALUES ('pen', 100), ('ink', 250);
-- change
UPDATE prices SET cents = cents * 2;
-- later
INSERT INTO prices VALUES (NULL, 1), (NULL, 1);
-- left
-- expect
-- partial: refused: since the point
-- full: done
