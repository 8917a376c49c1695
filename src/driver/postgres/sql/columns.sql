-- SPDX-License-Identifier: Apache-2.0
-- Columns of a table, in its order.
-- $1: oid of the table
--
-- A default names no column; given the table, pg_get_expr() looks at all of its columns each time.
SELECT a.attname,
       format_type(a.atttypid, a.atttypmod) AS type,
       a.atttypid,
       a.attnotnull,
       pg_get_expr(d.adbin, CASE WHEN a.attgenerated <> '' THEN d.adrelid ELSE '0' END)
           AS default_expr,
       a.attgenerated,
       a.attidentity,
       (SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname)
          FROM pg_catalog.pg_collation l
          JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
         WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation) AS collation
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
