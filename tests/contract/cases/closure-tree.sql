-- SPDX-License-Identifier: Apache-2.0
-- story: one row of a tree is in the point; the rows below it go with it, and a branch that two rows tie into a ring
-- before
CREATE TABLE nodes (id integer PRIMARY KEY, parent_id integer, twin_id integer,
    FOREIGN KEY (parent_id) REFERENCES nodes (id) ON DELETE CASCADE,
    FOREIGN KEY (twin_id) REFERENCES nodes (id) ON DELETE SET NULL);
CREATE TABLE leaves (id integer PRIMARY KEY, node_id integer, FOREIGN KEY (node_id) REFERENCES nodes (id) ON DELETE CASCADE);
INSERT INTO nodes VALUES (1, NULL, NULL), (2, 1, NULL), (3, 1, NULL), (4, 2, NULL), (5, 4, NULL), (6, 3, 5), (7, NULL, 2), (8, NULL, 7), (9, NULL, NULL);
UPDATE nodes SET parent_id = 5 WHERE id = 2;
INSERT INTO leaves VALUES (1, 5), (2, 6), (3, 7), (4, NULL), (5, 4);
-- change
DELETE FROM nodes WHERE id = 4;
-- later
INSERT INTO nodes VALUES (10, 3, 1);
UPDATE leaves SET node_id = 1 WHERE id = 4;
-- restored
INSERT INTO nodes VALUES (10, 3, 1);
UPDATE leaves SET node_id = 1 WHERE id = 4;
-- expect
-- run with: --where "nodes: id = 4"
-- run warns: table nodes: rows that its predicate does not name are in the point as well: rows of it would
-- partial: done
-- full: done, beside
