-- SPDX-License-Identifier: Apache-2.0
-- What a table is, and whether its rows keep their exact bytes in binary.
-- $1: oid of the table
--
-- Binary forms of arrays and composites hold the OIDs of their parts, which differ in another
-- database when the part is not built in; those of reg* types are OIDs; that of xml depends on the
-- encoding; that of an array has two forms, which copy.c makes one where a column is an array by
-- itself; some types have none.  One such column makes the whole table use text.
WITH RECURSIVE parts (type, nested, inner_part) AS (
    SELECT a.atttypid, false, false
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attgenerated = ''
    UNION
    SELECT part.type, part.nested, true
      FROM parts
      JOIN pg_catalog.pg_type t ON t.oid = parts.type
     CROSS JOIN LATERAL (
           SELECT t.typbasetype, parts.nested WHERE t.typtype = 'd'
           UNION ALL
           SELECT t.typelem, true WHERE t.typelem <> 0 AND t.typlen = -1 AND t.typtype = 'b'
           UNION ALL
           SELECT a.atttypid, true
             FROM pg_catalog.pg_attribute a
            WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
              AND NOT a.attisdropped
           UNION ALL
           SELECT r.rngsubtype, parts.nested
             FROM pg_catalog.pg_range r
            WHERE t.typtype = 'r' AND r.rngtypid = t.oid
           UNION ALL
           SELECT r.rngsubtype, parts.nested
             FROM pg_catalog.pg_range r
            WHERE t.typtype = 'm' AND to_jsonb(r) ->> 'rngmultitypid' = t.oid::text
           ) part (type, nested)
)
SELECT row_security_active(c.oid) AS row_security,
       NOT EXISTS (
           SELECT FROM parts
             JOIN pg_catalog.pg_type t ON t.oid = parts.type
            WHERE t.typsend = 0
               OR t.typreceive = 0
               OR t.oid = 'xml'::regtype
               OR t.typnamespace = 'pg_catalog'::regnamespace AND t.typname LIKE 'reg%'
               OR parts.inner_part AND t.typcategory = 'A'
               OR parts.nested AND t.oid >= 16384) AS binary
  FROM pg_catalog.pg_class c
 WHERE c.oid = $1::oid
