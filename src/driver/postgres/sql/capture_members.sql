-- SPDX-License-Identifier: Apache-2.0
-- The relations whose writes are writes of a table: itself and its partitions.
-- $1: oid of the table
--
-- A statement that names an ancestor by inheritance, and the apply worker of a subscription, fire no
-- statement triggers of the table: it is captured row by row.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION ALL
    SELECT i.inhrelid
      FROM tree
      JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
)
SELECT c.oid,
       format('%I.%I', n.nspname, c.relname) AS name,
       c.relkind = 'r' AS stores,
       EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = $1::oid)
       OR EXISTS (SELECT FROM pg_catalog.pg_inherits i
                    JOIN pg_catalog.pg_class h ON h.oid = i.inhrelid AND NOT h.relispartition
                   WHERE i.inhparent = $1::oid)
       OR EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s JOIN tree ON tree.oid = s.srrelid)
          AS by_row
  FROM tree
  JOIN pg_catalog.pg_class c ON c.oid = tree.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY c.oid
