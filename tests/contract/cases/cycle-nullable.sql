-- SPDX-License-Identifier: Apache-2.0
-- story: two tables point at each other; both sides of the cycle are deleted
-- before
CREATE TABLE teams (id integer PRIMARY KEY, leader_id integer);
CREATE TABLE people (id integer PRIMARY KEY, team_id integer NOT NULL REFERENCES teams (id), name text);
CREATE TABLE leads (team_id integer PRIMARY KEY REFERENCES teams (id), person_id integer REFERENCES people (id));
INSERT INTO teams VALUES (1, NULL), (2, NULL);
INSERT INTO people VALUES (1, 1, 'Ann'), (2, 2, 'Bob');
INSERT INTO leads VALUES (1, 2), (2, 1);
-- change
DELETE FROM leads;
DELETE FROM people WHERE id = 1;
DELETE FROM teams WHERE id = 1;
INSERT INTO leads VALUES (2, 2);
-- later
UPDATE people SET name = 'Robert' WHERE id = 2;
-- expect
-- partial: done
-- full: done
