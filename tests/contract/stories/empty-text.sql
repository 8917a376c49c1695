-- SPDX-License-Identifier: Apache-2.0
-- change: a text becomes empty, an empty one NULL
UPDATE members SET name = '' WHERE id = 2;
UPDATE badges SET note = NULL WHERE member_id = 3;

-- later: nothing

-- later: the empty text becomes NULL, NULL the empty text
UPDATE members SET name = NULL WHERE id = 2;
UPDATE badges SET note = '' WHERE member_id = 3;
-- conflicts
--   data members 2 (name)
-- partial
--   members 2 1 'bob@x' NULL 20

-- later: the empty text becomes a blank
UPDATE members SET name = ' ' WHERE id = 2;
-- conflicts
--   data members 2 (name)
-- partial
--   members 2 1 'bob@x' ' ' 20

-- later: the key is the same in other letters
INSERT INTO badges VALUES (3, 'Gold', 'other');
-- partial
--   badges 3 'Gold' 'other'
