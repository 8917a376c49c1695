-- SPDX-License-Identifier: Apache-2.0
-- story: rows of one table are in the point; two rings of tables hang on it, one on the other, and a table that three keys reach
-- before
CREATE TABLE teams (id integer PRIMARY KEY, lead_id integer);
CREATE TABLE people (id integer PRIMARY KEY, team_id integer, boss_id integer, email varchar(20) UNIQUE,
    FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE, FOREIGN KEY (boss_id) REFERENCES people (id) ON DELETE CASCADE);
CREATE TABLE projects (id integer PRIMARY KEY, owner varchar(20), part_of integer,
    FOREIGN KEY (owner) REFERENCES people (email) ON DELETE CASCADE);
CREATE TABLE parts (id integer PRIMARY KEY, project_id integer, made_by integer, watched_by integer,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
    FOREIGN KEY (made_by) REFERENCES people (id) ON DELETE SET NULL,
    FOREIGN KEY (watched_by) REFERENCES people (id) ON DELETE CASCADE);
ALTER TABLE teams ADD FOREIGN KEY (lead_id) REFERENCES people (id) ON DELETE CASCADE;
ALTER TABLE projects ADD FOREIGN KEY (part_of) REFERENCES parts (id) ON DELETE CASCADE;
SET foreign_key_checks = 0;
INSERT INTO teams VALUES (1, 11), (2, 12), (3, 13), (4, NULL);
INSERT INTO people VALUES (11, 1, NULL, 'a'), (12, 1, NULL, 'b'), (13, 2, 12, 'c'), (14, 3, NULL, 'd'), (15, 4, NULL, 'e'), (16, 4, 15, NULL);
INSERT INTO projects VALUES (21, 'b', NULL), (22, 'd', 31), (23, 'e', NULL), (24, NULL, 33);
INSERT INTO parts VALUES (31, 21, 15, 15), (32, 22, 14, 16), (33, 23, 11, NULL), (34, 23, 15, 11), (35, 24, 16, 16), (36, NULL, NULL, NULL);
SET foreign_key_checks = 1;
-- change
DELETE FROM teams WHERE id = 1;
-- later
INSERT INTO people VALUES (17, 4, 15, 'z');
INSERT INTO parts VALUES (37, NULL, 17, NULL);
-- restored
INSERT INTO people VALUES (17, 4, 15, 'z');
INSERT INTO parts VALUES (37, NULL, 17, NULL);
-- expect
-- run with: --where "teams: id = 1" --where "parts: id = 36"
-- run warns: table parts: rows that its predicate does not name are in the point as well: rows of it would
-- partial: done
-- full: done, beside
