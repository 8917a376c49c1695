-- SPDX-License-Identifier: Apache-2.0
-- change: a row is deleted, with the rows behind it in the same table
DELETE FROM seats WHERE id = 1;

-- later: nothing

-- later: the key of the first goes to another row
INSERT INTO seats VALUES (1, 'C', 1, 'Flo', NULL);
-- conflicts
--   exists seats 1
-- partial
--   seats 1 'C' 1 'Flo' NULL

-- later: the key of the second goes to another row, behind another one
INSERT INTO seats VALUES (2, 'C', 1, 'Flo', 4);
-- conflicts
--   exists seats 2
-- partial
--   seats 2 'C' 1 'Flo' 4

-- later: the unique value of the second goes to a new row
INSERT INTO seats VALUES (9, 'A', 2, 'Flo', NULL);
-- conflicts
--   constraint seats 2
--   + foreign-key seats 3
-- partial
--   no seats 2
--   no seats 3
--   seats 9 'A' 2 'Flo' NULL
-- replace: refused

-- later: the unique value of the last goes to a row that was there
UPDATE seats SET hall = 'A', place = 3 WHERE id = 5;
-- conflicts
--   constraint seats 3
-- partial
--   no seats 3
--   seats 5 'A' 3 '' 4
-- replace: refused

-- later: the first two are inserted again, equal
INSERT INTO seats VALUES (1, 'A', 1, 'Ann', NULL);
INSERT INTO seats VALUES (2, 'A', 2, 'Bob', 1);
