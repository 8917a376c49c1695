-- SPDX-License-Identifier: Apache-2.0
-- story: two schemas with the same table, tables without any column, holes where columns were dropped, unlogged and toasted rows
-- before
CREATE SCHEMA "Sch.ema";
CREATE TABLE t (id integer PRIMARY KEY, gone text, v text, gone2 integer);
CREATE TABLE "Sch.ema".t (id integer PRIMARY KEY, v text);
CREATE UNLOGGED TABLE u (id integer PRIMARY KEY, big text);
CREATE TABLE nothing ();
ALTER TABLE t DROP COLUMN gone, DROP COLUMN gone2;
INSERT INTO t VALUES (1, 'public');
INSERT INTO "Sch.ema".t VALUES (1, 'other'), (2, 'two');
INSERT INTO u SELECT i, string_agg(md5(i * j || ''), '') FROM generate_series(1, 3) AS i, generate_series(1, 32768) AS j GROUP BY i;
INSERT INTO nothing DEFAULT VALUES;
INSERT INTO nothing DEFAULT VALUES;
-- change
UPDATE t SET v = 'x';
DELETE FROM "Sch.ema".t WHERE id = 1;
UPDATE u SET big = big || 'x' WHERE id = 1;
DELETE FROM u WHERE id = 2;
-- later
UPDATE "Sch.ema".t SET v = 'later' WHERE id = 2;
-- expect
-- run warns: left out: table nothing
-- partial: done
-- full: done
