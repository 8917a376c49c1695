-- SPDX-License-Identifier: Apache-2.0
-- The beginning of queries about a captured table: its tree of partitions, the tables where actions of
-- foreign keys on it begin, and all that those reach.
-- $1: oid of the table
-- include tree.sql
, above (oid) AS ( -- where foreign keys' actions on the table begin
    SELECT f.confrelid
      FROM tree
      JOIN pg_catalog.pg_constraint f ON f.conrelid = tree.oid
     WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
    UNION
    SELECT f.confrelid
      FROM above
      JOIN pg_catalog.pg_constraint f ON f.conrelid = above.oid
     WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
), reached (oid) AS ( -- and all that they reach
    SELECT oid FROM above
    UNION
    SELECT f.conrelid
      FROM reached
      JOIN pg_catalog.pg_constraint f ON f.confrelid = reached.oid
     WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
)
