-- SPDX-License-Identifier: Apache-2.0
-- The beginning of queries about a captured table: its tree of partitions, the tables where actions of
-- foreign keys on it begin, all that those reach, and whether two of them may meet in one row.
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
), action (id, target, deletes, updates, origin) AS ( -- each with all tables where it may begin
    SELECT f.oid, f.conrelid, f.confdeltype = 'c',
           f.confdeltype IN ('n', 'd') OR f.confupdtype IN ('c', 'n', 'd'), f.confrelid
      FROM pg_catalog.pg_constraint f
     WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
       AND f.conrelid IN (SELECT oid FROM tree UNION SELECT oid FROM above)
    UNION
    SELECT a.id, a.target, a.deletes, a.updates, f.confrelid
      FROM action a
      JOIN pg_catalog.pg_constraint f ON f.conrelid = a.origin
     WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
), meeting AS ( -- one statement may update a row by the one and delete it by the other
    SELECT EXISTS (SELECT
                     FROM action d
                     JOIN action u ON u.target = d.target AND u.origin = d.origin AND u.id <> d.id
                    WHERE d.deletes AND u.updates) AS possible
)
