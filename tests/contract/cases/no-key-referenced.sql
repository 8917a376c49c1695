-- SPDX-License-Identifier: Apache-2.0
-- story: a row of a table without a key changes, and rows refer to its unique value, itself too
-- before
CREATE TABLE teams (u integer, note varchar(20), above integer, UNIQUE (u),
    FOREIGN KEY (above) REFERENCES teams (u) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE members (id integer NOT NULL PRIMARY KEY, team integer,
    FOREIGN KEY (team) REFERENCES teams (u) ON DELETE CASCADE);
INSERT INTO teams VALUES (1, 'one', 1);
INSERT INTO teams VALUES (2, 'two', 1);
INSERT INTO teams VALUES (3, 'three', NULL);
INSERT INTO members VALUES (10, 1);
INSERT INTO members VALUES (11, 2);
-- change
UPDATE teams SET note = 'other' WHERE u < 3;
DELETE FROM teams WHERE u = 3;
INSERT INTO teams VALUES (4, 'four', 2);
-- expect
-- partial: done
-- full: done
