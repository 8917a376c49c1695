-- SPDX-License-Identifier: Apache-2.0
-- story: the change drops a column: type partial refuses, type full brings column and values back
-- before
CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL, born text);
INSERT INTO people VALUES (1, 'Ann', '1990'), (2, 'Bob', NULL);
-- change
UPDATE people SET name = 'Anna' WHERE id = 1;
ALTER TABLE people DROP COLUMN born;
-- restored
ALTER TABLE people DROP COLUMN born;
ALTER TABLE people ADD COLUMN "born" TEXT;
UPDATE people SET born = '1990' WHERE id = 1;
-- back
UPDATE people SET name = 'Anna' WHERE id = 1;
ALTER TABLE people DROP COLUMN born;
ALTER TABLE people ADD COLUMN "born" TEXT;
-- expect
-- partial: refused: had changed its shape
-- full: done, discarding
-- full as mariadb: refused: cannot make
