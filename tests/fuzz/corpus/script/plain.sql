CREATE TABLE t (a, b);
INSERT INTO t VALUES (1, 'a;b'), (2, 'it''s');
-- done
UPDATE t SET a = a + 1 WHERE b LIKE '%;';
