-- SPDX-License-Identifier: Apache-2.0
-- story: a later row takes the key of a deleted one, in other letters
-- before
CREATE TABLE u (name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE, v INTEGER);
INSERT INTO u VALUES ('Ann', 1), ('Bob', 2), ('Cy', 3);
-- change
DELETE FROM u WHERE name = 'Ann';
UPDATE u SET name = 'BOB' WHERE name = 'Bob';
UPDATE u SET v = 4 WHERE name = 'Cy';
-- later
INSERT INTO u VALUES ('ANN', 9);
-- left
DELETE FROM u WHERE name = 'Ann';
INSERT INTO u VALUES ('ANN', 9);
-- expect
-- partial: conflicts
--   constraint u Ann
-- full: done
