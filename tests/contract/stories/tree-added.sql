-- SPDX-License-Identifier: Apache-2.0
-- change: rows that refer to each other are inserted
INSERT INTO seats VALUES (7, 'C', 7, 'Eve', NULL);
INSERT INTO seats VALUES (8, 'C', 8, 'Fay', 7);
INSERT INTO seats VALUES (9, 'C', 9, 'Gil', 8);

-- later: nothing

-- later: the last one is changed
UPDATE seats SET guest = 'Gus' WHERE id = 9;
-- conflicts
--   data seats 9 (guest)
--   + foreign-key seats 7
--   + foreign-key seats 8
-- partial
--   seats 7 'C' 7 'Eve' NULL
--   seats 8 'C' 8 'Fay' 7
--   seats 9 'C' 9 'Gus' 8

-- later: another one refers to the last
INSERT INTO seats VALUES (10, 'C', 10, 'Hal', 9);
-- conflicts
--   foreign-key seats 9
--   + foreign-key seats 7
--   + foreign-key seats 8
-- partial
--   seats 10 'C' 10 'Hal' 9
--   seats 7 'C' 7 'Eve' NULL
--   seats 8 'C' 8 'Fay' 7
--   seats 9 'C' 9 'Gil' 8
-- replace: refused

-- later: one that was there refers to the first
UPDATE seats SET behind = 7 WHERE id = 4;
-- conflicts
--   foreign-key seats 7
-- partial
--   seats 4 'B' 1 'Di' 7
--   seats 7 'C' 7 'Eve' NULL
-- replace: refused

-- later: the second refers to one that was there
UPDATE seats SET behind = 3 WHERE id = 8;
-- conflicts
--   data seats 8 (behind)
-- partial
--   seats 8 'C' 8 'Fay' 3

-- later: the first refers to the last
UPDATE seats SET behind = 9 WHERE id = 7;
-- conflicts
--   data seats 7 (behind)
--   + foreign-key seats 8
--   + foreign-key seats 9
-- partial
--   seats 7 'C' 7 'Eve' 9
--   seats 8 'C' 8 'Fay' 7
--   seats 9 'C' 9 'Gil' 8

-- later: the first is deleted, with the others
DELETE FROM seats WHERE id = 7;
