-- SPDX-License-Identifier: Apache-2.0
-- story: bookings that may not overlap, and ranks that are unique at commit only; a later booking takes the time
-- before
CREATE TABLE bookings (id integer PRIMARY KEY, during int4range NOT NULL, rank integer UNIQUE DEFERRABLE INITIALLY DEFERRED,
    EXCLUDE USING gist (during WITH &&));
INSERT INTO bookings VALUES (1, '[1,5)', 1), (2, '[5,9)', 2), (3, '[10,12)', 3), (4, 'empty', 4);
-- change
UPDATE bookings SET rank = 5 - rank;
DELETE FROM bookings WHERE id = 3;
UPDATE bookings SET during = '[20,22)' WHERE id = 1;
UPDATE bookings SET during = '[1,5)' WHERE id = 2;
UPDATE bookings SET during = '[5,9)' WHERE id = 1;
-- later
INSERT INTO bookings VALUES (5, '[11,13)', 9);
-- left
DELETE FROM bookings WHERE id = 3;
INSERT INTO bookings VALUES (5, '[11,13)', 9);
-- expect
-- partial: conflicts
--   constraint bookings 3
-- full: done
