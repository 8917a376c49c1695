-- SPDX-License-Identifier: Apache-2.0
-- story: beside its key a table has nothing but computed columns
-- before
CREATE TABLE squares (n integer PRIMARY KEY, square integer GENERATED ALWAYS AS (n * n) STORED);
INSERT INTO squares (n) VALUES (-3), (0), (4);
-- change
DELETE FROM squares WHERE n = 0;
UPDATE squares SET n = 5 WHERE n = 4;
INSERT INTO squares (n) VALUES (8);
-- later
INSERT INTO squares (n) VALUES (9);
-- expect
-- partial: done
-- full: done
