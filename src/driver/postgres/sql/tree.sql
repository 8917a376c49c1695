-- SPDX-License-Identifier: Apache-2.0
-- The beginning of queries about a table and its partitions, of every level.
-- $1: oid of the table
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION ALL
    SELECT i.inhrelid
      FROM tree
      JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
)
