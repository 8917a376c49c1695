-- SPDX-License-Identifier: Apache-2.0
-- story: two tables whose rows need each other, checked at the end of the transaction
-- before
CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER NOT NULL REFERENCES b DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL REFERENCES a ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
BEGIN;
INSERT INTO a VALUES (1, 1), (2, 2), (3, 2);
INSERT INTO b VALUES (1, 1), (2, 3);
COMMIT;
-- change
DELETE FROM a WHERE id = 1;
UPDATE b SET a_id = 2 WHERE id = 2;
-- later
INSERT INTO a VALUES (4, 2);
-- expect
-- partial: done
-- full: done
