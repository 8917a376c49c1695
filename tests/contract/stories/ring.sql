-- SPDX-License-Identifier: Apache-2.0
-- change: rows come to refer to each other in a ring
UPDATE seats SET behind = 3 WHERE id = 1;

-- later: nothing

-- later: one of the ring is deleted, with the others
DELETE FROM seats WHERE id = 2;
-- conflicts
--   not-found seats 1
-- partial
--   no seats 1
--   no seats 2
--   no seats 3
-- replace
--   no seats 2
--   no seats 3
-- cascade, on SQLite also
--   no seats 2
--   no seats 3

-- later: the ring is broken somewhere else
UPDATE seats SET behind = NULL WHERE id = 3;
-- partial
--   seats 3 'A' 3 NULL NULL

-- later: a row joins the ring
INSERT INTO seats VALUES (9, 'C', 9, 'Flo', 3);
UPDATE seats SET behind = 9 WHERE id = 1;
-- conflicts
--   data seats 1 (behind)
-- partial
--   seats 1 'A' 1 'Ann' 9
--   seats 9 'C' 9 'Flo' 3
-- replace
--   seats 9 'C' 9 'Flo' 3
-- cascade
--   seats 9 'C' 9 'Flo' 3
