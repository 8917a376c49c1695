-- SPDX-License-Identifier: Apache-2.0
-- Sequences that a column owns or that its default calls, as far as they may be read.
-- $1: oid of the table
-- The sequences are found before has_sequence_privilege() is asked, which fails for others.
WITH used (seq, attnum) AS MATERIALIZED (
    SELECT s.seqrelid, d.refobjsubid
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid
     WHERE d.classid = 'pg_catalog.pg_class'::regclass
       AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.refobjid = $1::oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    UNION
    SELECT s.seqrelid, a.adnum
      FROM pg_catalog.pg_attrdef a
      JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = a.oid
       AND d.refclassid = 'pg_catalog.pg_class'::regclass
      JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.refobjid
     WHERE a.adrelid = $1::oid
)
SELECT (quote_ident(n.nspname) || '.' || quote_ident(c.relname)) COLLATE "C" AS name,
       a.attname,
       s.seqincrement,
       (SELECT count(DISTINCT coalesce(pg_partition_root(user_oid), user_oid))
          FROM (SELECT d.adrelid::regclass
                  FROM pg_catalog.pg_depend x
                  JOIN pg_catalog.pg_attrdef d
                    ON x.classid = 'pg_catalog.pg_attrdef'::regclass AND d.oid = x.objid
                 WHERE x.refclassid = 'pg_catalog.pg_class'::regclass AND x.refobjid = used.seq
                UNION ALL
                SELECT x.refobjid::regclass
                  FROM pg_catalog.pg_depend x
                 WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = used.seq
                   AND x.refclassid = 'pg_catalog.pg_class'::regclass AND x.refobjsubid > 0
                   AND x.deptype IN ('a', 'i')) u (user_oid))
       + (SELECT r.relispartition::int FROM pg_catalog.pg_class r WHERE r.oid = $1::oid) AS tables
  FROM used
  JOIN pg_catalog.pg_class c ON c.oid = used.seq
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
  JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = used.attnum
 WHERE has_sequence_privilege(used.seq, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
 ORDER BY a.attnum, name
