-- SPDX-License-Identifier: Apache-2.0
-- story: every row is deleted and put back as it was: no change, so nothing of what comes later conflicts
-- before
CREATE TABLE stock (id integer PRIMARY KEY, n integer);
INSERT INTO stock VALUES (1, 10), (2, 20), (3, 30);
-- change
CREATE TEMPORARY TABLE saved AS SELECT * FROM stock;
DELETE FROM stock;
INSERT INTO stock SELECT * FROM saved;
UPDATE stock SET n = n + 1 WHERE id = 3;
-- later
UPDATE stock SET n = 11 WHERE id = 1;
DELETE FROM stock WHERE id = 2;
-- expect
-- partial: done
-- full: done
