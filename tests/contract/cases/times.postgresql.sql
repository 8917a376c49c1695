-- SPDX-License-Identifier: Apache-2.0
-- story: infinity, years before Christ, 24:00:00, leap seconds, intervals that are equal and written differently
-- before
CREATE TABLE t (id integer PRIMARY KEY, d date, ts timestamp, tz timestamptz, t time, tt timetz, i interval);
INSERT INTO t VALUES (1, '0044-03-15 BC', '4713-01-01 00:00:00 BC', '2026-03-29 02:30:00 Europe/Berlin', '24:00:00', '24:00:00-14', '1 day'),
    (2, 'infinity', '-infinity', 'infinity', '00:00:00', '23:59:60+00', '24 hours'),
    (3, '5874897-12-31', '294276-12-31 23:59:59.999999', '0001-01-01 00:00:00+00 BC', '00:00:00.000001', '12:00:00.5+05:45:30', '-1 mons +30 days -00:00:00.000001'),
    (4, NULL, NULL, NULL, NULL, NULL, '30 days'), (5, '2000-02-29', '2000-02-29', '2000-02-29', '01:02:03', '01:02:03+00', '1 mon');
-- change
SET TimeZone = 'Pacific/Chatham';
SET DateStyle = 'German';
SET IntervalStyle = 'iso_8601';
UPDATE t SET i = '24 hours' WHERE id = 1;
UPDATE t SET i = '1 day' WHERE id = 2;
UPDATE t SET i = '1 mon', tt = '02:02:03+01' WHERE id IN (4, 5);
DELETE FROM t WHERE id IN (1, 3);
UPDATE t SET tz = tz + '1 hour', i = '30 days' WHERE id = 5;
-- later
UPDATE t SET t = '24:00:00' WHERE id = 2;
-- left
UPDATE t SET i = '1 day', t = '24:00:00' WHERE id = 2;
-- expect
-- partial: conflicts
--   data t 2 (t)
-- full: done
