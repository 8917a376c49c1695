-- SPDX-License-Identifier: Apache-2.0
-- story: the columns are called rowid, oid and _rowid_ and are none; no key, equal rows
-- before
CREATE TABLE r (rowid TEXT, oid TEXT, _rowid_ TEXT);
CREATE TABLE d (id INTEGER PRIMARY KEY DESC, v TEXT);
INSERT INTO r VALUES ('x', 'y', 'z'), ('x', 'y', 'z'), (NULL, '1', '2');
INSERT INTO d VALUES (1, 'not a row number'), (2, 'by an old quirk'), (NULL, 'null key'), (NULL, 'another');
-- change
DELETE FROM d WHERE id IS NULL;
UPDATE d SET v = v || '!';
-- later
INSERT INTO d VALUES (3, 'later');
-- expect
-- partial: done
-- full: done
