-- SPDX-License-Identifier: Apache-2.0
-- story: a later child holds the last of a chain of moved keys, and unique labels tie the whole chain to it
-- before
CREATE TABLE nodes (id integer PRIMARY KEY, label text NOT NULL UNIQUE);
CREATE TABLE leaves (id integer PRIMARY KEY, node_id integer NOT NULL REFERENCES nodes (id) ON UPDATE CASCADE);
INSERT INTO nodes VALUES (1, 'a'), (2, 'b'), (3, 'c'), (50, 'x');
-- change
UPDATE nodes SET id = id + 100 WHERE id < 50;
UPDATE nodes SET id = id - 99 WHERE id > 50;
UPDATE nodes SET label = 'y' WHERE id = 50;
-- later
INSERT INTO leaves VALUES (1, 4);
-- left
UPDATE nodes SET id = id + 100 WHERE id < 50;
UPDATE nodes SET id = id - 99 WHERE id > 50;
INSERT INTO leaves VALUES (1, 4);
-- expect
-- partial: conflicts
--   foreign-key nodes 4
--   + constraint nodes 1
--   + constraint nodes 2
--   + constraint nodes 3
-- full: done
