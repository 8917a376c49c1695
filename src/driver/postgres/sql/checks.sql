-- SPDX-License-Identifier: Apache-2.0
-- Check constraints.
-- $1: oid of the table
SELECT c.conname, pg_get_constraintdef(c.oid) AS definition
  FROM pg_catalog.pg_constraint c
 WHERE c.conrelid = $1::oid AND c.contype = 'c'
 ORDER BY c.conname COLLATE "C"
