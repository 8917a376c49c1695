-- SPDX-License-Identifier: Apache-2.0
-- change: two rows exchange their unique values
UPDATE members SET email = 'park@x' WHERE id = 1;
UPDATE members SET email = 'ann@x' WHERE id = 2;
UPDATE members SET email = 'bob@x' WHERE id = 1;

-- later: nothing

-- later: another column of one of them
UPDATE members SET points = 12 WHERE id = 1;
-- conflicts
--   data members 1 (points)
--   + constraint members 2
-- conflicts by column
-- partial
--   members 1 1 'bob@x' 'Ann' 12
--   members 2 1 'ann@x' 'Bob' 20
-- by column
--   members 1 1 'ann@x' 'Ann' 12

-- later: one of them gets another unique value
UPDATE members SET email = 'ana@x' WHERE id = 1;
-- conflicts
--   data members 1 (email)
-- partial
--   members 1 1 'ana@x' 'Ann' 10

-- later: one of them is deleted
DELETE FROM members WHERE id = 2;
-- conflicts
--   not-found members 2
-- partial
--   no members 2

-- later: they are exchanged again
UPDATE members SET email = 'park@x' WHERE id = 1;
UPDATE members SET email = 'bob@x' WHERE id = 2;
UPDATE members SET email = 'ann@x' WHERE id = 1;

-- later: one of them is deleted, and its unique value goes to a new row
DELETE FROM members WHERE id = 2;
INSERT INTO members VALUES (9, 3, 'ann@x', 'Flo', 7);
-- conflicts
--   constraint members 1
--   not-found members 2
-- partial
--   members 1 1 'bob@x' 'Ann' 10
--   members 9 3 'ann@x' 'Flo' 7
--   no members 2
-- replace: refused
