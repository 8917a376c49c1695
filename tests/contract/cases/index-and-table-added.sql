-- SPDX-License-Identifier: Apache-2.0
-- story: the change makes an index and a table of its own: they stay, the rows go back
-- before
CREATE TABLE items (id integer PRIMARY KEY, v text);
INSERT INTO items VALUES (1, 'a'), (2, 'b');
-- change
UPDATE items SET v = 'z' || v;
CREATE UNIQUE INDEX items_v ON items (v);
CREATE TABLE extra (id integer PRIMARY KEY, item_id integer REFERENCES items (id));
INSERT INTO extra VALUES (1, 1);
UPDATE items SET v = 'zb' || id WHERE id = 1;
-- left
CREATE UNIQUE INDEX items_v ON items (v);
CREATE TABLE extra (id integer PRIMARY KEY, item_id integer REFERENCES items (id));
INSERT INTO extra VALUES (1, 1);
-- restored
CREATE UNIQUE INDEX items_v ON items (v);
CREATE TABLE extra (id integer PRIMARY KEY, item_id integer REFERENCES items (id));
INSERT INTO extra VALUES (1, 1);
-- expect
-- partial: done
-- full: done
