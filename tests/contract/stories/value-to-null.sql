-- SPDX-License-Identifier: Apache-2.0
-- change: values become NULL
UPDATE members SET email = NULL, points = NULL WHERE id = 2;

-- later: nothing

-- later: NULL becomes zero
UPDATE members SET points = 0 WHERE id = 2;
-- conflicts
--   data members 2 (points)
-- partial
--   members 2 1 NULL 'Bob' 0

-- later: the unique value goes to a new row
INSERT INTO members VALUES (9, 3, 'bob@x', 'Flo', 7);
-- conflicts
--   constraint members 2
-- partial
--   members 2 1 NULL 'Bob' NULL
--   members 9 3 'bob@x' 'Flo' 7
-- replace: refused

-- later: another column
UPDATE members SET name = NULL WHERE id = 2;
-- conflicts
--   data members 2 (name)
-- conflicts by column
-- partial
--   members 2 1 NULL NULL NULL
-- by column
--   members 2 1 'bob@x' NULL 20
