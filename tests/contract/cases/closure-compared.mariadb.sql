-- SPDX-License-Identifier: Apache-2.0
-- story: references are found where Ann is ANN, 'a' is 'a ' and 1.0 is 1.00, through a table that refers to itself
-- before
CREATE TABLE codes (code varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, price decimal(6,2) UNIQUE, v integer);
CREATE TABLE uses (id integer PRIMARY KEY, code varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
    FOREIGN KEY (code) REFERENCES codes (code) ON DELETE CASCADE);
CREATE TABLE priced (id integer PRIMARY KEY, price decimal(6,2), up integer,
    FOREIGN KEY (price) REFERENCES codes (price) ON DELETE SET NULL, FOREIGN KEY (up) REFERENCES priced (id) ON DELETE CASCADE);
CREATE TABLE marks (id integer PRIMARY KEY, priced_id integer, FOREIGN KEY (priced_id) REFERENCES priced (id) ON DELETE CASCADE);
INSERT INTO codes VALUES ('Ann', 1.10, 1), ('cy', 2.20, 2), ('é', 3.30, 3);
INSERT INTO uses VALUES (1, 'ANN'), (2, 'ann  '), (3, 'CY'), (4, 'E'), (5, NULL);
INSERT INTO priced VALUES (1, 1.1, NULL), (2, 2.2, 1), (3, 3.3, 2), (4, NULL, NULL);
INSERT INTO marks VALUES (1, 1), (2, 4);
-- change
DELETE FROM codes WHERE v = 1 OR v = 3;
-- later
INSERT INTO uses VALUES (6, 'cY');
UPDATE marks SET priced_id = NULL WHERE id = 2;
-- restored
INSERT INTO uses VALUES (6, 'cY');
UPDATE marks SET priced_id = NULL WHERE id = 2;
-- expect
-- run with: --where "codes: code IN ('ANN', 'e')"
-- partial: done
-- full: done, beside
