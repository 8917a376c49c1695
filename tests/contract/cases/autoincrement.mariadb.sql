-- SPDX-License-Identifier: Apache-2.0
-- story: numbers that the database gives, among them a row with the number 0, which an INSERT takes for "the next one"
-- before
SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');
CREATE TABLE tickets (id integer AUTO_INCREMENT PRIMARY KEY, v text);
INSERT INTO tickets VALUES (0, 'zero'), (1, 'one'), (7, 'seven');
-- change
DELETE FROM tickets WHERE id IN (0, 7);
INSERT INTO tickets (v) VALUES ('eight');
-- later
INSERT INTO tickets VALUES (20, 'nine');
-- expect
-- partial: done
-- full: done
