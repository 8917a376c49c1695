-- SPDX-License-Identifier: Apache-2.0
-- story: arrays with lower bounds and NULLs, composites in arrays in domains, enums, ranges, bits, addresses, searches
-- before
CREATE TYPE mood AS ENUM ('sad', 'so, so', '"glad"', '');
CREATE TYPE pair AS (a text, "b c" numeric);
CREATE DOMAIN pairs AS pair[] CHECK (cardinality(VALUE) < 9);
CREATE DOMAIN short AS varchar(3) NOT NULL DEFAULT '?';
CREATE TABLE c (id integer PRIMARY KEY, a integer[], t text[], m mood[], p pairs, r pair, s short, ir int4range, mr nummultirange,
    tr tstzrange, bits bit(5), vb bit varying, ip inet, mac macaddr8, box box, path path, ts tsvector, tq tsquery, u uuid, lsn pg_lsn, oids oid, cls regclass);
INSERT INTO c VALUES (1, '[-2:0]={1,NULL,3}', '{"NULL",NULL,"",a b,"\"","\\","{"}', '{"so, so","\"glad\"",""}', '{"(\"a,\\\"b\",1.00)","(,)",NULL}', '("",1.0)', 'é',
        '[1,5)', '{[1.0,2.00),(3,)}', '[-infinity,infinity]', B'10101', B'', '10.0.0.1/8', '08:00:2b:01:02:03:04:05', '((1,1),(-0,NaN))', '[(0,0),(1,1)]',
        'a:1A ''b c'':2', '!a & ''b c'':*', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '16/B374D848', 4294967295, 'pg_class'),
    (2, '{}', '{}', '{}', '{}', '(,)', '', 'empty', '{}', '(,)', B'00000', B'1', '::1', '08:00:2b:01:02:03', NULL, '((0,0),(1,1))', '', '', NULL, '0/0', 0, NULL),
    (3, '{{1,2},{3,4}}', '[5:5]={x}', NULL, NULL, NULL, 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- change
UPDATE c SET a = '{1,NULL,3}', p[0] = '(x,)', r.a = NULL, ip = '10.0.0.1', mr = '{[1,2)}' WHERE id = 1;
DELETE FROM c WHERE id = 2;
UPDATE c SET t = '{x}', a[3][1] = NULL WHERE id = 4;
UPDATE c SET t = '{x}', r = '(,)' WHERE id = 3;
-- later
INSERT INTO c (id, s) VALUES (5, 'new');
-- expect
-- partial: done
-- full: done
