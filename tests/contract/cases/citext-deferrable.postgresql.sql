-- SPDX-License-Identifier: Apache-2.0
-- story: keys of citext beside a deferrable unique set: nobody can turn the letters back below a later reference, and whoever tries is told which
-- before
CREATE EXTENSION citext;
CREATE TABLE users (name citext PRIMARY KEY, rank integer UNIQUE DEFERRABLE, v text);
CREATE TABLE posts (id integer PRIMARY KEY, author citext REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO users VALUES ('Ann', 1, 'a'), ('Bob', 2, 'b');
INSERT INTO posts VALUES (1, 'ANN'), (2, 'bob');
-- change
UPDATE users SET name = 'aNN' WHERE v = 'a';
-- later
INSERT INTO posts VALUES (3, 'ann');
-- expect
-- partial: refused: no free value was found
-- full: done
