-- SPDX-License-Identifier: Apache-2.0
-- change: a row that was first comes last
UPDATE seats SET behind = NULL WHERE id = 2;
UPDATE seats SET behind = 3 WHERE id = 1;

-- later: nothing

-- later: another column of the last one
UPDATE seats SET guest = 'Flo' WHERE id = 1;
-- conflicts
--   data seats 1 (guest)
-- conflicts by column
-- partial
--   seats 1 'A' 1 'Flo' 3
-- by column
--   seats 1 'A' 1 'Flo' NULL

-- later: the last one is deleted
DELETE FROM seats WHERE id = 1;
-- conflicts
--   not-found seats 1
--   + foreign-key seats 2
-- partial
--   no seats 1
--   seats 2 'A' 2 'Bob' NULL

-- later: the first one is deleted, with the others
DELETE FROM seats WHERE id = 2;
-- conflicts
--   not-found seats 1
--   not-found seats 2
-- partial
--   no seats 1
--   no seats 2
--   no seats 3
-- replace
--   no seats 3
-- cascade, on SQLite also
--   no seats 3

-- later: the last one is put somewhere else
UPDATE seats SET behind = 4 WHERE id = 1;
-- conflicts
--   data seats 1 (behind)
-- partial
--   seats 1 'A' 1 'Ann' 4
