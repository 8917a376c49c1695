-- SPDX-License-Identifier: Apache-2.0
-- story: numbers that are equal to SQL and different in bytes: 1.0 and 1.00, 0 and -0, NaN; the change turns one into the other
-- before
CREATE TABLE n (id integer PRIMARY KEY, n numeric, m numeric(10, 3), d double precision, f real, b bigint, c money);
INSERT INTO n VALUES (1, 1.0, 1, 0.0, 1.1, 9223372036854775807, 12.34), (2, 'NaN', 'NaN', 'NaN', 'NaN', -9223372036854775808, -0.01),
    (3, 'Infinity', NULL, '-Infinity', 'Infinity', 0, NULL), (4, 1e-300, -0.001, 5e-324, 1e-45, 1, 0),
    (5, 12345678901234567890.1234567890, 0, 0.1 + 0.2::double precision, 16777216, 2, 92233720368547758.07);
-- change
UPDATE n SET n = 1.00, d = '-0', f = 1.10000002 WHERE id = 1;
UPDATE n SET n = 'Infinity', d = 0.30000000000000004, b = -b WHERE id = 5;
DELETE FROM n WHERE id IN (2, 3, 4);
-- later
INSERT INTO n VALUES (6, 0.00, 0, '-0', '-0', 0, 0);
-- expect
-- partial: done
-- full: done
