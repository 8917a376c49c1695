-- SPDX-License-Identifier: Apache-2.0
-- change: three rows hand on their unique values in a ring
UPDATE seats SET place = NULL WHERE id = 1;
UPDATE seats SET place = 1 WHERE id = 2;
UPDATE seats SET place = 2 WHERE id = 3;
UPDATE seats SET place = 3 WHERE id = 1;

-- later: nothing

-- later: another column of one of them
UPDATE seats SET guest = 'Flo' WHERE id = 2;
-- conflicts
--   data seats 2 (guest)
--   + constraint seats 1
--   + constraint seats 3
-- conflicts by column
-- partial
--   seats 1 'A' 3 'Ann' NULL
--   seats 2 'A' 1 'Flo' 1
--   seats 3 'A' 2 NULL 2
-- by column
--   seats 2 'A' 2 'Flo' 1

-- later: one of them gets another value
UPDATE seats SET place = 9 WHERE id = 2;
-- conflicts
--   data seats 2 (place)
-- partial
--   seats 2 'A' 9 'Bob' 1

-- later: one of them gets another value, and a new row takes its old one
UPDATE seats SET place = 9 WHERE id = 2;
INSERT INTO seats VALUES (9, 'A', 1, 'Flo', NULL);
-- conflicts
--   constraint seats 1
--   data seats 2 (place)
--   + constraint seats 3
-- partial
--   seats 1 'A' 3 'Ann' NULL
--   seats 2 'A' 9 'Bob' 1
--   seats 3 'A' 2 NULL 2
--   seats 9 'A' 1 'Flo' NULL
-- replace: refused

-- later: two of them exchange theirs
UPDATE seats SET place = NULL WHERE id = 1;
UPDATE seats SET place = 3 WHERE id = 2;
UPDATE seats SET place = 1 WHERE id = 1;
-- conflicts
--   data seats 2 (place)
--   + constraint seats 3
-- partial
--   seats 2 'A' 3 'Bob' 1
--   seats 3 'A' 2 NULL 2
