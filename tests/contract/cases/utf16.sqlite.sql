-- SPDX-License-Identifier: Apache-2.0
-- story: a database in UTF-16
-- before
PRAGMA encoding = 'UTF-16le';
CREATE TABLE s (k TEXT NOT NULL PRIMARY KEY, v TEXT);
INSERT INTO s VALUES ('é', '😀'), ('日本', 'a' || char(0) || 'b'), ('', char(65535));
-- change
UPDATE s SET v = v || k;
DELETE FROM s WHERE k = '日本';
-- later
INSERT INTO s VALUES ('later', '𐍈');
-- expect
-- partial: done
-- full: done
