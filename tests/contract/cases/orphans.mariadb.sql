-- SPDX-License-Identifier: Apache-2.0
-- story: rows whose parent was never there, from a load without checks, change and come back as they were
-- before
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p_id integer REFERENCES p (id) ON DELETE CASCADE, v text);
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1, 1, 'a');
SET foreign_key_checks = 0;
INSERT INTO c VALUES (2, 99, 'orphan');
-- change
UPDATE c SET v = 'changed' WHERE id = 2;
DELETE FROM p WHERE id = 1;
-- later
INSERT INTO p VALUES (2);
-- expect
-- partial: done
-- full: done
