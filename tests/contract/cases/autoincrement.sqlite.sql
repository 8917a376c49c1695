-- SPDX-License-Identifier: Apache-2.0
-- story: AUTOINCREMENT never gives a number twice, also not after a rollback took the row away
-- before
CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);
INSERT INTO a (v) VALUES ('one'), ('two');
-- change
INSERT INTO a (v) VALUES ('three'), ('four');
DELETE FROM a WHERE id = 1;
-- later
INSERT INTO a (v) VALUES ('five');
-- left
INSERT INTO a VALUES (5, 'five');
-- expect
-- partial: done
-- full: done
