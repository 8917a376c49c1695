-- SPDX-License-Identifier: Apache-2.0
-- story: every key moves up by one and the children follow; nothing is left where it was
-- before
CREATE TABLE nodes (id integer PRIMARY KEY, label text NOT NULL);
CREATE TABLE leaves (id integer PRIMARY KEY, node_id integer NOT NULL REFERENCES nodes (id) ON UPDATE CASCADE, leaf text);
INSERT INTO nodes VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO leaves VALUES (1, 1, 'a1'), (2, 1, 'a2'), (3, 3, 'c1');
-- change
UPDATE nodes SET id = id + 100;
UPDATE nodes SET id = id - 99;
-- later
INSERT INTO nodes VALUES (9, 'z');
INSERT INTO leaves VALUES (9, 9, 'z1'), (10, 2, 'later, at a key that stays');
-- expect
-- partial: done
-- full: done
