-- SPDX-License-Identifier: Apache-2.0
-- story: the change added a parent, others added children and grandchildren; deleting it would take them along
-- before
CREATE TABLE parents (id integer PRIMARY KEY, name text);
CREATE TABLE children (id integer PRIMARY KEY, parent_id integer NOT NULL REFERENCES parents (id) ON DELETE CASCADE);
CREATE TABLE grandchildren (id integer PRIMARY KEY, child_id integer NOT NULL REFERENCES children (id) ON DELETE CASCADE);
INSERT INTO parents VALUES (1, 'old');
INSERT INTO children VALUES (1, 1);
-- change
INSERT INTO parents VALUES (2, 'new'), (3, 'new, without children');
INSERT INTO children VALUES (2, 2), (3, 2);
DELETE FROM children WHERE id = 1;
-- later
INSERT INTO grandchildren VALUES (1, 2);
-- left
INSERT INTO parents VALUES (2, 'new');
INSERT INTO children VALUES (2, 2);
INSERT INTO grandchildren VALUES (1, 2);
-- expect
-- partial: conflicts
--   foreign-key children 2
--   + foreign-key parents 2
-- full: done
