-- SPDX-License-Identifier: Apache-2.0
-- change: NULL becomes a value
UPDATE members SET email = 'di@x', points = 5 WHERE id = 4;

-- later: nothing

-- later: NULL again
UPDATE members SET email = NULL, points = NULL WHERE id = 4;

-- later: one NULL again
UPDATE members SET points = NULL WHERE id = 4;
-- conflicts
--   data members 4 (points)
-- partial
--   members 4 2 'di@x' 'Di' NULL

-- later: zero
UPDATE members SET points = 0 WHERE id = 4;
-- conflicts
--   data members 4 (points)
-- partial
--   members 4 2 'di@x' 'Di' 0
