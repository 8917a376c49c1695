-- SPDX-License-Identifier: Apache-2.0
-- change: a row gives its unique value up, and another one changes
UPDATE seats SET behind = NULL WHERE id = 2;
DELETE FROM seats WHERE id = 1;
UPDATE seats SET guest = 'Eve' WHERE id = 3;

-- later: nothing

-- later: a row that was changed takes the value
UPDATE seats SET place = 1 WHERE id = 3;
-- conflicts
--   data seats 3 (place)
--   + constraint seats 1
--   + foreign-key seats 2
-- conflicts by column
--   constraint seats 1
--   + foreign-key seats 2
-- partial
--   no seats 1
--   seats 2 'A' 2 'Bob' NULL
--   seats 3 'A' 1 'Eve' 2
-- replace: refused
-- by column
--   no seats 1
--   seats 2 'A' 2 'Bob' NULL
--   seats 3 'A' 1 NULL 2

-- later: two rows that were changed exchange theirs
UPDATE seats SET place = 1 WHERE id = 2;
UPDATE seats SET place = 2 WHERE id = 3;
-- conflicts
--   data seats 2 (place)
--   data seats 3 (place)
--   + constraint seats 1
-- conflicts by column
--   constraint seats 1
--   + foreign-key seats 2
-- partial
--   no seats 1
--   seats 2 'A' 1 'Bob' NULL
--   seats 3 'A' 2 'Eve' 2
-- by column
--   no seats 1
--   seats 2 'A' 1 'Bob' NULL
--   seats 3 'A' 2 NULL 2
