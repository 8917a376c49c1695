-- SPDX-License-Identifier: Apache-2.0
-- story: deleting and moving parents sets their children to NULL; there is no SET DEFAULT in InnoDB
-- before
CREATE TABLE owners (id integer PRIMARY KEY, code varchar(20) UNIQUE);
CREATE TABLE pets (id integer PRIMARY KEY, owner_id integer DEFAULT 1 REFERENCES owners (id) ON DELETE SET NULL,
    code varchar(20) REFERENCES owners (code) ON DELETE SET NULL ON UPDATE SET NULL);
INSERT INTO owners VALUES (1, 'shelter'), (2, 'ann'), (3, 'bob');
INSERT INTO pets VALUES (1, 2, 'ann'), (2, 2, 'bob'), (3, 3, 'ann'), (4, NULL, NULL);
-- change
DELETE FROM owners WHERE id = 2;
UPDATE owners SET code = 'robert' WHERE id = 3;
-- later
INSERT INTO owners VALUES (4, 'cy');
INSERT INTO pets VALUES (5, 4, 'cy');
-- expect
-- partial: done
-- full: done
