-- SPDX-License-Identifier: Apache-2.0
-- What a journal needs to know of the columns in a table's images, in their order.
-- $1: oid of the table   $2: name of the row key
--
-- A journal holds base types without modifiers: it takes what the table gives and checks nothing.
-- Values of an exact type are equal only when they are the same bytes.
--
-- What is MATERIALIZED is planned apart: the order of eleven joins takes longer to find than all else.
WITH RECURSIVE base (attnum, type) AS (
    SELECT a.attnum, a.atttypid
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    UNION ALL
    SELECT base.attnum, t.typbasetype
      FROM base
      JOIN pg_catalog.pg_type t ON t.oid = base.type
     WHERE t.typtype = 'd'
), part AS MATERIALIZED (
    SELECT k.attnum, k.ordinal, format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS equal
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
      LEFT JOIN pg_catalog.pg_constraint con
        ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid
       AND con.contype IN ('p', 'u', 'x')
     CROSS JOIN LATERAL unnest(i.indkey, i.indclass) WITH ORDINALITY k (attnum, class, ordinal)
      JOIN pg_catalog.pg_opclass oc ON oc.oid = k.class
      JOIN pg_catalog.pg_amop ao
        ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3
       AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
      JOIN pg_catalog.pg_operator o ON o.oid = ao.amopopr
      JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
     WHERE i.indrelid = $1::oid AND coalesce(con.conname, c.relname) = $2::text
       AND k.ordinal <= i.indnkeyatts
)
SELECT a.attname,
       (SELECT format('%I.%I', n.nspname, t.typname) FROM pg_catalog.pg_namespace n
         WHERE n.oid = t.typnamespace) AS type,
       (SELECT format(' COLLATE %I.%I', n.nspname, l.collname)
          FROM pg_catalog.pg_collation l
          JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
         WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation) AS collation,
       (t.typtype = 'e'
        OR t.oid IN ('bool'::regtype, 'char'::regtype, 'name'::regtype, 'int2'::regtype,
                     'int4'::regtype, 'int8'::regtype, 'oid'::regtype, 'text'::regtype,
                     'varchar'::regtype, 'bytea'::regtype, 'date'::regtype, 'time'::regtype,
                     'timestamp'::regtype, 'timestamptz'::regtype, 'uuid'::regtype,
                     'macaddr'::regtype, 'macaddr8'::regtype, 'xid8'::regtype))
       AND coalesce((SELECT l.collisdeterministic FROM pg_catalog.pg_collation l
                      WHERE l.oid = a.attcollation), true) AS exact,
       part.ordinal,
       part.equal,
       CASE t.oid WHEN 'int2'::regtype THEN 'hashint2extended'
                  WHEN 'int4'::regtype THEN 'hashint4extended'
                  WHEN 'int8'::regtype THEN 'hashint8extended'
                  WHEN 'uuid'::regtype THEN 'uuid_hash_extended'
       END AS hash, -- of values that have one of their own, which is faster than that of a record
       t.typcategory = 'A' AS array
  FROM pg_catalog.pg_attribute a
  JOIN base ON base.attnum = a.attnum
  JOIN pg_catalog.pg_type t ON t.oid = base.type AND t.typtype <> 'd'
  LEFT JOIN part ON part.attnum = a.attnum
 WHERE a.attrelid = $1::oid
 ORDER BY a.attnum
