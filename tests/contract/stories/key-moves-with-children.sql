-- SPDX-License-Identifier: Apache-2.0
-- change: a row gets another key, and its children follow
UPDATE members SET id = 9 WHERE id = 1;

-- later: nothing

-- later: another child of the new key
INSERT INTO badges VALUES (9, 'iron', 'third');
-- conflicts
--   foreign-key members 9
--   + constraint members 1
--   + foreign-key badges (1, gold)
--   + foreign-key badges (1, tin)
-- partial
--   badges 9 'iron' 'third'
--   members 9 1 'ann@x' 'Ann' 10
--   no badges 1 'gold'
--   no badges 1 'tin'
--   no members 1
-- replace: refused

-- later: a child is changed
UPDATE badges SET note = 'best' WHERE member_id = 9 AND kind = 'gold';
-- conflicts
--   data badges (9, gold) (note)
--   + constraint members 1
--   + foreign-key badges (1, gold)
--   + foreign-key badges (1, tin)
--   + foreign-key members 9
-- partial
--   badges 9 'gold' 'best'
--   members 9 1 'ann@x' 'Ann' 10
--   no badges 1 'gold'
--   no badges 1 'tin'
--   no members 1

-- later: a child is deleted
DELETE FROM badges WHERE member_id = 9 AND kind = 'tin';
