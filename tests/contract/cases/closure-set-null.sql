-- SPDX-License-Identifier: Apache-2.0
-- story: rows of one table are in the point; others are set to NULL and to a default, once inside their row key
-- before
CREATE TABLE owners (id integer PRIMARY KEY, name varchar(20));
CREATE TABLE pets (id integer PRIMARY KEY, owner_id integer, sitter_id integer,
    FOREIGN KEY (owner_id) REFERENCES owners (id) ON DELETE SET NULL, FOREIGN KEY (sitter_id) REFERENCES owners (id));
CREATE TABLE toys (id integer PRIMARY KEY, pet_id integer, FOREIGN KEY (pet_id) REFERENCES pets (id) ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO owners VALUES (1, 'shelter'), (2, 'ann'), (3, 'bob');
INSERT INTO pets VALUES (1, 2, 3), (2, 3, 3), (3, NULL, 1);
INSERT INTO toys VALUES (1, 1), (2, 2);
-- change
DELETE FROM owners WHERE id = 2;
-- later
INSERT INTO toys VALUES (3, 1);
UPDATE owners SET name = 'rob' WHERE id = 3;
-- restored
INSERT INTO toys VALUES (3, 1);
UPDATE owners SET name = 'rob' WHERE id = 3;
-- expect
-- run with: --where "owners: id = 2"
-- run warns: table pets is in the point as well: rows of it would change with owners (foreign key
-- partial: done
-- full: done, beside
