-- SPDX-License-Identifier: Apache-2.0
-- story: numeric, float and timestamptz keys, where 1.0 is 1.00 and 0 is -0 to the index; the change only rewrites the key
-- before
CREATE TABLE n (k numeric PRIMARY KEY, v text);
CREATE TABLE f (k double precision PRIMARY KEY, v text);
CREATE TABLE t (k timestamptz PRIMARY KEY, v text);
CREATE TABLE i (k interval PRIMARY KEY, v text);
INSERT INTO n VALUES (1.0, 'a'), ('NaN', 'b'), (2, 'c'), (-1e-20, 'd');
INSERT INTO f VALUES (0, 'a'), ('NaN', 'b'), ('-Infinity', 'c'), (0.1, 'd');
INSERT INTO t VALUES ('2026-10-25 02:30:00+02', 'a'), ('2026-10-25 02:30:00+01', 'b'), ('infinity', 'c');
INSERT INTO i VALUES ('1 day', 'a'), ('1 mon', 'b');
-- change
UPDATE n SET k = 1.00 WHERE v = 'a';
UPDATE n SET v = v || '!' WHERE k = 'NaN';
DELETE FROM n WHERE v = 'c';
UPDATE f SET k = '-0' WHERE v = 'a';
DELETE FROM f WHERE k = 'NaN';
UPDATE t SET v = v || '!' WHERE v = 'a';
DELETE FROM t WHERE v IN ('b', 'c');
UPDATE i SET k = '24:00:00' WHERE v = 'a';
UPDATE i SET k = '30 days' WHERE v = 'b';
-- later
INSERT INTO n VALUES (2.00, 'later, under the key of c');
INSERT INTO f VALUES (7, 'later');
-- left
UPDATE n SET k = 2.00, v = 'later, under the key of c' WHERE v = 'c';
INSERT INTO f VALUES (7, 'later');
-- expect
-- partial: conflicts
--   exists n 2
-- full: done
