-- SPDX-License-Identifier: Apache-2.0
-- story: keys that look equal: 1, 1.5, '1', x'31', 'a', 'A', 'a ', the empty text and the empty blob
-- before
CREATE TABLE t (k PRIMARY KEY NOT NULL, v);
INSERT INTO t VALUES (1, 'integer'), (1.5, 'real'), ('1', 'text'), (x'31', 'blob'), ('a', 1), ('A', 2), ('a ', 3), ('', 4), (x'', 5),
    (9007199254740993, 'above 2^53'), (9007199254740992.0, 'a real'), (-9223372036854775808, 'lowest');
-- change
UPDATE t SET v = v || '!' WHERE k IN (1, '1', x'31', 'A', x'');
DELETE FROM t WHERE k IN ('', 'a ', 9007199254740993);
INSERT INTO t VALUES (2, 'new'), ('2', 'new'), (x'32', 'new');
-- later
UPDATE t SET v = 'later' WHERE k = '1';
UPDATE t SET v = 'later' WHERE k = x'32';
INSERT INTO t VALUES ('3', 'later'), ('9007199254740993', 'text');
-- left
UPDATE t SET v = 'later' WHERE k = '1';
INSERT INTO t VALUES (x'32', 'later'), ('3', 'later'), ('9007199254740993', 'text');
-- expect
-- partial: conflicts
--   data t 1 (v)
--   data t 32 (v)
-- full: done
