-- SPDX-License-Identifier: Apache-2.0
-- story: foreign keys between tables and columns with quotes, blanks and keywords in their names are followed
-- before
CREATE TABLE "or""der s" ("se""lect" integer, "a b" varchar(10), v integer, PRIMARY KEY ("se""lect", "a b"));
CREATE TABLE "it'em.s" ("from" integer PRIMARY KEY, "se""lect" integer, "a b" varchar(10), "up" integer,
    FOREIGN KEY ("se""lect", "a b") REFERENCES "or""der s" ("se""lect", "a b") ON DELETE CASCADE,
    FOREIGN KEY ("up") REFERENCES "it'em.s" ("from") ON DELETE SET NULL);
CREATE TABLE "backout_0" (id integer PRIMARY KEY, "p" integer, FOREIGN KEY ("p") REFERENCES "it'em.s" ("from") ON DELETE CASCADE);
INSERT INTO "or""der s" VALUES (1, 'x', 0), (2, 'x', 0);
INSERT INTO "it'em.s" VALUES (1, 1, 'x', NULL), (2, 2, 'x', 1), (3, 2, 'x', NULL);
INSERT INTO "backout_0" VALUES (1, 1), (2, 2), (3, 3);
-- change
DELETE FROM "or""der s" WHERE "se""lect" = 1;
-- later
UPDATE "or""der s" SET v = 1 WHERE "se""lect" = 2;
INSERT INTO "backout_0" VALUES (4, 3);
-- restored
UPDATE "or""der s" SET v = 1 WHERE "se""lect" = 2;
INSERT INTO "backout_0" VALUES (4, 3);
-- expect
-- run with: --where '"or""der s": "or""der s"."se""lect" = 1'
-- run with as mariadb: --where '`or"der s`: `or"der s`.`se"lect` = 1'
-- partial: done
-- full: done, beside
