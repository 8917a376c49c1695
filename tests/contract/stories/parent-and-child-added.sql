-- SPDX-License-Identifier: Apache-2.0
-- change: a parent and its child are inserted
INSERT INTO teams VALUES (9, 'new');
INSERT INTO members VALUES (9, 9, 'flo@x', 'Flo', 7);

-- later: nothing

-- later: another child
INSERT INTO members VALUES (10, 9, 'gus@x', 'Gus', 8);
-- conflicts
--   foreign-key teams 9
-- partial
--   members 10 9 'gus@x' 'Gus' 8
--   teams 9 'new'
-- replace: refused

-- later: a grandchild
INSERT INTO badges VALUES (9, 'gold', 'won');
-- conflicts
--   foreign-key members 9
--   + foreign-key teams 9
-- partial
--   badges 9 'gold' 'won'
--   members 9 9 'flo@x' 'Flo' 7
--   teams 9 'new'
-- replace: refused

-- later: the child gets another parent
UPDATE members SET team_id = 3 WHERE id = 9;
-- conflicts
--   data members 9 (team_id)
-- partial
--   members 9 3 'flo@x' 'Flo' 7

-- later: the parent is changed
UPDATE teams SET name = 'newer' WHERE id = 9;
-- conflicts
--   data teams 9 (name)
-- partial
--   teams 9 'newer'

-- later: an old row becomes a child
UPDATE members SET team_id = 9 WHERE id = 5;
-- conflicts
--   foreign-key teams 9
-- partial
--   members 5 9 '@x' 'Ed' 0
--   teams 9 'new'
-- replace: refused
