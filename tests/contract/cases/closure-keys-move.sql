-- SPDX-License-Identifier: Apache-2.0
-- story: rows of one table are in the point; a key that is not their row key moves, and with it the row keys of two levels below
-- before
CREATE TABLE products (id integer PRIMARY KEY, sku varchar(10) NOT NULL UNIQUE);
CREATE TABLE prices (sku varchar(10) NOT NULL, since integer NOT NULL, cents integer, PRIMARY KEY (sku, since),
    FOREIGN KEY (sku) REFERENCES products (sku) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE notes (id integer PRIMARY KEY, sku varchar(10), since integer, note varchar(20),
    FOREIGN KEY (sku, since) REFERENCES prices (sku, since) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE images (id integer PRIMARY KEY, sku varchar(10), FOREIGN KEY (sku) REFERENCES products (sku) ON UPDATE CASCADE);
CREATE TABLE pixels (id integer PRIMARY KEY, image_id integer, FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO products VALUES (1, 'pen'), (2, 'cup'), (3, 'mug');
INSERT INTO prices VALUES ('pen', 1, 10), ('pen', 2, 12), ('cup', 1, 30), ('mug', 1, 40);
INSERT INTO notes VALUES (1, 'pen', 1, 'first'), (2, 'pen', 2, 'second'), (3, 'cup', 1, 'third'), (4, 'pen', NULL, 'no reference');
INSERT INTO images VALUES (1, 'pen'), (2, 'cup'), (3, NULL);
INSERT INTO pixels VALUES (1, 2), (2, 2);
-- change
UPDATE products SET sku = 'pencil' WHERE id = 1;
-- later
INSERT INTO products VALUES (4, 'cap');
INSERT INTO pixels VALUES (3, 2);
-- restored
INSERT INTO products VALUES (4, 'cap');
INSERT INTO pixels VALUES (3, 2);
-- expect
-- run with: --where "products: id = 1"
-- run warns: table prices is in the point as well, with all its rows: rows of it would go with products
-- partial: done
-- full: done, beside
