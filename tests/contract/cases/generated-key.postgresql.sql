-- SPDX-License-Identifier: Apache-2.0
-- story: a table whose only key is computed: its rows are known by their values
-- before
CREATE TABLE g (a integer, b integer GENERATED ALWAYS AS (a * 10) STORED PRIMARY KEY, v text);
INSERT INTO g (a, v) VALUES (1, 'x'), (2, 'y'), (3, 'z'), (4, 'stays');
-- change
UPDATE g SET a = a + 10 WHERE a = 3;
DELETE FROM g WHERE a = 1;
UPDATE g SET v = 'q' WHERE a = 2;
INSERT INTO g (a, v) VALUES (5, 'new');
-- later
INSERT INTO g (a, v) VALUES (50, 'later');
-- expect
-- partial: done
-- full: done
