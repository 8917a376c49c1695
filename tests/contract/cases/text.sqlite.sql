-- SPDX-License-Identifier: Apache-2.0
-- story: text with NUL, line ends, invalid UTF-8, bidi marks, backslashes; a key with NUL in it
-- before
CREATE TABLE s (k TEXT NOT NULL PRIMARY KEY, v TEXT);
INSERT INTO s VALUES ('a' || char(0) || 'b', 'NUL' || char(0) || 'after'), ('a', 'prefix of the key with NUL'),
    (char(13, 10), char(9, 11, 12, 27)), ('\N', 'NULL'), ('\.', '\\'), ('é', 'e' || char(769)), (char(101, 769), 'not the same é'),
    (CAST(x'ff80fe' AS TEXT), CAST(x'c3' AS TEXT)), (char(8238) || 'abc', '😀'), ('trailing ', 'trailing   '), ('''', '"');
-- change
UPDATE s SET v = replace(v, char(0), '') || '.';
DELETE FROM s WHERE k IN ('a' || char(0) || 'b', char(13, 10), 'é', CAST(x'ff80fe' AS TEXT));
INSERT INTO s VALUES ('a' || char(0) || 'c', char(0));
-- later
UPDATE s SET v = v || char(0) WHERE k = 'trailing ';
-- left
UPDATE s SET v = v || '.' || char(0) WHERE k = 'trailing ';
-- expect
-- partial: conflicts
--   data s trailing  (v)
-- full: done
