-- SPDX-License-Identifier: Apache-2.0
-- change: a parent is deleted, and the reference to it becomes NULL
DELETE FROM teams WHERE id = 4;

-- later: nothing

-- later: another column
UPDATE fees SET cents = 44 WHERE id = 4;
-- conflicts
--   data fees 4 (cents)
-- conflicts by column
-- partial
--   fees 4 NULL NULL 44
-- by column
--   fees 4 4 NULL 44

-- later: the reference gets another value
UPDATE fees SET team_id = 3 WHERE id = 4;
-- conflicts
--   data fees 4 (team_id)
-- partial
--   fees 4 3 NULL 40

-- later: the row is deleted
DELETE FROM fees WHERE id = 4;
-- conflicts
--   not-found fees 4
-- partial
--   no fees 4
