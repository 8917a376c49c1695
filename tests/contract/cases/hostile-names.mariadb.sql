-- SPDX-License-Identifier: Apache-2.0
-- story: tables and columns whose names are keywords, SQL, quotes of both kinds, a newline, 64 letters long
-- before
CREATE TABLE "order""; drop table x --" ("select" integer PRIMARY KEY, "from""" varchar(9) UNIQUE, "a'b" text);
CREATE TABLE "two
lines" ("tab	%s $1 :x ?" integer PRIMARY KEY,
    "é`" varchar(9) REFERENCES "order""; drop table x --" ("from""") ON DELETE CASCADE);
CREATE TABLE "Order" ("id" integer PRIMARY KEY, "ID?" text, " x" text, "." text);
CREATE TABLE "a2345678901234567890123456789012345678901234567890123456789012_é" ("a.b" integer PRIMARY KEY,
    "\N" text, "NULL" text, "*" text, "true" text, "b2345678901234567890123456789012345678901234567890123456789012_é" text);
CREATE TABLE x (x integer PRIMARY KEY);
INSERT INTO "order""; drop table x --" VALUES (1, '"', ''''), (2, '''; DROP ', '$$');
INSERT INTO "two
lines" VALUES (1, '"'), (2, '"'), (3, NULL);
INSERT INTO "Order" VALUES (1, 'a', 'b', 'c');
INSERT INTO "a2345678901234567890123456789012345678901234567890123456789012_é" VALUES (1, '\N', 'NULL', '*', 'true', 'b');
INSERT INTO x VALUES (1);
-- change
DELETE FROM "order""; drop table x --" WHERE "select" = 1;
UPDATE "Order" SET " x" = 'B', "." = NULL;
UPDATE "a2345678901234567890123456789012345678901234567890123456789012_é" SET "\N" = NULL, "NULL" = '\N', "*" = '',
    "b2345678901234567890123456789012345678901234567890123456789012_é" = '\.';
DELETE FROM x;
-- later
UPDATE "Order" SET "ID?" = '?';
UPDATE "order""; drop table x --" SET "a'b" = 'later' WHERE "select" = 2;
-- left
UPDATE "Order" SET "ID?" = '?', " x" = 'B', "." = NULL;
UPDATE "order""; drop table x --" SET "a'b" = 'later' WHERE "select" = 2;
-- expect
-- partial: conflicts
--   data Order 1 (ID?)
-- full: done
