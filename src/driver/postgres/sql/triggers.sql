-- SPDX-License-Identifier: Apache-2.0
-- Users' own triggers; not those that constraints and partitions bring, nor ours.
-- $1: oid of the table
SELECT t.tgname, pg_get_triggerdef(t.oid) AS definition, t.tgenabled
  FROM pg_catalog.pg_trigger t
 WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal AND t.tgparentid = 0
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_proc f
             JOIN pg_catalog.pg_namespace o ON o.oid = f.pronamespace
            WHERE f.oid = t.tgfoid AND o.nspname = 'backout')
 ORDER BY t.tgname COLLATE "C"
