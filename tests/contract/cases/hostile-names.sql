-- SPDX-License-Identifier: Apache-2.0
-- story: tables and columns whose names are keywords, SQL, quotes, a newline, an emoji, 63 bytes long
-- before
CREATE TABLE "order""; drop table x --" ("select" integer PRIMARY KEY, "from""" text UNIQUE, "a'b" text);
CREATE TABLE "two
lines" ("tab	%s $1 :x ?" integer PRIMARY KEY, "é😀" text REFERENCES "order""; drop table x --" ("from""") ON DELETE CASCADE);
CREATE TABLE "Order" ("id" integer PRIMARY KEY, "ID?" text, " " text, "." text);
CREATE TABLE "a234567890123456789012345678901234567890123456789012345678901_é" ("a.b" integer PRIMARY KEY,
    "\N" text, "NULL" text, "*" text, "true" text, "b234567890123456789012345678901234567890123456789012345678901_é" text);
CREATE TABLE x (x integer PRIMARY KEY);
INSERT INTO "order""; drop table x --" VALUES (1, '"', ''''), (2, '''; DROP TABLE x; --', '$$');
INSERT INTO "two
lines" VALUES (1, '"'), (2, '"'), (3, NULL);
INSERT INTO "Order" VALUES (1, 'a', 'b', 'c');
INSERT INTO "a234567890123456789012345678901234567890123456789012345678901_é" VALUES (1, '\N', 'NULL', '*', 'true', 'b');
INSERT INTO x VALUES (1);
-- change
DELETE FROM "order""; drop table x --" WHERE "select" = 1;
UPDATE "Order" SET " " = 'B', "." = NULL;
UPDATE "a234567890123456789012345678901234567890123456789012345678901_é" SET "\N" = NULL, "NULL" = '\N', "*" = '',
    "b234567890123456789012345678901234567890123456789012345678901_é" = '\.';
DELETE FROM x;
-- later
UPDATE "Order" SET "ID?" = '?';
UPDATE "order""; drop table x --" SET "a'b" = 'later' WHERE "select" = 2;
-- left
UPDATE "Order" SET "ID?" = '?', " " = 'B', "." = NULL;
UPDATE "order""; drop table x --" SET "a'b" = 'later' WHERE "select" = 2;
-- expect
-- partial: conflicts
--   data "Order" 1 (ID?)
-- full: done
