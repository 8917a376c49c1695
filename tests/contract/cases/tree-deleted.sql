-- SPDX-License-Identifier: Apache-2.0
-- story: half of a tree that refers to itself is deleted, a node moves below its own child's sibling
-- before
CREATE TABLE tree (id integer PRIMARY KEY, parent_id integer REFERENCES tree (id) ON DELETE CASCADE, name text);
INSERT INTO tree VALUES (1, NULL, 'root'), (2, 1, 'a'), (3, 1, 'b');
INSERT INTO tree VALUES (4, 2, 'aa'), (5, 4, 'aaa'), (6, 3, 'ba'), (7, 7, 'its own parent');
-- change
DELETE FROM tree WHERE id = 2;
UPDATE tree SET parent_id = 6 WHERE id = 3;
DELETE FROM tree WHERE id = 7;
-- later
INSERT INTO tree VALUES (8, 6, 'below a node that was there before');
-- expect
-- partial: done
-- full: done
