-- SPDX-License-Identifier: Apache-2.0
-- change: rows are made to refer to each other in a ring, which is deleted
UPDATE seats SET behind = 3 WHERE id = 1;
DELETE FROM seats WHERE id = 2;

-- later: nothing

-- later: the unique value of one goes to a new row
INSERT INTO seats VALUES (9, 'A', 3, 'Flo', NULL);
-- conflicts
--   constraint seats 3
-- partial
--   no seats 3
--   seats 9 'A' 3 'Flo' NULL
-- replace: refused

-- later: the key of one goes to another row
INSERT INTO seats VALUES (3, 'C', 3, 'Flo', NULL);
-- conflicts
--   exists seats 3
-- partial
--   seats 3 'C' 3 'Flo' NULL
