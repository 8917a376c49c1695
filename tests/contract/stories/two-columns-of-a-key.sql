-- SPDX-License-Identifier: Apache-2.0
-- change: one of two columns of a unique key is updated
UPDATE seats SET hall = 'C' WHERE id IN (1, 2);

-- later: nothing

-- later: the other column of the key
UPDATE seats SET place = 9 WHERE id = 1;
-- conflicts
--   data seats 1 (place)
-- partial
--   seats 1 'C' 9 'Ann' NULL

-- later: a column that is not of the key
UPDATE seats SET guest = 'Flo' WHERE id = 1;
-- conflicts
--   data seats 1 (guest)
-- conflicts by column
-- partial
--   seats 1 'C' 1 'Flo' NULL
-- by column
--   seats 1 'A' 1 'Flo' NULL

-- later: the old values of one go to a new row
INSERT INTO seats VALUES (9, 'A', 1, 'Flo', NULL);
-- conflicts
--   constraint seats 1
-- partial
--   seats 1 'C' 1 'Ann' NULL
--   seats 9 'A' 1 'Flo' NULL
-- replace: refused

-- later: the new values go to another row
UPDATE seats SET hall = 'D' WHERE id = 1;
INSERT INTO seats VALUES (9, 'C', 1, 'Flo', NULL);
-- conflicts
--   data seats 1 (hall)
-- partial
--   seats 1 'D' 1 'Ann' NULL
--   seats 9 'C' 1 'Flo' NULL
-- replace
--   seats 9 'C' 1 'Flo' NULL
-- cascade
--   seats 9 'C' 1 'Flo' NULL

-- later: the old values of one go to the other
UPDATE seats SET hall = 'A', place = 1 WHERE id = 2;
-- conflicts
--   data seats 2 (hall, place)
--   + constraint seats 1
-- partial
--   seats 1 'C' 1 'Ann' NULL
--   seats 2 'A' 1 'Bob' 1
