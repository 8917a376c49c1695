-- SPDX-License-Identifier: Apache-2.0
-- story: a foreign key sets NULL in a column that another one is computed from, and a third table refers to that
-- before
CREATE TABLE halls (id integer PRIMARY KEY);
CREATE TABLE rooms (id integer PRIMARY KEY, hall_id integer, number integer GENERATED ALWAYS AS (coalesce(hall_id, 0) * 100 + id) STORED UNIQUE,
    FOREIGN KEY (hall_id) REFERENCES halls (id) ON DELETE SET NULL);
CREATE TABLE keys (id integer PRIMARY KEY, number integer, FOREIGN KEY (number) REFERENCES rooms (number) ON UPDATE CASCADE);
CREATE TABLE loans (id integer PRIMARY KEY, number integer, FOREIGN KEY (number) REFERENCES rooms (number) ON UPDATE SET NULL);
INSERT INTO halls VALUES (1), (2);
INSERT INTO rooms (id, hall_id) VALUES (1, 1), (2, 2), (3, NULL);
INSERT INTO keys VALUES (1, 101), (2, 202), (3, 101), (4, 3);
INSERT INTO loans VALUES (1, 101), (2, 202);
-- change
DELETE FROM halls WHERE id = 1;
-- later
INSERT INTO keys VALUES (5, 202);
-- restored
INSERT INTO keys VALUES (5, 202);
-- expect
-- run with: --where "halls: id = 1"
-- run warns: table loans is in the point as well: rows of it would change with rooms (foreign key
-- partial: done
-- full: done, beside
