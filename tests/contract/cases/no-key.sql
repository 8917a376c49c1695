-- SPDX-License-Identifier: Apache-2.0
-- story: rows without any key, many of them equal, with NULLs: only how often each is there counts
-- before
CREATE TABLE log (at text, what text, n integer);
INSERT INTO log VALUES ('mon', 'a', 1), ('mon', 'a', 1), ('mon', 'a', NULL), (NULL, NULL, NULL), (NULL, NULL, NULL),
    (NULL, NULL, NULL), ('tue', '', 0), ('tue', NULL, 0);
-- change
DELETE FROM log WHERE at IS NULL;
INSERT INTO log VALUES (NULL, NULL, NULL);
UPDATE log SET what = 'b' WHERE n = 1;
INSERT INTO log VALUES ('tue', '', 0), ('tue', '', 0);
-- later
INSERT INTO log VALUES (NULL, NULL, NULL), ('wed', 'x', 9);
-- expect
-- partial: done
-- full: done
