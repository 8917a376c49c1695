-- SPDX-License-Identifier: Apache-2.0
-- story: a deletion cascades through three levels of composite keys; others write beside it
-- before
CREATE TABLE regions (country varchar(9), region integer, name text, PRIMARY KEY (country, region));
CREATE TABLE cities (country varchar(9), region integer, city varchar(9), people integer,
    PRIMARY KEY (country, region, city),
    FOREIGN KEY (country, region) REFERENCES regions (country, region) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE streets (id integer PRIMARY KEY, country varchar(9), region integer, city varchar(9), street text,
    FOREIGN KEY (country, region, city) REFERENCES cities (country, region, city) ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO regions VALUES ('de', 1, 'north'), ('de', 2, 'south'), ('fr', 1, 'west');
INSERT INTO cities VALUES ('de', 1, 'Kiel', 250), ('de', 1, 'Bremen', 560), ('de', 2, 'Ulm', 126), ('fr', 1, 'Brest', 140);
INSERT INTO streets VALUES (1, 'de', 1, 'Kiel', 'a'), (2, 'de', 1, 'Kiel', 'b'), (3, 'de', 2, 'Ulm', 'c'),
    (4, 'de', NULL, 'Ulm', 'half a key points nowhere'), (5, 'fr', 1, 'Brest', 'd');
-- change
DELETE FROM regions WHERE country = 'de' AND region = 1;
UPDATE regions SET region = 7 WHERE country = 'fr';
-- later
INSERT INTO cities VALUES ('de', 2, 'Aalen', 68);
INSERT INTO streets VALUES (6, 'de', 2, 'Aalen', 'e');
-- expect
-- partial: done
-- full: done
