-- SPDX-License-Identifier: Apache-2.0
-- story: JSON in a check, a generated column, a default and indexes, as Django and Rails make them
-- before
CREATE TABLE events (id integer PRIMARY KEY AUTOINCREMENT, data text NOT NULL DEFAULT (json_object())
    CHECK ((JSON_VALID(data) OR data IS NULL)), kind text AS (json_extract(data, '$.kind')));
CREATE UNIQUE INDEX one_by_key ON events (json_extract(data, '$.key')) WHERE json_type(data, '$.key') IS NOT NULL;
CREATE INDEX by_kind ON events (kind);
INSERT INTO events (id, data) VALUES (1, '{"kind": "a", "key": 1}'), (2, '{"kind":"b"}'), (3, '{"key": "1"}');
-- change
UPDATE events SET data = json_set(data, '$.kind', 'c') WHERE id = 1;
DELETE FROM events WHERE id = 3;
INSERT INTO events DEFAULT VALUES;
-- later
UPDATE events SET data = '{"kind": "later"}' WHERE id = 2;
-- left
UPDATE events SET data = '{"kind": "later"}' WHERE id = 2;
-- expect
-- partial: done
-- full: done
