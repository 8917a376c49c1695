-- SPDX-License-Identifier: Apache-2.0
-- story: the change adds a column and fills it; a rollback puts the rows back and leaves the column
-- before
CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO people VALUES (1, 'Ann Lee'), (2, 'Bob Ray');
-- change
ALTER TABLE people ADD COLUMN first text DEFAULT '?';
UPDATE people SET first = 'Ann', name = 'Lee' WHERE id = 1;
DELETE FROM people WHERE id = 2;
-- left
ALTER TABLE people ADD COLUMN first text DEFAULT '?';
UPDATE people SET first = 'Ann' WHERE id = 1;
-- restored
ALTER TABLE people ADD COLUMN first text DEFAULT '?';
UPDATE people SET first = 'Ann' WHERE id = 1;
-- expect
-- partial: done
-- full: done
