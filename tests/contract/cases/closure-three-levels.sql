-- SPDX-License-Identifier: Apache-2.0
-- story: rows of one table are in the point; their deletion cascades through three levels of composite keys
-- before
CREATE TABLE regions (country varchar(2), region integer, name varchar(20), PRIMARY KEY (country, region));
CREATE TABLE cities (country varchar(2), region integer, city varchar(20), people integer,
    PRIMARY KEY (country, region, city),
    FOREIGN KEY (country, region) REFERENCES regions (country, region) ON DELETE CASCADE);
CREATE TABLE streets (id integer PRIMARY KEY, country varchar(2), region integer, city varchar(20), street varchar(40),
    FOREIGN KEY (country, region, city) REFERENCES cities (country, region, city) ON DELETE CASCADE);
CREATE TABLE houses (street_id integer, number integer, PRIMARY KEY (street_id, number),
    FOREIGN KEY (street_id) REFERENCES streets (id) ON DELETE CASCADE);
CREATE TABLE mayors (id integer PRIMARY KEY, country varchar(2), region integer, city varchar(20),
    FOREIGN KEY (country, region, city) REFERENCES cities (country, region, city));
INSERT INTO regions VALUES ('de', 1, 'north'), ('de', 2, 'south'), ('fr', 1, 'west');
INSERT INTO cities VALUES ('de', 1, 'Kiel', 250), ('de', 1, 'Bremen', 560), ('de', 2, 'Ulm', 126), ('fr', 1, 'Brest', 140);
INSERT INTO streets VALUES (1, 'de', 1, 'Kiel', 'a'), (2, 'de', 1, 'Bremen', 'b'), (3, 'de', 2, 'Ulm', 'c'),
    (4, 'de', NULL, 'Kiel', 'half a key points nowhere'), (5, NULL, 1, 'Kiel', 'neither does this'), (6, 'fr', 1, 'Brest', 'd');
INSERT INTO houses VALUES (1, 1), (1, 2), (2, 1), (3, 1), (4, 1), (6, 1);
INSERT INTO mayors VALUES (1, 'de', 2, 'Ulm');
-- change
DELETE FROM regions WHERE country = 'de' AND region = 1;
-- later
INSERT INTO cities VALUES ('de', 2, 'Aalen', 68);
UPDATE houses SET number = 7 WHERE street_id = 4;
UPDATE mayors SET id = 2;
-- restored
INSERT INTO cities VALUES ('de', 2, 'Aalen', 68);
UPDATE houses SET number = 7 WHERE street_id = 4;
UPDATE mayors SET id = 2;
-- expect
-- run with: --where "regions: country = 'de' AND region = 1 -- north"
-- run warns: table houses is in the point as well: rows of it would go with streets (foreign key
-- partial: done
-- full: done, beside
