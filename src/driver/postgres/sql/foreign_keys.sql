-- SPDX-License-Identifier: Apache-2.0
-- Foreign keys of a table and of those that refer to it or to one of its partitions: one row for
-- each pair of columns.  Those that partitions inherit are left out, unless the table is such a
-- partition itself.
-- $1: oid of the table
WITH parts AS (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass))
SELECT f.oid,
       f.conname,
       f.conrelid = $1::oid AS is_child,
       f.confrelid = $1::oid OR f.confrelid IN (SELECT t.relid FROM parts t) AS is_parent,
       CASE WHEN cn.nspname = 'public' THEN '' ELSE quote_ident(cn.nspname) || '.' END
       || quote_ident(c.relname) AS child,
       CASE WHEN pn.nspname = 'public' THEN '' ELSE quote_ident(pn.nspname) || '.' END
       || quote_ident(p.relname) AS parent,
       (SELECT a.attname FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = f.conrelid AND a.attnum = k.child) AS child_column,
       (SELECT a.attname FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = f.confrelid AND a.attnum = k.parent) AS parent_column,
       f.confdeltype,
       f.confupdtype,
       f.condeferrable,
       f.condeferred,
       f.convalidated,
       format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', cn.nspname, c.relname, f.conname,
              pg_get_constraintdef(f.oid)) AS definition
  FROM pg_catalog.pg_constraint f
  JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
  JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
  JOIN pg_catalog.pg_class p ON p.oid = f.confrelid
  JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
 CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY k (child, parent, ordinal)
 WHERE f.contype = 'f'
   AND ($1::oid IN (f.conrelid, f.confrelid)
        AND (f.conparentid = 0
             OR (SELECT r.relispartition FROM pg_catalog.pg_class r WHERE r.oid = $1::oid))
        OR f.conparentid = 0 AND f.confrelid IN (SELECT t.relid FROM parts t))
 ORDER BY f.conname COLLATE "C", c.relname COLLATE "C", f.oid, k.ordinal
