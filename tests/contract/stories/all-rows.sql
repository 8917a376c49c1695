-- SPDX-License-Identifier: Apache-2.0
-- change: all rows are updated
UPDATE members SET points = -points WHERE id BETWEEN 1 AND 99;

-- later: nothing

-- later: one row in the same column, one in another, one is deleted, one is new
UPDATE members SET points = 99 WHERE id = 1;
UPDATE members SET name = 'Bobby' WHERE id = 2;
UPDATE fees SET payer = NULL WHERE payer = 3;
DELETE FROM members WHERE id = 3;
INSERT INTO members VALUES (9, 3, 'flo@x', 'Flo', 7);
-- conflicts
--   data members 1 (points)
--   data members 2 (name)
--   not-found members 3
-- conflicts by column
--   data members 1 (points)
--   not-found members 3
-- partial
--   fees 1 1 NULL 500
--   fees 2 2 NULL 700
--   members 1 1 'ann@x' 'Ann' 99
--   members 2 1 'bob@x' 'Bobby' -20
--   members 9 3 'flo@x' 'Flo' 7
--   no badges 3 'gold'
--   no members 3
-- replace
--   fees 1 1 NULL 500
--   fees 2 2 NULL 700
--   members 9 3 'flo@x' 'Flo' 7
--   no badges 3 'gold'
-- by column
--   fees 1 1 NULL 500
--   fees 2 2 NULL 700
--   members 1 1 'ann@x' 'Ann' 99
--   members 2 1 'bob@x' 'Bobby' 20
--   members 9 3 'flo@x' 'Flo' 7
--   no badges 3 'gold'
--   no members 3
-- cascade
--   fees 1 1 NULL 500
--   fees 2 2 NULL 700
--   members 9 3 'flo@x' 'Flo' 7
-- cascade, on SQLite also
--   no badges 3 'gold'

-- later: all rows again
UPDATE members SET points = points + points WHERE id BETWEEN 1 AND 99;
-- conflicts
--   data members 1 (points)
--   data members 2 (points)
--   data members 3 (points)
-- partial
--   members 1 1 'ann@x' 'Ann' -20
--   members 2 1 'bob@x' 'Bob' -40
--   members 3 2 'cy@x' 'Cy' -60
