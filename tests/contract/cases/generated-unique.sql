-- SPDX-License-Identifier: Apache-2.0
-- story: the unique value is one that the database computes from others, and it is swapped
-- before
CREATE TABLE rooms (id integer PRIMARY KEY, floor integer NOT NULL, door integer NOT NULL,
    number integer GENERATED ALWAYS AS (floor * 100 + door) STORED UNIQUE);
INSERT INTO rooms (id, floor, door) VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1);
-- change
UPDATE rooms SET floor = 9 WHERE id = 1;
UPDATE rooms SET door = 1 WHERE id = 2;
UPDATE rooms SET floor = 1, door = 2 WHERE id = 1;
DELETE FROM rooms WHERE id = 3;
-- later
INSERT INTO rooms (id, floor, door) VALUES (4, 3, 1);
-- expect
-- partial: done
-- full: done
