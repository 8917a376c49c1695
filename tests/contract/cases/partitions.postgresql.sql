-- SPDX-License-Identifier: Apache-2.0
-- story: rows move between partitions and sub-partitions, a foreign key points at the partitioned table
-- before
CREATE TABLE events (id integer NOT NULL, kind text NOT NULL, n integer, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b') PARTITION BY RANGE (id);
CREATE TABLE events_b_low (n integer, id integer NOT NULL, kind text NOT NULL);
ALTER TABLE events_b ATTACH PARTITION events_b_low FOR VALUES FROM (0) TO (100);
CREATE TABLE events_b_high PARTITION OF events_b FOR VALUES FROM (100) TO (200);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE notes (id integer PRIMARY KEY, kind text, event integer, FOREIGN KEY (kind, event) REFERENCES events ON UPDATE CASCADE);
INSERT INTO events VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 3), (104, 'b', 4), (5, 'z', 5);
INSERT INTO notes VALUES (1, 'a', 1), (2, 'b', 3), (3, NULL, 7);
-- change
UPDATE events SET kind = 'b' WHERE id = 2;
UPDATE events SET id = id + 100 WHERE id = 3;
DELETE FROM events WHERE kind = 'z';
UPDATE events SET kind = 'c' WHERE n = 4;
-- later
INSERT INTO events VALUES (6, 'z', 6), (150, 'b', 7);
INSERT INTO notes VALUES (4, 'b', 150);
-- expect
-- partial: done
-- full: done
