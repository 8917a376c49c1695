-- SPDX-License-Identifier: Apache-2.0
-- change: a child of a row that was there is inserted
INSERT INTO badges VALUES (2, 'gold', 'won');

-- later: nothing

-- later: the child is changed
UPDATE badges SET note = 'late' WHERE member_id = 2;
-- conflicts
--   data badges (2, gold) (note)
-- partial
--   badges 2 'gold' 'late'

-- later: the parent is deleted
DELETE FROM members WHERE id = 2;
-- partial
--   no members 2

-- later: the parent gets another key, and the child follows
UPDATE members SET id = 9 WHERE id = 2;
-- partial
--   badges 9 'gold' 'won'
--   members 9 1 'bob@x' 'Bob' 20
--   no members 2

-- later: another child
INSERT INTO badges VALUES (2, 'tin', 'late');
-- partial
--   badges 2 'tin' 'late'
