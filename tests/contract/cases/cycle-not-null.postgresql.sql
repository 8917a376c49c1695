-- SPDX-License-Identifier: Apache-2.0
-- story: rows of two tables need each other: neither side may be NULL, and nothing can be deferred
-- before
CREATE TABLE a (id integer PRIMARY KEY, b_id integer NOT NULL);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer NOT NULL REFERENCES a);
INSERT INTO a VALUES (1, 1), (2, 2), (3, 2);
INSERT INTO b VALUES (1, 1), (2, 3);
ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES b;
-- change
WITH gone AS (DELETE FROM a WHERE id = 1) DELETE FROM b WHERE id = 1;
UPDATE b SET a_id = 2 WHERE id = 2;
-- later
INSERT INTO a VALUES (4, 2);
-- expect
-- partial: done
-- full: done
