-- SPDX-License-Identifier: Apache-2.0
-- The beginning of queries about a captured table: its tree of partitions, the tables where actions of
-- foreign keys on it begin, and whether two of them may meet in one row.
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
), action AS ( -- of the table and of those above it
    SELECT f.oid AS id, f.conrelid AS target, f.confrelid AS origin, f.confdeltype = 'c' AS deletes,
           f.confdeltype IN ('n', 'd') OR f.confupdtype IN ('c', 'n', 'd') AS updates
      FROM pg_catalog.pg_constraint f
     WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
       AND f.conrelid IN (SELECT oid FROM tree UNION SELECT oid FROM above)
), way_up (origin, oid) AS ( -- from where an action comes, and all where it may begin
    SELECT origin, origin FROM action
    UNION
    SELECT w.origin, a.origin FROM way_up w JOIN action a ON a.target = w.oid
), meeting AS ( -- one statement may update a row by the one and delete it by the other
    SELECT EXISTS (SELECT
                     FROM action d
                     JOIN action u ON u.target = d.target AND u.id <> d.id
                     JOIN way_up v ON v.origin = d.origin
                     JOIN way_up w ON w.origin = u.origin AND w.oid = v.oid
                    WHERE d.deletes AND u.updates) AS possible
)
