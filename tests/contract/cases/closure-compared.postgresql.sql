-- SPDX-License-Identifier: Apache-2.0
-- story: references are followed over schemas, partitions, types, domains and collations, and with an operator that is on no search path
-- before
CREATE SCHEMA a;
CREATE SCHEMA "b.c";
CREATE SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN sku AS varchar(10) COLLATE "C";
CREATE TABLE a.t (id numeric PRIMARY KEY, code ext.citext UNIQUE, name text COLLATE blind UNIQUE, s sku UNIQUE);
CREATE TABLE "b.c".t (id integer PRIMARY KEY, t_id bigint REFERENCES a.t ON DELETE CASCADE);
CREATE TABLE codes (id integer PRIMARY KEY, code ext.citext REFERENCES a.t (code) ON DELETE CASCADE);
CREATE TABLE names (id integer PRIMARY KEY, name text COLLATE "POSIX" REFERENCES a.t (name) ON DELETE SET NULL);
CREATE TABLE skus (s text COLLATE "C" REFERENCES a.t (s) ON DELETE CASCADE, n integer PRIMARY KEY);
CREATE TABLE parts (id integer, t_id integer REFERENCES "b.c".t ON DELETE CASCADE, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE "b.c".more (id integer PRIMARY KEY, part integer, day date, up integer REFERENCES "b.c".more ON DELETE CASCADE,
    FOREIGN KEY (part, day) REFERENCES parts ON DELETE SET NULL (part));
INSERT INTO a.t VALUES (1, 'Ann', 'Bob', 'pen'), (2, 'cy', 'dan', 'cup');
INSERT INTO "b.c".t VALUES (1, 1), (2, 2), (3, 1);
INSERT INTO codes VALUES (1, 'ANN'), (2, 'ann'), (3, 'CY');
INSERT INTO names VALUES (1, 'BOB'), (2, 'bob'), (3, 'DAN');
INSERT INTO skus VALUES ('pen', 1), ('cup', 2);
INSERT INTO parts VALUES (1, 1, '2024-05-05'), (2, 3, '2025-05-05'), (3, 2, '2025-05-05');
INSERT INTO "b.c".more VALUES (1, 1, '2024-05-05', NULL), (2, 2, '2025-05-05', 1), (3, 3, '2025-05-05', 2), (4, NULL, '2024-05-05', NULL);
-- change
DELETE FROM a.t WHERE id = 1;
-- later
INSERT INTO names VALUES (4, 'Dan');
UPDATE "b.c".more SET up = 3 WHERE id = 4;
-- restored
INSERT INTO names VALUES (4, 'Dan');
UPDATE "b.c".more SET up = 3 WHERE id = 4;
-- expect
-- run with: --where "a.t: t.id = 1"
-- partial: done
-- full: done, beside
