-- SPDX-License-Identifier: Apache-2.0
-- story: rows of one table are in the point; a default moves the row keys of others, and of what refers to these
-- before
CREATE TABLE owners (id integer PRIMARY KEY);
CREATE TABLE pets (owner_id integer DEFAULT 1 NOT NULL REFERENCES owners ON DELETE SET DEFAULT, name text NOT NULL, PRIMARY KEY (owner_id, name));
CREATE TABLE toys (id integer PRIMARY KEY, owner_id integer, name text, FOREIGN KEY (owner_id, name) REFERENCES pets ON UPDATE CASCADE);
INSERT INTO owners VALUES (1), (2), (3);
INSERT INTO pets VALUES (2, 'rex'), (2, 'tom'), (3, 'kit');
INSERT INTO toys VALUES (1, 2, 'rex'), (2, 3, 'kit');
-- change
DELETE FROM owners WHERE id = 2;
-- later
INSERT INTO toys VALUES (3, 3, 'kit');
-- expect
-- run with: --where "owners: id = 2"
-- run warns: table pets is in the point as well, with all its rows: rows of it would change with owners (foreign key
-- partial: done
-- full: done
