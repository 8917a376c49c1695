-- SPDX-License-Identifier: Apache-2.0
-- change: a table is emptied and filled again; one row comes back equal, one changed, two do not, one is new
DELETE FROM fees WHERE id BETWEEN 1 AND 99;
INSERT INTO fees VALUES (1, 1, 3, 500), (2, 2, 3, 777), (9, 3, NULL, 9);

-- later: nothing

-- later: the row that came back equal is deleted
DELETE FROM fees WHERE id = 1;
-- partial
--   no fees 1

-- later: the changed one is changed again, and the new one is deleted
UPDATE fees SET cents = 778 WHERE id = 2;
DELETE FROM fees WHERE id = 9;
-- conflicts
--   data fees 2 (cents)
-- partial
--   fees 2 2 3 778

-- later: the key of one that did not come back is used again
INSERT INTO fees VALUES (4, 3, 5, 1);
-- conflicts
--   exists fees 4
-- partial
--   fees 4 3 5 1

-- later: the table is emptied
DELETE FROM fees WHERE id BETWEEN 1 AND 99;
-- conflicts
--   not-found fees 2
-- partial
--   no fees 1
--   no fees 2
-- replace
--   no fees 1
-- cascade, on SQLite also
--   no fees 1
