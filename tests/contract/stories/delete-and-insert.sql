-- SPDX-License-Identifier: Apache-2.0
-- change: a row is deleted, and its key goes to another one
DELETE FROM members WHERE id = 2;
INSERT INTO members VALUES (2, 3, 'flo@x', 'Flo', 7);

-- later: nothing

-- later: a column
UPDATE members SET points = 8 WHERE id = 2;
-- conflicts
--   data members 2 (points)
-- partial
--   members 2 3 'flo@x' 'Flo' 8

-- later: the row is deleted
DELETE FROM members WHERE id = 2;
-- conflicts
--   not-found members 2
-- partial
--   no members 2

-- later: the unique value of the row that went goes to a new row
INSERT INTO members VALUES (9, 3, 'bob@x', 'Gus', 8);
-- conflicts
--   constraint members 2
-- partial
--   members 2 3 'flo@x' 'Flo' 7
--   members 9 3 'bob@x' 'Gus' 8
-- replace: refused

-- later: the row that went is inserted again
DELETE FROM members WHERE id = 2;
INSERT INTO members VALUES (2, 1, 'bob@x', 'Bob', 20);

-- later: the new row gets a child
INSERT INTO badges VALUES (2, 'gold', 'won');
-- partial
--   badges 2 'gold' 'won'
