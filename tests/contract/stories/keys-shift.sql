-- SPDX-License-Identifier: Apache-2.0
-- change: each row gets the key of the next
UPDATE seats SET id = 6 WHERE id = 5;
UPDATE seats SET id = 5, behind = NULL WHERE id = 3;
UPDATE seats SET id = 3 WHERE id = 2;

-- later: nothing

-- later: a row that moved is changed
UPDATE seats SET guest = 'Flo' WHERE id = 5;
-- conflicts
--   data seats 5 (guest)
--   + constraint seats 2
--   + constraint seats 3
-- partial
--   no seats 2
--   seats 3 'A' 2 'Bob' 1
--   seats 5 'A' 3 'Flo' NULL

-- later: a row that moved is deleted
DELETE FROM seats WHERE id = 5;
-- conflicts
--   not-found seats 5
-- partial
--   no seats 5

-- later: the key that became free goes to another row
INSERT INTO seats VALUES (2, 'C', 2, 'Flo', NULL);
-- conflicts
--   exists seats 2
-- partial
--   seats 2 'C' 2 'Flo' NULL

-- later: a row refers to a key that has a new row
UPDATE seats SET behind = 3 WHERE id = 1;
-- partial
--   seats 1 'A' 1 'Ann' 3
