-- SPDX-License-Identifier: Apache-2.0
-- story: a later row takes the unique value that a deleted row needs to come back
-- before
CREATE TABLE users (id integer PRIMARY KEY, email text UNIQUE, name text);
CREATE TABLE notes (id integer PRIMARY KEY, user_id integer REFERENCES users (id) ON DELETE CASCADE, note text);
INSERT INTO users VALUES (1, 'ann@x', 'Ann'), (2, 'bob@x', 'Bob'), (3, NULL, 'Cy'), (4, NULL, 'Di');
INSERT INTO notes VALUES (10, 1, 'hers'), (11, 2, 'his'), (12, NULL, 'nobody''s');
-- change
DELETE FROM users WHERE id IN (1, 3);
UPDATE users SET name = 'Robert' WHERE id = 2;
-- later
INSERT INTO users VALUES (7, 'ann@x', 'Anna');
-- left
DELETE FROM users WHERE id = 1;
INSERT INTO users VALUES (7, 'ann@x', 'Anna');
-- expect
-- partial: conflicts
--   constraint users 1
--   + foreign-key notes 10
-- full: done
