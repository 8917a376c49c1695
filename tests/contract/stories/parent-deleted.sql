-- SPDX-License-Identifier: Apache-2.0
-- change: a parent is deleted, and what refers to it goes or becomes NULL
DELETE FROM teams WHERE id = 1;

-- later: nothing

-- later: the parent's key goes to another row
INSERT INTO teams VALUES (1, 'pink');
-- conflicts
--   exists teams 1
-- partial
--   teams 1 'pink'

-- later: a child's key goes to another row
INSERT INTO members VALUES (1, 3, 'flo@x', 'Flo', 7);
-- conflicts
--   exists members 1
-- partial
--   members 1 3 'flo@x' 'Flo' 7

-- later: a child's unique value goes to another row
INSERT INTO members VALUES (9, 3, 'ann@x', 'Flo', 7);
-- conflicts
--   constraint members 1
--   + foreign-key badges (1, gold)
--   + foreign-key badges (1, tin)
-- partial
--   members 9 3 'ann@x' 'Flo' 7
--   no badges 1 'gold'
--   no badges 1 'tin'
--   no members 1
-- replace: refused

-- later: the reference that became NULL gets another value
UPDATE fees SET team_id = 3 WHERE id = 1;
-- conflicts
--   data fees 1 (team_id)
-- partial
--   fees 1 3 3 500

-- later: another column of the row whose reference became NULL
UPDATE fees SET cents = 555 WHERE id = 1;
-- conflicts
--   data fees 1 (cents)
-- conflicts by column
-- partial
--   fees 1 NULL 3 555
-- by column
--   fees 1 1 3 555

-- later: the parent and one child are inserted again, equal
INSERT INTO teams VALUES (1, 'red');
INSERT INTO members VALUES (1, 1, 'ann@x', 'Ann', 10);
