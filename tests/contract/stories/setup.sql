-- SPDX-License-Identifier: Apache-2.0
-- Before every story.
CREATE TABLE teams (id integer PRIMARY KEY, name varchar(20));
CREATE TABLE members (id integer PRIMARY KEY, team_id integer REFERENCES teams (id) ON DELETE CASCADE ON UPDATE CASCADE, email varchar(20) UNIQUE, name varchar(20), points integer);
CREATE TABLE badges (member_id integer REFERENCES members (id) ON DELETE CASCADE ON UPDATE CASCADE, kind varchar(20), note varchar(20), PRIMARY KEY (member_id, kind));
CREATE TABLE fees (id integer PRIMARY KEY, team_id integer REFERENCES teams (id) ON DELETE SET NULL ON UPDATE SET NULL, payer integer REFERENCES members (id), cents integer);
INSERT INTO teams VALUES (1, 'red'), (2, 'blue'), (3, 'green'), (4, 'grey');
INSERT INTO members VALUES (1, 1, 'ann@x', 'Ann', 10), (2, 1, 'bob@x', 'Bob', 20), (3, 2, 'cy@x', 'Cy', 30), (4, 2, NULL, 'Di', NULL), (5, 3, '@x', 'Ed', 0);
INSERT INTO badges VALUES (1, 'gold', 'first'), (1, 'tin', NULL), (3, 'gold', '');
INSERT INTO fees VALUES (1, 1, 3, 500), (2, 2, 3, 700), (3, 3, NULL, NULL), (4, 4, NULL, 40);
CREATE TABLE seats (id integer PRIMARY KEY, hall varchar(20), place integer, guest varchar(20), behind integer REFERENCES seats (id) ON DELETE CASCADE, UNIQUE (hall, place));
INSERT INTO seats VALUES (1, 'A', 1, 'Ann', NULL), (2, 'A', 2, 'Bob', 1), (3, 'A', 3, NULL, 2), (4, 'B', 1, 'Di', NULL), (5, 'B', NULL, '', 4);
