-- SPDX-License-Identifier: Apache-2.0
-- story: a rule turns some updates into nothing: whoever cannot switch it off is told so; a view is written through
-- before
CREATE TABLE t (id integer PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a'), (2, 'b');
CREATE RULE copy AS ON UPDATE TO t WHERE old.id = 2 DO INSTEAD NOTHING;
CREATE VIEW shown AS SELECT id, v FROM t WHERE id < 10 WITH CHECK OPTION;
-- change
INSERT INTO shown VALUES (3, 'c');
UPDATE shown SET v = 'x' WHERE id = 1;
-- later
INSERT INTO t VALUES (4, 'd');
-- expect
-- partial: done
-- partial as postgresql-owner: refused: rule 'copy' of t rewrites
-- full: done
-- full as postgresql-owner: refused: rule 'copy' of t rewrites
