-- SPDX-License-Identifier: Apache-2.0
-- story: the change drops a table: type partial refuses, type full makes the table again
-- before
CREATE TABLE keep (id integer PRIMARY KEY, v text);
CREATE TABLE gone (id integer PRIMARY KEY, v text);
INSERT INTO keep VALUES (1, 'a');
INSERT INTO gone VALUES (1, 'b');
-- change
UPDATE keep SET v = 'c';
DROP TABLE gone;
-- back
UPDATE keep SET v = 'c';
DELETE FROM gone;
-- expect
-- partial: refused: table 'gone' had changed its shape
-- full: done
-- full as mariadb: refused: cannot make 'gone' again
