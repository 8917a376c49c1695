-- SPDX-License-Identifier: Apache-2.0
-- story: InnoDB lets children refer to a value that several parents have, and to parents without any key
-- before
CREATE TABLE p (code integer, v text, KEY (code));
CREATE TABLE c (id integer PRIMARY KEY, code integer, FOREIGN KEY (code) REFERENCES p (code) ON DELETE CASCADE);
INSERT INTO p VALUES (1, 'a'), (1, 'b'), (2, 'c'), (2, 'c');
INSERT INTO c VALUES (1, 1), (2, 2);
-- change
INSERT INTO p VALUES (1, 'new'), (3, 'new');
INSERT INTO c VALUES (3, 3);
UPDATE p SET v = 'B' WHERE v = 'b';
-- later
INSERT INTO c VALUES (4, 1);
-- expect
-- partial: done
-- full: done
