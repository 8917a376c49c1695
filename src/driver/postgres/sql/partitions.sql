-- SPDX-License-Identifier: Apache-2.0
-- Partitions that hold rows.
-- $1: oid of the table
SELECT (CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END
        || quote_ident(c.relname)) COLLATE "C" AS name
  FROM pg_catalog.pg_partition_tree($1::oid::regclass) p
  JOIN pg_catalog.pg_class c ON c.oid = p.relid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE p.isleaf AND p.relid <> $1::oid
 ORDER BY 1
