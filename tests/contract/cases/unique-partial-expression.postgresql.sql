-- SPDX-License-Identifier: Apache-2.0
-- story: a unique index over an expression of some rows only; a later row in other letters takes the place
-- before
CREATE TABLE accounts (id integer PRIMARY KEY, email text, active integer NOT NULL);
CREATE UNIQUE INDEX one_active_account ON accounts (lower(email)) WHERE active = 1;
INSERT INTO accounts VALUES (1, 'Ann@X', 1), (2, 'ann@x', 0), (3, 'bob@x', 1), (4, 'BOB@X', 0), (5, NULL, 1);
-- change
UPDATE accounts SET active = 0 WHERE id = 1;
UPDATE accounts SET active = 0 WHERE id = 3;
UPDATE accounts SET active = 1 WHERE id = 4;
-- later
INSERT INTO accounts VALUES (6, 'ANN@x', 1);
INSERT INTO accounts VALUES (7, 'ann@x', 0);
-- left
-- expect
-- partial: refused: violates unique constraint
-- full: done
