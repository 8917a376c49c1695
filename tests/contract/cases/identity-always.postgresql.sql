-- SPDX-License-Identifier: Apache-2.0
-- story: identity columns that are ALWAYS generated, also as the key that moves; serial and owned sequences
-- before
CREATE TABLE a (id integer GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT -5 MINVALUE -1000 MAXVALUE 10) PRIMARY KEY, v text);
CREATE TABLE b (n bigint GENERATED ALWAYS AS IDENTITY, code text PRIMARY KEY);
CREATE TABLE c (id serial PRIMARY KEY, n bigserial, v text);
INSERT INTO a (v) VALUES ('five'), ('zero'), ('minus five');
INSERT INTO b (code) VALUES ('x'), ('y');
INSERT INTO c (v) VALUES ('one'), ('two');
-- change
DELETE FROM a WHERE v = 'zero';
UPDATE a SET v = v || '!';
INSERT INTO a (v) VALUES ('minus ten');
UPDATE b SET n = DEFAULT WHERE code = 'x';
DELETE FROM c WHERE id = 1;
UPDATE c SET n = nextval('c_n_seq') WHERE id = 2;
-- later
INSERT INTO a (v) VALUES ('later');
INSERT INTO c (v) VALUES ('later');
-- left
SELECT nextval('a_id_seq'), nextval('c_n_seq');
INSERT INTO a (v) VALUES ('later');
INSERT INTO c (v) VALUES ('later');
-- expect
-- partial: done
-- full: done
