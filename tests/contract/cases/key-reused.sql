-- SPDX-License-Identifier: Apache-2.0
-- story: the key of a deleted row is given to another row, that of an added row is freed and reused
-- before
CREATE TABLE badges (id integer PRIMARY KEY, holder text);
INSERT INTO badges VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cy');
-- change
DELETE FROM badges WHERE id = 1;
DELETE FROM badges WHERE id = 2;
INSERT INTO badges VALUES (8, 'Hal');
-- later
INSERT INTO badges VALUES (1, 'Eve');
INSERT INTO badges VALUES (2, 'Bob');
DELETE FROM badges WHERE id = 8;
INSERT INTO badges VALUES (8, 'Ida');
-- left
UPDATE badges SET holder = 'Eve' WHERE id = 1;
INSERT INTO badges VALUES (8, 'Ida');
-- expect
-- partial: conflicts
--   exists badges 1
--   data badges 8 (holder)
-- full: done
