-- SPDX-License-Identifier: Apache-2.0
-- The relations whose writes are writes of a table: itself and its partitions.
-- $1: oid of the table
--
-- How they are captured: 's' by statement.  'r' row by row: a statement that names an ancestor by
-- inheritance, and the apply worker of a subscription, fire no statement triggers of the table; of a
-- row that an action updates before another deletes it, they fire in an order of their own; and rows
-- that MERGE (since 15) moves to another partition are in none of their transition tables.  'b'
-- as a batch before the first of the users' own AFTER triggers, which may write the same rows again;
-- that cannot be had of partitions.  Those by statement count, too: of a statement that inserts, updates
-- and deletes, they fire for the one before ours fire for the next.
-- include capture_reached.sql
, way AS (
    SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = $1::oid)
           OR EXISTS (SELECT FROM pg_catalog.pg_inherits i
                        JOIN pg_catalog.pg_class h ON h.oid = i.inhrelid AND NOT h.relispartition
                       WHERE i.inhparent = $1::oid)
           OR EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s
                        JOIN tree ON tree.oid = s.srrelid)
           OR (SELECT possible FROM meeting)
           OR current_setting('server_version_num')::int >= 150000
              AND EXISTS (SELECT FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = $1::oid)
              AS by_row,
           EXISTS (SELECT
                     FROM tree
                     JOIN pg_catalog.pg_trigger t ON t.tgrelid = tree.oid
                     JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
                     JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                    WHERE NOT t.tgisinternal AND t.tgtype & 66 = 0 AND t.tgtype & 29 <> 0
                      AND n.nspname <> 'backout')
               AS writes_again
)
SELECT c.oid,
       format('%I.%I', n.nspname, c.relname) AS name,
       c.relkind = 'r' AS stores,
       CASE WHEN way.by_row THEN 'r'
            WHEN NOT way.writes_again THEN 's'
            WHEN (SELECT count(*) FROM tree) > 1 THEN 'r'
            ELSE 'b'
       END AS way
  FROM tree
 CROSS JOIN way
  JOIN pg_catalog.pg_class c ON c.oid = tree.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY c.oid
