-- SPDX-License-Identifier: Apache-2.0
-- change: a parent gets another key, and references follow or become NULL
UPDATE teams SET id = 8 WHERE id = 1;

-- later: nothing

-- later: another child of the new key
INSERT INTO members VALUES (9, 8, 'flo@x', 'Flo', 7);
-- conflicts
--   foreign-key teams 8
-- partial
--   members 9 8 'flo@x' 'Flo' 7
--   teams 8 'red'
-- replace: refused

-- later: another column of a child that followed
UPDATE members SET points = 12 WHERE id = 1;
-- conflicts
--   data members 1 (points)
--   + foreign-key teams 8
-- conflicts by column
-- partial
--   members 1 8 'ann@x' 'Ann' 12
--   teams 8 'red'
-- by column
--   members 1 1 'ann@x' 'Ann' 12

-- later: a child that followed is deleted
DELETE FROM members WHERE id = 2;
-- conflicts
--   not-found members 2
-- partial
--   no members 2

-- later: a child that followed gets another parent
UPDATE members SET team_id = 3 WHERE id = 1;
-- conflicts
--   data members 1 (team_id)
-- partial
--   members 1 3 'ann@x' 'Ann' 10

-- later: the old key goes to another row
INSERT INTO teams VALUES (1, 'pink');
-- conflicts
--   exists teams 1
-- partial
--   teams 1 'pink'

-- later: the parent gets its old key back by hand
UPDATE teams SET id = 1 WHERE id = 8;
