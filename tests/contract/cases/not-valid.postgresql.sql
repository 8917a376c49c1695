-- SPDX-License-Identifier: Apache-2.0
-- story: constraints that are NOT VALID, and rows that violate them and are not touched
-- before
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p_id integer, n integer);
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1, 1, 1), (2, 99, -1), (3, 1, 5);
ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p_id) REFERENCES p NOT VALID, ADD CONSTRAINT c_n CHECK (n > 0) NOT VALID;
-- change
UPDATE c SET n = 7 WHERE id = 3;
DELETE FROM c WHERE id = 1;
-- later
INSERT INTO c VALUES (4, 1, 4);
-- expect
-- partial: done
-- full: done
