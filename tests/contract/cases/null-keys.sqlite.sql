-- SPDX-License-Identifier: Apache-2.0
-- story: SQLite lets NULL into primary keys, and more than once
-- before
CREATE TABLE k (a TEXT, b TEXT, v INTEGER, PRIMARY KEY (a, b));
INSERT INTO k VALUES ('x', 'y', 1), ('x', NULL, 2), ('x', NULL, 2), (NULL, NULL, 3), (NULL, NULL, 4);
-- change
UPDATE k SET v = v * 10 WHERE b IS NULL;
DELETE FROM k WHERE b = 'y';
-- later
INSERT INTO k VALUES (NULL, NULL, 3), ('x', NULL, 2), ('later', NULL, 9);
-- expect
-- partial: done
-- full: done
