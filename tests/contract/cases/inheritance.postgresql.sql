-- SPDX-License-Identifier: Apache-2.0
-- story: a parent table and its heirs, whose rows may have the same key and more columns
-- before
CREATE TABLE cities (name text NOT NULL, people integer);
CREATE TABLE capitals (PRIMARY KEY (name), country char(2)) INHERITS (cities);
ALTER TABLE cities ADD PRIMARY KEY (name);
INSERT INTO cities VALUES ('Ulm', 126), ('Bonn', 330);
INSERT INTO capitals VALUES ('Berlin', 3600, 'de'), ('Bonn', 330, 'wd');
-- change
UPDATE cities SET people = people + 1;
DELETE FROM ONLY cities WHERE name = 'Bonn';
-- later
INSERT INTO capitals VALUES ('Rome', 2700, 'it');
-- expect
-- partial: done
-- full: done
