-- SPDX-License-Identifier: Apache-2.0
-- story: numbers at the edges: integers kept as integers, reals to the last bit, text that looks like a number
-- before
CREATE TABLE n (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, u NUMERIC, b BLOB, a);
INSERT INTO n VALUES (1, 9223372036854775807, 0.1, '007', '007', x'00', 1.0),
    (2, -9223372036854775808, 1e308, '1e3', '1e3', '1', 1),
    (3, 9007199254740993, 4.9406564584124654e-324, '', 'x', 1, '1'),
    (4, 'text in an integer column', 1e999, 'NaN', 'nan', 1.5, -1e999),
    (5, 0.1 + 0.2, 2, x'31', x'31', NULL, -0.0), (6, 3.0, 'text', 3.0, 3.5, 'blob', 123456789012345678901234567890);
-- change
UPDATE n SET i = i / 2, r = r * 3, t = t + 1, u = u + 1, b = CAST(a AS TEXT), a = CAST(a AS BLOB);
DELETE FROM n WHERE id IN (3, 4);
UPDATE n SET a = 1 WHERE id = 1;
-- later
UPDATE n SET r = 5 WHERE id = 6;
INSERT INTO n VALUES (7, 7, 7, 7, 7, 7, 7);
-- left
UPDATE n SET i = i / 2, r = 5, t = t + 1, u = u + 1, b = CAST(a AS TEXT), a = CAST(a AS BLOB) WHERE id = 6;
INSERT INTO n VALUES (7, 7, 7, 7, 7, 7, 7);
-- expect
-- partial: conflicts
--   data n 6 (r)
-- full: done
