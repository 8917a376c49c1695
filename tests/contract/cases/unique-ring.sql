-- SPDX-License-Identifier: Apache-2.0
-- story: four rows hand their unique value on in a ring; another session adds a row meanwhile
-- before
CREATE TABLE seats (id integer PRIMARY KEY, seat text NOT NULL UNIQUE);
INSERT INTO seats VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
-- change
UPDATE seats SET seat = '#' || seat;
UPDATE seats SET seat = CASE seat WHEN '#a' THEN 'b' WHEN '#b' THEN 'c' WHEN '#c' THEN 'd' ELSE 'a' END;
-- later
INSERT INTO seats VALUES (5, 'e');
-- expect
-- partial: done
-- full: done
