-- SPDX-License-Identifier: Apache-2.0
-- Views that read a table.
-- $1: oid of the table
SELECT DISTINCT
       (CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END
        || quote_ident(v.relname)) COLLATE "C" AS name
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
  JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
  JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
 WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass
   AND d.refclassid = 'pg_catalog.pg_class'::regclass
   AND d.refobjid = $1::oid
   AND v.oid <> $1::oid
 ORDER BY 1
