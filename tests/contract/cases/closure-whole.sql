-- SPDX-License-Identifier: Apache-2.0
-- story: one whole table is in the point, and with it whole tables that its rows take with them; others come to no harm
-- before
CREATE TABLE authors (id integer PRIMARY KEY, name varchar(20));
CREATE TABLE books (id integer PRIMARY KEY, author_id integer, FOREIGN KEY (author_id) REFERENCES authors (id) ON DELETE CASCADE);
CREATE TABLE pages (book_id integer, page integer, PRIMARY KEY (book_id, page), FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE CASCADE);
CREATE TABLE words (book_id integer, word varchar(20), FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE SET NULL);
CREATE TABLE loans (id integer PRIMARY KEY, book_id integer, FOREIGN KEY (book_id) REFERENCES books (id));
INSERT INTO authors VALUES (1, 'a'), (2, 'b');
INSERT INTO books VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO pages VALUES (1, 1), (1, 2), (3, 1);
INSERT INTO words VALUES (1, 'one'), (1, 'one'), (3, 'two'), (NULL, 'two');
INSERT INTO loans VALUES (1, 3);
-- change
DELETE FROM authors WHERE id = 1;
-- later
INSERT INTO authors VALUES (3, 'c');
UPDATE loans SET id = 2;
-- restored
UPDATE loans SET id = 2;
-- expect
-- run with: --tables authors
-- run warns: table words is in the point as well: rows of it would change with books (foreign key
-- partial: done
-- full: done
