-- SPDX-License-Identifier: Apache-2.0
-- story: 1, 1.0 and '1' are equal to SQL in some columns, and the change does nothing but turn one into another
-- before
CREATE TABLE v (id INTEGER PRIMARY KEY, x);
INSERT INTO v VALUES (1, 1), (2, 1.0), (3, '1'), (4, x'31'), (5, 'a'), (6, NULL);
-- change
UPDATE v SET x = 1.0 WHERE id = 1;
UPDATE v SET x = 1 WHERE id = 2;
UPDATE v SET x = x'31' WHERE id = 3;
UPDATE v SET x = '1' WHERE id = 4;
UPDATE v SET x = x'61' WHERE id = 5;
UPDATE v SET x = '' WHERE id = 6;
-- expect
-- partial: done
-- full: done
