-- SPDX-License-Identifier: Apache-2.0
-- All that the capture of a table rests on, to be compared with what it was.
-- $1: oid of the table
--
-- The xmin of a trigger's row changes with every ALTER of the trigger, so one that was switched off
-- for a while is not the same afterwards.
--
-- Heaps are the files that hold the rows: oid, number of the file, and a hash of which versions of
-- themselves the columns are.  ALTER COLUMN ... USING makes the second and the third others;
-- TRUNCATE, CLUSTER and VACUUM FULL only the second, GRANT and SET DEFAULT only the third.
-- include capture_reached.sql
, journal (oid) AS (
    SELECT c.oid
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'backout' AND c.relkind = 'r' AND c.relname = 'journal_' || $1::text
), ours (oid, name, body) AS (
    SELECT p.oid, p.proname, md5(concat(p.prosrc, p.prosecdef, p.proconfig))
      FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = 'backout' AND starts_with(p.proname, 'journal_' || $1::text || '_')
)
SELECT ARRAY(SELECT concat_ws(' ', a.attnum, quote_ident(a.attname),
                    format_type(a.atttypid, a.atttypmod),
                    (SELECT format('COLLATE %I', l.collname) FROM pg_catalog.pg_collation l
                      WHERE l.oid = a.attcollation AND l.collname <> 'default'),
                    CASE WHEN a.attgenerated <> '' THEN 'GENERATED' END)
               FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
              ORDER BY a.attnum) AS columns,
       ARRAY(SELECT concat_ws(' ', c.oid, c.relfilenode,
                    (SELECT md5(string_agg(concat_ws(' ', a.attnum, a.xmin), ',' ORDER BY a.attnum))
                       FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
               FROM tree
               JOIN pg_catalog.pg_class c ON c.oid = tree.oid
              WHERE c.relkind = 'r'
              ORDER BY c.oid) AS heaps,
       ARRAY(SELECT 'partition ' || tree.oid FROM tree WHERE tree.oid <> $1::oid
             UNION ALL
             SELECT 'parent ' || i.inhparent FROM pg_catalog.pg_inherits i
              WHERE i.inhrelid = $1::oid
             UNION ALL
             SELECT 'child ' || i.inhrelid
               FROM pg_catalog.pg_inherits i
               JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND NOT c.relispartition
              WHERE i.inhparent = $1::oid
             UNION ALL
             SELECT 'subscription of ' || s.srrelid
               FROM pg_catalog.pg_subscription_rel s JOIN tree ON tree.oid = s.srrelid
             UNION ALL
             SELECT 'owner ' || pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c
              WHERE c.oid = $1::oid
             UNION ALL
             SELECT 'forced row security on ' || tree.oid
               FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid
              WHERE c.relrowsecurity AND c.relforcerowsecurity
             UNION ALL
             SELECT 'foreign keys whose actions meet in ' || $1::oid FROM meeting WHERE possible
             ORDER BY 1) AS members,
       ARRAY(SELECT concat_ws(' ', t.tgrelid, t.tgname, t.tgenabled, t.tgfoid, t.xmin)
               FROM pg_catalog.pg_trigger t
               JOIN ours ON ours.oid = t.tgfoid
              ORDER BY t.tgrelid, t.tgname) AS triggers,
       ARRAY(SELECT concat_ws(' ', ours.name, ours.body) FROM ours ORDER BY ours.name, ours.body)
           AS functions,
       ARRAY(SELECT concat_ws(' ', journal.oid, a.attname, a.atttypid)
               FROM journal
               JOIN pg_catalog.pg_attribute a ON a.attrelid = journal.oid
              WHERE a.attnum > 0 AND NOT a.attisdropped
              ORDER BY a.attnum) AS journal
