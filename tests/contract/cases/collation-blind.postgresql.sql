-- SPDX-License-Identifier: Apache-2.0
-- story: a key whose collation ignores case and accents; a later row takes a key in other letters
-- before
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE TABLE u (k text COLLATE blind PRIMARY KEY, v text);
INSERT INTO u VALUES ('Ann', 'a'), ('bob', 'b'), ('élan', 'c'), ('zoe', 'd');
-- change
UPDATE u SET k = 'ANN' WHERE v = 'a';
DELETE FROM u WHERE v = 'b';
UPDATE u SET k = 'elan' WHERE v = 'c';
UPDATE u SET k = 'zoé', v = 'd!' WHERE v = 'd';
-- later
INSERT INTO u VALUES ('BOB', 'later');
-- left
DELETE FROM u WHERE v = 'b';
INSERT INTO u VALUES ('BOB', 'later');
-- expect
-- partial: conflicts
--   exists u bob
-- full: done
