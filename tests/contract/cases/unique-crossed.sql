-- SPDX-License-Identifier: Apache-2.0
-- story: three unique keys of one table are swapped and shifted at once, one of them over two columns
-- before
CREATE TABLE grid (id integer PRIMARY KEY, x integer NOT NULL, y integer NOT NULL, code text NOT NULL UNIQUE,
    rank integer UNIQUE, UNIQUE (x, y));
INSERT INTO grid VALUES (1, 0, 0, 'a', 1), (2, 0, 1, 'b', 2), (3, 1, 0, 'c', NULL), (4, 1, 1, 'd', NULL);
-- change
UPDATE grid SET x = x + 10, code = '#' || code, rank = rank + 10;
UPDATE grid SET x = y, y = x - 10, rank = 13 - rank;
UPDATE grid SET code = CASE code WHEN '#a' THEN 'd' WHEN '#b' THEN 'a' WHEN '#c' THEN 'b' ELSE 'c' END;
-- later
INSERT INTO grid VALUES (5, 2, 2, 'e', NULL);
-- expect
-- partial: done
-- full: done
