-- SPDX-License-Identifier: Apache-2.0
-- story: triggers that stamp, swallow, refuse and write elsewhere fire for the change and never for its undo, and stay as enabled as they were
-- before
CREATE TABLE t (id integer PRIMARY KEY, v text, stamp integer DEFAULT 0);
CREATE TABLE log (n integer GENERATED ALWAYS AS IDENTITY, what text);
INSERT INTO t VALUES (1, 'a', 0), (2, 'b', 0), (3, 'c', 0);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.stamp = old.stamp + 1; INSERT INTO log (what) VALUES ('updated'); RETURN new; END $$;
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.id = 2 THEN RETURN NULL; END IF; RETURN new; END $$;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$;
CREATE TRIGGER stamp BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TRIGGER swallow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION swallow();
CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW WHEN (new.id = 3) EXECUTE FUNCTION refuse();
CREATE TRIGGER log_stays BEFORE DELETE ON log EXECUTE FUNCTION refuse();
CREATE TRIGGER off BEFORE DELETE ON t EXECUTE FUNCTION refuse();
ALTER TABLE t DISABLE TRIGGER off;
CREATE TRIGGER on_replica BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE t ENABLE REPLICA TRIGGER on_replica;
CREATE TRIGGER always AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE t ENABLE ALWAYS TRIGGER always;
-- change
UPDATE t SET v = v || '!' WHERE id = 1;
DELETE FROM t WHERE id IN (2, 3);
-- later
INSERT INTO t VALUES (4, 'd', 7);
-- expect
-- partial: done
-- full: done
