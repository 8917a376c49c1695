-- SPDX-License-Identifier: Apache-2.0
-- story: WITHOUT ROWID, a key of three columns with NOCASE and DESC, beside a STRICT table with ANY
-- before
CREATE TABLE w (a TEXT COLLATE NOCASE, b INTEGER, c BLOB, v, PRIMARY KEY (a, b DESC, c)) WITHOUT ROWID;
CREATE TABLE s (id INT PRIMARY KEY, x ANY, t TEXT, r REAL, b BLOB) STRICT, WITHOUT ROWID;
INSERT INTO w VALUES ('A', 1, x'', 1), ('A', 1, x'00', 2), ('b', -1, x'ff', 3), ('B', -2, '', 4);
INSERT INTO s VALUES (1, 1, 'a', 1, x'01'), (2, 1.0, NULL, 0.5, NULL), (3, '1', '', NULL, x''), (4, x'31', 'x', 2, x'00');
-- change
UPDATE w SET a = 'a' WHERE v = 1;
UPDATE w SET a = 'B', b = b - 5 WHERE v = 3;
DELETE FROM w WHERE v = 4;
UPDATE s SET x = CASE id WHEN 1 THEN 1.0 WHEN 2 THEN 1 WHEN 3 THEN x'31' ELSE '1' END;
-- later
INSERT INTO w VALUES ('C', 1, x'', 5);
-- expect
-- partial: done
-- full: done
