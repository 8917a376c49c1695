-- SPDX-License-Identifier: Apache-2.0
-- What of a table cannot be undone, one sentence each; first the reasons why no point can be taken.
-- $1: oid of the table
WITH this AS (
    SELECT c.oid, c.relkind, c.relpersistence, c.relowner, n.nspname,
           CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END
           || quote_ident(c.relname) AS name,
           quote_ident(current_user) AS me
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = $1::oid
), col AS (
    SELECT a.attnum, a.attname, a.attgenerated, a.atttypid
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
), used (seq) AS MATERIALIZED ( -- before has_sequence_privilege(), which fails for others
    SELECT s.seqrelid
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid
     WHERE d.classid = 'pg_catalog.pg_class'::regclass
       AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.refobjid = $1::oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    UNION
    SELECT s.seqrelid
      FROM pg_catalog.pg_attrdef a
      JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = a.oid
       AND d.refclassid = 'pg_catalog.pg_class'::regclass
      JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.refobjid
     WHERE a.adrelid = $1::oid
), users_trigger AS (
    SELECT t.tgname, t.tgenabled
      FROM pg_catalog.pg_trigger t
     WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal
       AND NOT EXISTS (
               SELECT FROM pg_catalog.pg_proc f
                 JOIN pg_catalog.pg_namespace o ON o.oid = f.pronamespace
                WHERE f.oid = t.tgfoid AND o.nspname = 'backout')
)
SELECT rank < 100 AS uncovered, sentence
  FROM (
    SELECT 1 AS rank, format('it is %s',
               CASE relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
                            ELSE 'a foreign table: its rows are in another database' END)
               AS sentence
      FROM this WHERE relkind NOT IN ('r', 'p')
    UNION ALL
    SELECT 2, 'it is a temporary table: no other session can read it'
      FROM this WHERE relpersistence = 't'
    UNION ALL
    SELECT 3, 'it belongs to the database itself'
      FROM this WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast')
    UNION ALL
    SELECT 4, 'a right is missing: GRANT USAGE ON SCHEMA ' || quote_ident(nspname) || ' TO ' || me
      FROM this WHERE NOT has_schema_privilege(nspname, 'USAGE')
    UNION ALL
    SELECT 5, 'a right is missing: GRANT SELECT ON ' || name || ' TO ' || me
      FROM this
     WHERE NOT has_table_privilege(oid, 'SELECT')
       AND NOT coalesce((SELECT bool_and(has_column_privilege($1::oid, attnum, 'SELECT'))
                           FROM col), false)
    UNION ALL
    SELECT 5, 'it is a partition of ' || a.relid::regclass::text
              || ', which has foreign keys: name that table instead'
      FROM this, pg_catalog.pg_partition_ancestors($1::oid) a
     WHERE a.relid <> $1::oid
       AND EXISTS (SELECT 1 FROM pg_catalog.pg_constraint f
                    WHERE f.contype = 'f' AND a.relid IN (f.conrelid, f.confrelid))
    UNION ALL
    SELECT 6, 'row security hides rows from ' || me || ': ALTER ROLE ' || me
              || ' BYPASSRLS, or connect as a role that has it'
      FROM this WHERE row_security_active(oid)
    UNION ALL
    SELECT 7, 'it has no column that could be read and put back'
     WHERE NOT EXISTS (SELECT FROM col WHERE attgenerated = '')
    UNION ALL
    SELECT 8, format('partition %s is a foreign table: its rows are in another database',
                     quote_ident(c.relname))
      FROM pg_catalog.pg_partition_tree($1::oid::regclass) p
      JOIN pg_catalog.pg_class c ON c.oid = p.relid
     WHERE c.relkind = 'f' AND c.oid <> $1::oid
    UNION ALL
    SELECT 100, 'rows cannot be put back before GRANT '
              || concat_ws(', ',
                     CASE WHEN NOT has_table_privilege(oid, 'INSERT') THEN 'INSERT' END,
                     CASE WHEN NOT has_table_privilege(oid, 'UPDATE') THEN 'UPDATE' END,
                     CASE WHEN NOT has_table_privilege(oid, 'DELETE') THEN 'DELETE' END)
              || ' ON ' || name || ' TO ' || me
      FROM this
     WHERE NOT (has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE')
                AND has_table_privilege(oid, 'DELETE'))
    UNION ALL
    SELECT 100, format('rows cannot be put back before ALTER TABLE %s REPLICA IDENTITY FULL:'
                       ' publication %I sends which rows go, and nothing names them', name, p.pubname)
      FROM this
      JOIN pg_catalog.pg_class c ON c.oid = this.oid
      JOIN pg_catalog.pg_publication p ON p.pubdelete OR p.pubupdate
     WHERE c.relkind = 'r' AND c.relpersistence = 'p'
       AND (c.relreplident = 'n'
            OR c.relreplident = 'd' AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
       AND (p.puballtables OR EXISTS (
                SELECT FROM pg_catalog.pg_publication_rel r
                 WHERE r.prpubid = p.oid AND r.prrelid = c.oid))
    UNION ALL
    SELECT 101, format('column %I may hold numbers of large objects, whose contents are not'
                       ' covered', attname)
      FROM col
      JOIN pg_catalog.pg_type t ON t.oid = col.atttypid
     WHERE t.oid = 'oid'::regtype OR t.typname = 'lo'
    UNION ALL
    SELECT 102, format('rule %s %s every %s of the table', quote_ident(r.rulename),
                       CASE WHEN r.is_instead THEN 'replaces' ELSE 'adds statements to' END,
                       CASE r.ev_type WHEN '2' THEN 'UPDATE' WHEN '3' THEN 'INSERT'
                                      WHEN '4' THEN 'DELETE' ELSE 'SELECT' END)
      FROM pg_catalog.pg_rewrite r
     WHERE r.ev_class = $1::oid AND r.rulename <> '_RETURN' AND r.ev_enabled <> 'D'
    UNION ALL
    SELECT 103, format('table %s inherits from it and is a table of its own',
                       CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END
                       || quote_ident(c.relname))
      FROM pg_catalog.pg_inherits i
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND NOT c.relispartition
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE i.inhparent = $1::oid
    UNION ALL
    SELECT 104, format('trigger %s is ENABLE %s: it fires also where others are kept from firing',
                       quote_ident(tgname),
                       CASE tgenabled WHEN 'A' THEN 'ALWAYS' ELSE 'REPLICA' END)
      FROM users_trigger WHERE tgenabled IN ('A', 'R')
    UNION ALL
    SELECT 105, 'its triggers cannot be kept from firing: ' || me || ' is not the owner ('
              || quote_ident(pg_get_userbyid(relowner)) || ')'
      FROM this
     WHERE NOT pg_has_role(relowner, 'USAGE')
       AND EXISTS (SELECT FROM users_trigger WHERE tgenabled <> 'D')
    UNION ALL
    SELECT 107, format('it has %s columns: single rows of it cannot be put back, all of them can with'
                       ' restore', count(*))
      FROM col WHERE attgenerated = '' HAVING count(*) > 1594
    UNION ALL
    SELECT 106, format('sequence %I cannot be put back before GRANT SELECT, UPDATE'
                       ' ON SEQUENCE %I.%I TO %s', c.relname, n.nspname, c.relname, me)
      FROM this
     CROSS JOIN used
      JOIN pg_catalog.pg_class c ON c.oid = used.seq
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT (has_sequence_privilege(used.seq, 'SELECT')
                AND has_sequence_privilege(used.seq, 'UPDATE'))
  ) found
 ORDER BY rank, sentence COLLATE "C"
