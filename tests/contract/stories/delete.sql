-- SPDX-License-Identifier: Apache-2.0
-- change: a row is deleted
DELETE FROM members WHERE id = 2;

-- later: nothing

-- later: the key goes to another row
INSERT INTO members VALUES (2, 3, 'flo@x', 'Flo', 7);
-- conflicts
--   exists members 2
-- partial
--   members 2 3 'flo@x' 'Flo' 7

-- later: the row is inserted again, equal
INSERT INTO members VALUES (2, 1, 'bob@x', 'Bob', 20);

-- later: the row is inserted again, with another value
INSERT INTO members VALUES (2, 1, 'bob@x', 'Bob', 99);
-- conflicts
--   exists members 2
-- partial
--   members 2 1 'bob@x' 'Bob' 99

-- later: its unique value goes to a new row
INSERT INTO members VALUES (9, 3, 'bob@x', 'Flo', 7);
-- conflicts
--   constraint members 2
-- partial
--   members 9 3 'bob@x' 'Flo' 7
--   no members 2
-- replace: refused

-- later: its unique value goes to a row that was there
UPDATE members SET email = 'bob@x' WHERE id = 5;
-- conflicts
--   constraint members 2
-- partial
--   members 5 3 'bob@x' 'Ed' 0
--   no members 2
-- replace: refused

-- later: the key and the unique value go to two rows
INSERT INTO members VALUES (2, 3, 'flo@x', 'Flo', 7), (9, 3, 'bob@x', 'Gus', 8);
-- conflicts
--   exists members 2
-- partial
--   members 2 3 'flo@x' 'Flo' 7
--   members 9 3 'bob@x' 'Gus' 8
-- replace: refused

-- later: the parent is deleted
DELETE FROM teams WHERE id = 1;
-- conflicts
--   foreign-key members 2
-- partial
--   fees 1 NULL 3 500
--   no badges 1 'gold'
--   no badges 1 'tin'
--   no members 1
--   no members 2
--   no teams 1
-- replace: refused
-- cascade, on SQLite also
--   fees 1 NULL 3 500
--   no badges 1 'gold'
--   no badges 1 'tin'
--   no members 1

-- later: the parent gets another key
UPDATE teams SET id = 8 WHERE id = 1;
-- conflicts
--   foreign-key members 2
-- partial
--   fees 1 NULL 3 500
--   members 1 8 'ann@x' 'Ann' 10
--   no members 2
--   no teams 1
--   teams 8 'red'
-- replace: refused
-- cascade, on SQLite also
--   fees 1 NULL 3 500
--   members 1 8 'ann@x' 'Ann' 10
--   teams 8 'red'
