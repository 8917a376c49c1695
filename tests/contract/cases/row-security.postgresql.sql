-- SPDX-License-Identifier: Apache-2.0
-- story: row security that hides rows from others and not from the owner
-- before
CREATE TABLE t (id integer PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'shown'), (2, 'hidden');
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown_only ON t USING (v = 'shown');
-- change
UPDATE t SET v = v || '!' WHERE id = 2;
DELETE FROM t WHERE id = 1;
-- expect
-- partial: done
-- full: done
