-- SPDX-License-Identifier: Apache-2.0
-- story: rows of partitioned tables are in the point; foreign keys refer to one partition, and are those of one
-- before
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE parts (id integer, a integer, day integer, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (day);
CREATE TABLE parts_2_1 PARTITION OF parts_2 FOR VALUES FROM (10) TO (20);
ALTER TABLE parts_1 ADD FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE;
CREATE TABLE x (id integer PRIMARY KEY, p integer, d integer, FOREIGN KEY (p, d) REFERENCES parts_1 ON DELETE CASCADE);
CREATE TABLE y (id integer PRIMARY KEY, p integer, d integer, FOREIGN KEY (p, d) REFERENCES parts_2_1 ON DELETE SET NULL);
CREATE TABLE z (id integer PRIMARY KEY, p integer, d integer, FOREIGN KEY (p, d) REFERENCES parts ON DELETE CASCADE);
INSERT INTO a VALUES (1), (2);
INSERT INTO parts VALUES (1, 1, 1), (2, 1, 11), (3, 2, 2), (4, 2, 12);
INSERT INTO x VALUES (1, 1, 1), (2, 3, 2);
INSERT INTO y VALUES (1, 2, 11), (2, 4, 12);
INSERT INTO z VALUES (1, 1, 1), (2, 3, 2), (3, 2, 11), (4, 4, 12);
-- change
DELETE FROM a WHERE id = 1;
DELETE FROM parts WHERE id = 2;
-- later
INSERT INTO parts VALUES (5, 2, 3);
INSERT INTO x VALUES (3, 5, 3);
-- restored
INSERT INTO parts VALUES (5, 2, 3);
INSERT INTO x VALUES (3, 5, 3);
-- expect
-- run with: --where "a: id = 1" --where "parts: id = 2"
-- run warns: table y is in the point as well: rows of it would change with parts (foreign key
-- partial: done
-- full: done, beside
