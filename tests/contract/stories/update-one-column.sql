-- SPDX-License-Identifier: Apache-2.0
-- change: one column of a row is updated
UPDATE members SET points = 21 WHERE id = 2;

-- later: nothing

-- later: the same column of the same row
UPDATE members SET points = 22 WHERE id = 2;
-- conflicts
--   data members 2 (points)
-- partial
--   members 2 1 'bob@x' 'Bob' 22

-- later: another column of the same row
UPDATE members SET name = 'Bobby' WHERE id = 2;
-- conflicts
--   data members 2 (name)
-- conflicts by column
-- partial
--   members 2 1 'bob@x' 'Bobby' 21
-- by column
--   members 2 1 'bob@x' 'Bobby' 20

-- later: the same column and another one
UPDATE members SET name = 'Bobby', points = 22 WHERE id = 2;
-- conflicts
--   data members 2 (name, points)
-- partial
--   members 2 1 'bob@x' 'Bobby' 22

-- later: the column is set back by hand
UPDATE members SET points = 20 WHERE id = 2;

-- later: the column goes somewhere else and comes back
UPDATE members SET points = 99 WHERE id = 2;
UPDATE members SET points = 21 WHERE id = 2;

-- later: the row is deleted
DELETE FROM members WHERE id = 2;
-- conflicts
--   not-found members 2
-- partial
--   no members 2

-- later: the row is deleted and inserted again, equal
DELETE FROM members WHERE id = 2;
INSERT INTO members VALUES (2, 1, 'bob@x', 'Bob', 21);

-- later: the key goes to another row
DELETE FROM members WHERE id = 2;
INSERT INTO members VALUES (2, 3, 'flo@x', 'Flo', 7);
-- conflicts
--   data members 2 (team_id, email, name, points)
-- partial
--   members 2 3 'flo@x' 'Flo' 7

-- later: the row gets another key
UPDATE members SET id = 9 WHERE id = 2;
-- conflicts
--   not-found members 2
-- partial
--   members 9 1 'bob@x' 'Bob' 21
--   no members 2
-- replace: refused

-- later: only other rows
UPDATE members SET points = 12 WHERE id = 1;
DELETE FROM badges WHERE member_id = 3;
INSERT INTO members VALUES (9, 3, 'flo@x', 'Flo', 7);
-- partial
--   members 1 1 'ann@x' 'Ann' 12
--   members 9 3 'flo@x' 'Flo' 7
--   no badges 3 'gold'
