-- SPDX-License-Identifier: Apache-2.0
-- story: of several equal rows without a key that the change added, others have deleted all
-- before
CREATE TABLE events (what text);
INSERT INTO events VALUES ('a'), ('a'), (NULL);
-- change
DELETE FROM events WHERE what = 'a';
INSERT INTO events VALUES ('b'), ('b');
-- later
DELETE FROM events WHERE what = 'b';
INSERT INTO events VALUES ('c');
-- left
INSERT INTO events VALUES ('c');
-- expect
-- partial: done
-- full: done
