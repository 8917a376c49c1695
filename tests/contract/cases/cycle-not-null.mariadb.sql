-- SPDX-License-Identifier: Apache-2.0
-- story: two tables need each other and neither key may be NULL: both come back at once
-- before
CREATE TABLE a (id integer PRIMARY KEY, b_id integer NOT NULL, v text);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer NOT NULL, FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE);
ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b (id) ON DELETE CASCADE;
SET foreign_key_checks = 0;
INSERT INTO a VALUES (1, 1, 'x'), (2, 2, 'y');
INSERT INTO b VALUES (1, 1), (2, 2);
-- change
DELETE FROM a WHERE id = 1;
UPDATE a SET v = 'z';
-- later
INSERT INTO b VALUES (3, 2);
-- expect
-- partial: done
-- full: done
