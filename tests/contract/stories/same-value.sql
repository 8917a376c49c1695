-- SPDX-License-Identifier: Apache-2.0
-- change: rows are written, and are afterwards as they were
UPDATE members SET points = 20 WHERE id = 2;
UPDATE members SET name = 'X' WHERE id = 3;
UPDATE members SET name = 'Cy' WHERE id = 3;
DELETE FROM badges WHERE member_id = 1 AND kind = 'tin';
INSERT INTO badges VALUES (1, 'tin', NULL);
INSERT INTO fees VALUES (9, NULL, NULL, 1);
DELETE FROM fees WHERE id = 9;

-- later: nothing

-- later: all of them
UPDATE members SET points = 22 WHERE id = 2;
DELETE FROM badges WHERE member_id = 1;
UPDATE members SET email = 'cyd@x' WHERE id = 3;
INSERT INTO fees VALUES (9, 3, NULL, 2);
-- partial
--   fees 9 3 NULL 2
--   members 2 1 'bob@x' 'Bob' 22
--   members 3 2 'cyd@x' 'Cy' 30
--   no badges 1 'gold'
--   no badges 1 'tin'
