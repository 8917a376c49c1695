-- SPDX-License-Identifier: Apache-2.0
-- story: triggers that stamp, refuse, ignore and write elsewhere fire for the change, and never for its undo
-- before
CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, stamp INTEGER DEFAULT 0);
CREATE TABLE log (n INTEGER PRIMARY KEY, what TEXT);
INSERT INTO t VALUES (1, 'a', 0), (2, 'b', 0), (3, 'c', 0);
CREATE TRIGGER stamp AFTER UPDATE OF v ON t BEGIN
    UPDATE t SET stamp = old.stamp + 1 WHERE id = new.id;
    INSERT INTO log (what) VALUES ('updated ' || new.id);
END;
CREATE TRIGGER never_again BEFORE INSERT ON t WHEN new.id = 3 BEGIN SELECT raise(ABORT, 'not 3'); END;
CREATE TRIGGER never_mind BEFORE INSERT ON t WHEN new.id = 2 BEGIN SELECT raise(IGNORE); END;
CREATE TRIGGER gone AFTER DELETE ON t BEGIN INSERT INTO log (what) VALUES ('deleted ' || old.id); END;
CREATE TRIGGER log_stays BEFORE DELETE ON log BEGIN SELECT raise(ABORT, 'the log stays'); END;
CREATE VIEW shown AS SELECT id, v FROM t;
CREATE TRIGGER shown_update INSTEAD OF UPDATE ON shown BEGIN UPDATE t SET v = new.v WHERE id = old.id; END;
-- change
UPDATE shown SET v = v || '!' WHERE id = 1;
DELETE FROM t WHERE id IN (2, 3);
-- later
INSERT INTO t VALUES (4, 'd', 7);
-- expect
-- partial: done
-- full: done
