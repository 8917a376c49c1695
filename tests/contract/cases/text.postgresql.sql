-- SPDX-License-Identifier: Apache-2.0
-- story: text that means something to COPY, CSV or a terminal; char(n) with blanks; xml and json to the letter
-- before
CREATE TABLE s (k text PRIMARY KEY, v text, c char(5), n name, x xml, j json, b jsonb, y bytea);
INSERT INTO s VALUES (E'\\N', 'NULL', 'a', 'n', '<a  b="1" ></a>', '{"a": 1.0,  "a": 2}', '{"a": 1.0}', '\x00'),
    (E'\\.', E'\r\n', 'a    ', '', '<?xml version="1.0"?><a/>', ' [1,  2 ] ', '[1.00, 1e2]', '\x'), (E'\n\\.\n', E'\t', '', 'x', '', 'null', 'null', '\x5c2e0a00ff'),
    ('', '', '  a', NULL, NULL, '"\u0000 is text in json"', '"\\"', NULL), (E'\u202eabc\u0301', E'\u0001\u007f', 'é😀', 'é', '<é/>', '{}', '{}', '\xdeadbeef'),
    ('"', '"",""', '''', '$$', 'a', '1', '-0', '\x27');
-- change
UPDATE s SET b = '{"a": 1.00}', j = '{"a":1.0,"a":2}' WHERE k = E'\\N';
UPDATE s SET b = '0', c = c || 'x' WHERE k = '"';
UPDATE s SET v = v || E'\\';
DELETE FROM s WHERE k IN (E'\\.', E'\n\\.\n', E'\u202eabc\u0301');
-- later
UPDATE s SET v = E'later\r' WHERE k = '';
INSERT INTO s VALUES ('later', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- left
UPDATE s SET v = E'later\r' WHERE k = '';
INSERT INTO s VALUES ('later', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- expect
-- partial: conflicts
--   data s  (v)
-- full: done
