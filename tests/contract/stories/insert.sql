-- SPDX-License-Identifier: Apache-2.0
-- change: a row is inserted
INSERT INTO members VALUES (9, 3, 'flo@x', 'Flo', 7);

-- later: nothing

-- later: the row is changed
UPDATE members SET points = 8 WHERE id = 9;
-- conflicts
--   data members 9 (points)
-- partial
--   members 9 3 'flo@x' 'Flo' 8

-- later: the row is changed and changed back
UPDATE members SET points = 8 WHERE id = 9;
UPDATE members SET points = 7 WHERE id = 9;

-- later: the row is deleted
DELETE FROM members WHERE id = 9;

-- later: the row is deleted and inserted again, equal
DELETE FROM members WHERE id = 9;
INSERT INTO members VALUES (9, 3, 'flo@x', 'Flo', 7);

-- later: the row is deleted, and its key goes to another one
DELETE FROM members WHERE id = 9;
INSERT INTO members VALUES (9, 2, 'gus@x', 'Gus', 8);
-- conflicts
--   data members 9 (team_id, email, name, points)
-- partial
--   members 9 2 'gus@x' 'Gus' 8

-- later: the row gets a child that would go with it
INSERT INTO badges VALUES (9, 'gold', 'won');
-- conflicts
--   foreign-key members 9
-- partial
--   badges 9 'gold' 'won'
--   members 9 3 'flo@x' 'Flo' 7
-- replace: refused

-- later: the row gets a child that would hold it
INSERT INTO fees VALUES (9, 3, 9, 900);
-- conflicts
--   foreign-key members 9
-- partial
--   fees 9 3 9 900
--   members 9 3 'flo@x' 'Flo' 7
-- replace: refused

-- later: the row gets a child, which goes again
INSERT INTO badges VALUES (9, 'gold', 'won');
DELETE FROM badges WHERE member_id = 9;

-- later: the parent is deleted
UPDATE fees SET team_id = NULL WHERE team_id = 3;
DELETE FROM teams WHERE id = 3;
-- partial
--   fees 3 NULL NULL NULL
--   no members 5
--   no teams 3
