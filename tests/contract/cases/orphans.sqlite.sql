-- SPDX-License-Identifier: Apache-2.0
-- story: rows that violate a foreign key were there before, and come back with their violation
-- before
CREATE TABLE p (id INTEGER PRIMARY KEY);
CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER NOT NULL REFERENCES p);
PRAGMA foreign_keys = OFF;
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1, 1), (2, 99), (3, 98);
-- change
DELETE FROM c WHERE id = 2;
UPDATE c SET p_id = 1 WHERE id = 3;
-- left
DELETE FROM c WHERE id = 2;
UPDATE c SET p_id = 1 WHERE id = 3;
-- expect
-- partial: conflicts
--   foreign-key c 2
--   foreign-key c 3
-- full: done
