-- SPDX-License-Identifier: Apache-2.0
-- Indexes that are no keys.
-- $1: oid of the table
SELECT c.relname, pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = $1::oid AND NOT i.indisunique AND NOT i.indisexclusion
 ORDER BY c.relname COLLATE "C"
