-- SPDX-License-Identifier: Apache-2.0
-- story: keys and references of citext, where Ann is ANN: the change turns letters round; a plain owner cannot turn them back below a later reference, and is told so
-- before
CREATE EXTENSION citext;
CREATE TABLE users (name citext PRIMARY KEY, email citext UNIQUE, v text);
CREATE TABLE posts (id integer PRIMARY KEY, author citext REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO users VALUES ('Ann', 'a@x', 'a'), ('Bob', 'B@x', 'b'), ('Cy', 'c@x', 'c');
INSERT INTO posts VALUES (1, 'ANN'), (2, 'bob'), (3, 'cY');
-- change
UPDATE users SET name = 'aNN', email = 'A@X' WHERE v = 'a';
DELETE FROM users WHERE v = 'b';
UPDATE users SET v = 'C' WHERE name = 'CY';
-- later
INSERT INTO users VALUES ('Dan', 'd@x', 'd');
INSERT INTO posts VALUES (4, 'dAN'), (5, 'ann');
-- expect
-- partial: done
-- partial as postgresql-owner: refused: GRANT SET ON PARAMETER session_replication_role
-- full: done
