-- SPDX-License-Identifier: Apache-2.0
-- story: values of a megabyte, blobs full of NUL, in a table that is changed and deleted from
-- before
CREATE TABLE big (id INTEGER PRIMARY KEY, b BLOB, t TEXT);
INSERT INTO big VALUES (1, randomblob(1048576), replace(hex(zeroblob(300000)), '00', 'é😀')), (2, zeroblob(1000000), NULL),
    (3, x'', ''), (4, x'00', hex(randomblob(70000)));
-- change
UPDATE big SET b = randomblob(1048576) WHERE id = 1;
DELETE FROM big WHERE id IN (2, 4);
UPDATE big SET b = NULL, t = NULL WHERE id = 3;
-- later
INSERT INTO big VALUES (5, zeroblob(100000), 'later');
-- expect
-- partial: done
-- full: done
