-- SPDX-License-Identifier: Apache-2.0
-- story: keys and references where Ann is ANN and 'a' is 'a ': letters are turned round, and taken by later rows
-- before
CREATE TABLE users (name varchar(20) COLLATE utf8mb4_general_ci PRIMARY KEY, email varchar(20) COLLATE utf8mb4_general_ci UNIQUE, v text);
CREATE TABLE posts (id integer PRIMARY KEY,
    author varchar(20) COLLATE utf8mb4_general_ci REFERENCES users (name) ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO users VALUES ('Ann', 'a@x', 'a'), ('Bob', 'B@x', 'b'), ('Cy', 'c@x', 'c'), ('Zoe', 'z@x', 'z');
INSERT INTO posts VALUES (1, 'ANN'), (2, 'bob'), (3, 'cY');
-- change
UPDATE users SET name = 'aNN', email = 'A@X ' WHERE v = 'a';
DELETE FROM users WHERE v = 'b';
UPDATE users SET v = 'C' WHERE name = 'CY';
DELETE FROM users WHERE v = 'z';
-- later
INSERT INTO users VALUES ('Dan', 'd@x', 'd'), ('ZOE', 'later', '');
INSERT INTO posts VALUES (4, 'dAN'), (5, 'cy');
-- left
DELETE FROM users WHERE v = 'z';
INSERT INTO users VALUES ('Dan', 'd@x', 'd'), ('ZOE', 'later', '');
INSERT INTO posts VALUES (4, 'dAN'), (5, 'cy');
-- expect
-- partial: conflicts
--   constraint users Zoe
-- full: done
