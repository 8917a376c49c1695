-- SPDX-License-Identifier: Apache-2.0
-- Statements that make a bare table again, in order: sequences, the table, its partitions.
-- $1: oid of the table
WITH RECURSIVE tree (oid, parent, level) AS (
    SELECT $1::oid, (SELECT i.inhparent FROM pg_catalog.pg_inherits i
                       JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
                      WHERE i.inhrelid = $1::oid), 0
    UNION ALL
    SELECT i.inhrelid, i.inhparent, tree.level + 1
      FROM tree
      JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
), relation AS (
    SELECT tree.level, tree.parent, c.*, format('%I.%I', n.nspname, c.relname) AS name
      FROM tree
      JOIN pg_catalog.pg_class c ON c.oid = tree.oid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), seq AS NOT MATERIALIZED (
    SELECT s.*, c.relpersistence, format('%I.%I', n.nspname, c.relname) AS name,
           format('START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s',
                  s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
                  CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END) AS options
      FROM pg_catalog.pg_sequence s
      JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), called AS (
    SELECT DISTINCT d.refobjid AS oid
      FROM tree
      JOIN pg_catalog.pg_attrdef a ON a.adrelid = tree.oid
      JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = a.oid
       AND d.refclassid = 'pg_catalog.pg_class'::regclass
    UNION
    SELECT d.objid
      FROM tree
      JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'a'
       AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = tree.oid
), col AS (
    SELECT a.attrelid, a.attnum,
           concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
               (SELECT format('COLLATE %I.%I', n.nspname, l.collname)
                  FROM pg_catalog.pg_collation l
                  JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
                 WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation),
               CASE WHEN a.attgenerated = 's'
                    THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
                    WHEN a.attgenerated <> ''
                    THEN format('GENERATED ALWAYS AS (%s)', pg_get_expr(d.adbin, d.adrelid))
                    WHEN a.attidentity <> ''
                    THEN format('GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)',
                                CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
                                seq.name, seq.options)
                    WHEN d.oid IS NOT NULL
                    THEN 'DEFAULT ' || pg_get_expr(d.adbin, 0)
               END,
               CASE WHEN a.attnotnull THEN 'NOT NULL' END) AS definition
      FROM tree
      JOIN pg_catalog.pg_attribute a
        ON a.attrelid = tree.oid AND a.attnum > 0 AND NOT a.attisdropped
       AND (a.attislocal OR a.attinhcount = 0)
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      LEFT JOIN pg_catalog.pg_depend i
        ON a.attidentity <> '' AND i.classid = 'pg_catalog.pg_class'::regclass
       AND i.refclassid = 'pg_catalog.pg_class'::regclass AND i.refobjid = a.attrelid
       AND i.refobjsubid = a.attnum AND i.deptype = 'i'
      LEFT JOIN seq ON seq.seqrelid = i.objid
)
SELECT statement
  FROM (
    SELECT -1 AS rank, seq.name,
           format('CREATE %sSEQUENCE IF NOT EXISTS %s AS %s %s',
                  CASE seq.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,
                  seq.name, format_type(seq.seqtypid, NULL), seq.options) AS statement
      FROM called
      JOIN seq ON seq.seqrelid = called.oid
    UNION ALL
    SELECT r.level, r.name,
           concat(
               'CREATE ', CASE r.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, 'TABLE ', r.name,
               CASE WHEN r.relispartition
                    THEN (SELECT format(' PARTITION OF %I.%I %s', n.nspname, c.relname,
                                        pg_get_expr(r.relpartbound, r.oid))
                            FROM pg_catalog.pg_class c
                            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                           WHERE c.oid = r.parent)
                    ELSE concat(
                        E' (\n',
                        (SELECT string_agg('    ' || col.definition, E',\n' ORDER BY col.attnum)
                           FROM col WHERE col.attrelid = r.oid),
                        E'\n)',
                        (SELECT format(' INHERITS (%s)',
                                       string_agg(format('%I.%I', n.nspname, c.relname), ', '
                                                  ORDER BY i.inhseqno))
                           FROM pg_catalog.pg_inherits i
                           JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
                           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                          WHERE i.inhrelid = r.oid
                         HAVING count(*) > 0))
               END,
               ' PARTITION BY ' || pg_get_partkeydef(r.oid),
               (SELECT format(' USING %I', m.amname)
                  FROM pg_catalog.pg_am m WHERE m.oid = r.relam AND m.amname <> 'heap'),
               (SELECT format(' WITH (%s)',
                              string_agg(format('%s%I=%L', o.prefix, split_part(o.option, '=', 1),
                                                substr(o.option, strpos(o.option, '=') + 1)),
                                         ', '))
                  FROM (SELECT '' AS prefix, unnest(r.reloptions) AS option
                        UNION ALL
                        SELECT 'toast.', unnest(x.reloptions)
                          FROM pg_catalog.pg_class x WHERE x.oid = r.reltoastrelid) o
                HAVING count(*) > 0),
               (SELECT format(' TABLESPACE %I', s.spcname)
                  FROM pg_catalog.pg_tablespace s WHERE s.oid = r.reltablespace))
      FROM relation r
  ) made (rank, name, statement)
 ORDER BY rank, name COLLATE "C"
