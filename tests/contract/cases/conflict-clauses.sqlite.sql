-- SPDX-License-Identifier: Apache-2.0
-- story: constraints that replace or ignore on conflict would swallow rows of an undo in silence
-- before
CREATE TABLE c (id INTEGER PRIMARY KEY, r TEXT UNIQUE ON CONFLICT REPLACE, i TEXT UNIQUE ON CONFLICT IGNORE,
    n TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'dflt', CHECK (n <> '') ON CONFLICT IGNORE);
INSERT INTO c VALUES (1, 'a', 'p', 'x'), (2, 'b', 'q', 'y'), (3, 'c', 's', 'z');
-- change
UPDATE c SET r = '#' || r, i = '#' || i;
UPDATE c SET r = CASE id WHEN 1 THEN 'b' WHEN 2 THEN 'a' ELSE 'd' END, i = CASE id WHEN 1 THEN 'q' WHEN 2 THEN 'p' ELSE 't' END;
-- later
INSERT INTO c VALUES (4, 'c', 'later', 'takes the c of row 3');
-- left
UPDATE c SET r = 'd', i = 't' WHERE id = 3;
INSERT INTO c VALUES (4, 'c', 'later', 'takes the c of row 3');
-- expect
-- partial: conflicts
--   constraint c 3
-- full: done
