-- SPDX-License-Identifier: Apache-2.0
-- change: two columns of a row are updated
UPDATE members SET name = 'Robert', points = 21 WHERE id = 2;

-- later: nothing

-- later: one of the two
UPDATE members SET points = 22 WHERE id = 2;
-- conflicts
--   data members 2 (points)
-- partial
--   members 2 1 'bob@x' 'Robert' 22

-- later: a third column
UPDATE members SET email = 'rob@x' WHERE id = 2;
-- conflicts
--   data members 2 (email)
-- conflicts by column
-- partial
--   members 2 1 'rob@x' 'Robert' 21
-- by column
--   members 2 1 'rob@x' 'Bob' 20

-- later: one of the two, and a third column
UPDATE members SET team_id = 3, points = 22 WHERE id = 2;
-- conflicts
--   data members 2 (team_id, points)
-- partial
--   members 2 3 'bob@x' 'Robert' 22

-- later: one of the two is set back by hand
UPDATE members SET name = 'Bob' WHERE id = 2;
-- conflicts
--   data members 2 (name)
-- partial
--   members 2 1 'bob@x' 'Bob' 21
