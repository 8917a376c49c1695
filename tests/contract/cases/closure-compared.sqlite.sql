-- SPDX-License-Identifier: Apache-2.0
-- story: references are found as SQLite compares them: with the parent's collation and affinity, by index or not
-- before
CREATE TABLE codes (code TEXT COLLATE NOCASE PRIMARY KEY);
CREATE TABLE uses (id INTEGER PRIMARY KEY, code TEXT REFERENCES codes ON DELETE CASCADE);
CREATE INDEX uses_code ON uses (code);
CREATE TABLE numbers (n INTEGER PRIMARY KEY);
CREATE TABLE texts (id INTEGER PRIMARY KEY, n TEXT REFERENCES numbers ON DELETE CASCADE, up INTEGER REFERENCES texts ON DELETE SET NULL);
CREATE TABLE plain (id INTEGER PRIMARY KEY, n REFERENCES numbers ON DELETE CASCADE);
CREATE INDEX plain_n ON plain (n);
INSERT INTO codes VALUES ('Ab'), ('cd');
INSERT INTO uses VALUES (1, 'ab'), (2, 'AB'), (3, 'CD');
INSERT INTO numbers VALUES (7), (8);
INSERT INTO texts VALUES (1, '7', NULL), (2, '007', 1), (3, '8', 2), (4, '7.0', 3);
INSERT INTO plain VALUES (1, 7), (2, '7'), (3, 7.0), (4, 8);
-- change
DELETE FROM codes WHERE code = 'ab';
DELETE FROM numbers WHERE n = 7;
-- later
INSERT INTO plain VALUES (5, '8');
-- restored
INSERT INTO plain VALUES (5, '8');
-- expect
-- run with: --where "codes: code = 'AB'" --where "numbers: n = 7"
-- partial: done
-- full: done, beside
