-- SPDX-License-Identifier: Apache-2.0
-- change: a row gets another key
UPDATE members SET id = 9 WHERE id = 2;

-- later: nothing

-- later: the old key goes to another row
INSERT INTO members VALUES (2, 3, 'flo@x', 'Flo', 7);
-- conflicts
--   exists members 2
-- partial
--   members 2 3 'flo@x' 'Flo' 7

-- later: the row is changed under its new key
UPDATE members SET points = 22 WHERE id = 9;
-- conflicts
--   data members 9 (points)
--   + constraint members 2
-- partial
--   members 9 1 'bob@x' 'Bob' 22
--   no members 2

-- later: the row is deleted under its new key
DELETE FROM members WHERE id = 9;

-- later: the row gets its old key back by hand
UPDATE members SET id = 2 WHERE id = 9;

-- later: a row refers to the new key
INSERT INTO badges VALUES (9, 'gold', 'won');
-- conflicts
--   foreign-key members 9
--   + constraint members 2
-- partial
--   badges 9 'gold' 'won'
--   members 9 1 'bob@x' 'Bob' 20
--   no members 2
-- replace: refused
