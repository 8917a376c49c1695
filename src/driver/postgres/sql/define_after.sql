-- SPDX-License-Identifier: Apache-2.0
-- Statements that complete a table once its rows are in, in the order in which they run: keys,
-- indexes, checks, foreign keys, column and table settings, triggers, rules, policies, comments,
-- owner, grants, publications.
-- $1: oid of the table
--
-- What a SELECT among them returns are statements to run, too.  So a foreign key is added by
-- whichever of its two tables is completed last: tables that refer to each other can be completed
-- in any order.
-- include tree.sql
, relation AS (
    SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name
      FROM tree
      JOIN pg_catalog.pg_class c ON c.oid = tree.oid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), con AS (
    SELECT k.*, r.name AS relation, pg_get_constraintdef(k.oid) AS definition
      FROM relation r
      JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
     WHERE k.conparentid = 0 AND k.conislocal
), idx AS (
    SELECT i.*, r.name AS relation, c.relname, c.relkind, c.reloptions, k.oid AS constraint,
           format('%I.%I', n.nspname, c.relname) AS name,
           format('CREATE %sINDEX %I', CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname)
               AS head,
           pg_get_indexdef(i.indexrelid) AS definition
      FROM relation r
      JOIN pg_catalog.pg_index i ON i.indrelid = r.oid AND i.indisvalid
      JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_constraint k
        ON k.conindid = i.indexrelid AND k.conrelid = r.oid AND k.contype IN ('p', 'u', 'x')
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_inherits p WHERE p.inhrelid = i.indexrelid)
), fk AS (
    SELECT f.conname, pg_get_constraintdef(f.oid) AS definition,
           format('%I.%I', cn.nspname, c.relname) AS child,
           format('%I.%I', kn.nspname, k.relname) AS parent_key
      FROM pg_catalog.pg_constraint f
      JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
      JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
      JOIN pg_catalog.pg_class k ON k.oid = f.conindid
      JOIN pg_catalog.pg_namespace kn ON kn.oid = k.relnamespace
     WHERE f.contype = 'f' AND f.conparentid = 0
       AND (f.conrelid IN (SELECT oid FROM tree) OR f.confrelid IN (SELECT oid FROM tree))
), col AS (
    SELECT a.*, r.name AS relation, r.relispartition, t.typstorage,
           to_jsonb(a) ->> 'attcompression' AS compression,
           to_jsonb(a) ->> 'attstattarget' AS target,
           pg_get_expr(d.adbin, CASE WHEN a.attgenerated <> '' THEN d.adrelid ELSE '0' END) AS expr
      FROM relation r
      JOIN pg_catalog.pg_attribute a
        ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
), heir AS (
    SELECT col.relation, col.attname, col.expr, col.attnotnull, p.attnotnull AS parent_not_null,
           pg_get_expr(d.adbin, CASE WHEN p.attgenerated <> '' THEN d.adrelid ELSE '0' END)
               AS parent_expr
      FROM col
      JOIN pg_catalog.pg_inherits i ON i.inhrelid = col.attrelid AND i.inhseqno = 1
      JOIN pg_catalog.pg_attribute p
        ON p.attrelid = i.inhparent AND p.attname = col.attname AND NOT p.attisdropped
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = p.attrelid AND d.adnum = p.attnum
     WHERE col.attinhcount > 0 AND (col.relispartition OR NOT col.attislocal)
       AND col.attgenerated = '' AND col.attidentity = ''
), owned AS (
    SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name, d.deptype,
           format('%s.%I', col.relation, col.attname) AS owner_column
      FROM col
      JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
       AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = col.attrelid
       AND d.refobjsubid = col.attnum
      JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), trg AS (
    SELECT t.*, r.name AS relation
      FROM relation r
      JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
     WHERE NOT EXISTS (
               SELECT FROM pg_catalog.pg_proc f
                 JOIN pg_catalog.pg_namespace o ON o.oid = f.pronamespace
                WHERE f.oid = t.tgfoid AND o.nspname = 'backout')
), pol AS (
    SELECT p.*, r.name AS relation
      FROM relation r
      JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
), rul AS (
    SELECT w.*, r.name AS relation
      FROM relation r
      JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
), stx AS (
    SELECT s.oid, pg_get_statisticsobjdef(s.oid) AS definition, s.stxname,
           format('%I.%I', n.nspname, s.stxname) AS name
      FROM tree
      JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = tree.oid
      JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
), granted AS (
    SELECT r.name, 'TABLE' AS kind, '' AS columns, r.relowner AS owner, r.relacl AS acl
      FROM relation r WHERE r.relacl IS NOT NULL
    UNION ALL
    SELECT o.name, 'SEQUENCE', '', o.relowner, o.relacl FROM owned o WHERE o.relacl IS NOT NULL
    UNION ALL
    SELECT col.relation, 'TABLE', format(' (%I)', col.attname),
           (SELECT r.relowner FROM relation r WHERE r.oid = col.attrelid), col.attacl
      FROM col WHERE col.attacl IS NOT NULL
), permission AS (
    SELECT g.kind, g.name, g.columns, min(x.ordinal) AS ordinal,
           string_agg(x.privilege_type || g.columns, ', ' ORDER BY x.ordinal) AS privileges,
           CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
               AS grantee,
           x.is_grantable
      FROM granted g
     CROSS JOIN LATERAL aclexplode(g.acl) WITH ORDINALITY
           x (grantor, grantee, privilege_type, is_grantable, ordinal)
     GROUP BY g.kind, g.name, g.columns, x.grantee, x.is_grantable
)
SELECT statement
  FROM (
    SELECT 10 AS rank, position(con.contype IN 'pux')::bigint AS first, con.conname::text AS second,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', con.relation, con.conname, con.definition)
               AS statement
      FROM con WHERE con.contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT 12, 0, idx.relname,
           CASE WHEN idx.relkind = 'I' -- ON ONLY would leave the partitions without it
                THEN idx.head || ' ON '
                     || substr(idx.definition, 1 + length(idx.head || ' ON ONLY '))
                ELSE idx.definition
           END
      FROM idx WHERE idx.constraint IS NULL
    UNION ALL
    SELECT 14, 0, idx.relname,
           format('ALTER INDEX %s SET (%s)', idx.name,
                  (SELECT string_agg(format('%I=%L', split_part(o, '=', 1),
                                            substr(o, strpos(o, '=') + 1)), ', ')
                     FROM unnest(idx.reloptions) o))
      FROM idx WHERE idx.constraint IS NOT NULL AND idx.reloptions IS NOT NULL
    UNION ALL
    SELECT 16, 0, con.conname,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', con.relation, con.conname, con.definition)
      FROM con WHERE con.contype = 'c'
    UNION ALL
    SELECT 18, 0, heir.attname,
           format('ALTER TABLE %s ALTER COLUMN %I %s', heir.relation, heir.attname,
                  coalesce('SET DEFAULT ' || heir.expr, 'DROP DEFAULT'))
      FROM heir WHERE heir.expr IS DISTINCT FROM heir.parent_expr
    UNION ALL
    SELECT 19, 0, heir.attname,
           format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', heir.relation, heir.attname)
      FROM heir WHERE heir.attnotnull AND NOT heir.parent_not_null
    UNION ALL
    SELECT 20, col.attnum, setting.text,
           format('ALTER TABLE %s ALTER COLUMN %I SET %s', col.relation, col.attname, setting.text)
      FROM col
     CROSS JOIN LATERAL (
           SELECT 'STORAGE ' || CASE col.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                                                    WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
            WHERE col.attstorage <> col.typstorage
           UNION ALL
           SELECT 'COMPRESSION ' || CASE col.compression WHEN 'l' THEN 'lz4' ELSE 'pglz' END
            WHERE col.compression <> ''
           UNION ALL
           SELECT 'STATISTICS ' || col.target WHERE col.target <> '-1'
           ) setting (text)
    UNION ALL
    SELECT 21, col.attnum, '',
           format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', col.relation, col.attname,
                  array_to_string(col.attoptions, ', '))
      FROM col WHERE col.attoptions IS NOT NULL
    UNION ALL
    SELECT 24, 0, stx.stxname, stx.definition FROM stx
    UNION ALL
    SELECT 25, 0, idx.relname,
           format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', idx.relation, idx.relname)
      FROM idx WHERE idx.indisreplident
    UNION ALL
    SELECT 26, 0, r.name, format('ALTER TABLE %s REPLICA IDENTITY %s', r.name,
           CASE r.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
      FROM relation r WHERE r.relreplident IN ('f', 'n')
    UNION ALL
    SELECT 27, 0, idx.relname, format('ALTER TABLE %s CLUSTER ON %I', idx.relation, idx.relname)
      FROM idx WHERE idx.indisclustered
    UNION ALL
    SELECT 30, 0, fk.conname,
           format('SELECT %L WHERE to_regclass(%L) IS NOT NULL AND to_regclass(%L) IS NOT NULL'
                  ' AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint'
                  ' WHERE conrelid = to_regclass(%L) AND conname = %L)',
                  format('ALTER TABLE %s ADD CONSTRAINT %I %s',
                         fk.child, fk.conname, fk.definition),
                  fk.parent_key, fk.child, fk.child, fk.conname)
      FROM fk
    UNION ALL
    SELECT 35, 0, owned.name,
           format('ALTER SEQUENCE %s OWNED BY %s', owned.name, owned.owner_column)
      FROM owned WHERE owned.deptype = 'a'
    UNION ALL
    SELECT 40, 0, trg.tgname, pg_get_triggerdef(trg.oid) FROM trg WHERE trg.tgparentid = 0
    UNION ALL
    SELECT 41, 0, trg.tgname, format('ALTER TABLE ONLY %s %s TRIGGER %I', trg.relation,
           CASE trg.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS'
                              WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END, trg.tgname)
      FROM trg WHERE trg.tgenabled <> 'O'
    UNION ALL
    SELECT 42, 0, rul.rulename, pg_get_ruledef(rul.oid) FROM rul
    UNION ALL
    SELECT 43, 0, rul.rulename, format('ALTER TABLE %s %s RULE %I', rul.relation,
           CASE rul.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS'
                               ELSE 'ENABLE REPLICA' END, rul.rulename)
      FROM rul WHERE rul.ev_enabled <> 'O'
    UNION ALL
    SELECT 45, 0, pol.polname, concat(
           format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', pol.polname, pol.relation,
                  CASE WHEN pol.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                  CASE pol.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'
                                  WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                  (SELECT string_agg(CASE o.role WHEN 0 THEN 'PUBLIC'
                                     ELSE quote_ident(pg_get_userbyid(o.role)) END, ', '
                                     ORDER BY o.ordinal)
                     FROM unnest(pol.polroles) WITH ORDINALITY o (role, ordinal))),
           ' USING (' || pg_get_expr(pol.polqual, pol.polrelid) || ')',
           ' WITH CHECK (' || pg_get_expr(pol.polwithcheck, pol.polrelid) || ')')
      FROM pol
    UNION ALL
    SELECT 46, 0, r.name, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', r.name)
      FROM relation r WHERE r.relrowsecurity
    UNION ALL
    SELECT 47, 0, r.name, format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', r.name)
      FROM relation r WHERE r.relforcerowsecurity
    UNION ALL
    SELECT 50, 0, target, format('COMMENT ON %s IS %L', target, remark.description)
      FROM (
        SELECT 'TABLE ' || name, 'pg_catalog.pg_class'::regclass, oid, 0 FROM relation
        UNION ALL SELECT format('COLUMN %s.%I', relation, attname), 'pg_catalog.pg_class'::regclass,
                         attrelid, attnum FROM col
        UNION ALL SELECT 'INDEX ' || name, 'pg_catalog.pg_class'::regclass, indexrelid, 0 FROM idx
        UNION ALL SELECT 'SEQUENCE ' || name, 'pg_catalog.pg_class'::regclass, oid, 0 FROM owned
        UNION ALL SELECT format('CONSTRAINT %I ON %s', conname, relation),
                         'pg_catalog.pg_constraint'::regclass, oid, 0 FROM con
        UNION ALL SELECT format('TRIGGER %I ON %s', tgname, relation),
                         'pg_catalog.pg_trigger'::regclass, oid, 0 FROM trg
        UNION ALL SELECT format('RULE %I ON %s', rulename, relation),
                         'pg_catalog.pg_rewrite'::regclass, oid, 0 FROM rul
        UNION ALL SELECT format('POLICY %I ON %s', polname, relation),
                         'pg_catalog.pg_policy'::regclass, oid, 0 FROM pol
        UNION ALL SELECT 'STATISTICS ' || name, 'pg_catalog.pg_statistic_ext'::regclass, oid, 0
                    FROM stx
      ) commented (target, class, oid, sub)
      JOIN pg_catalog.pg_description remark
        ON remark.objoid = commented.oid AND remark.classoid = commented.class
       AND remark.objsubid = commented.sub
    UNION ALL
    SELECT 60, 0, r.name,
           format('ALTER TABLE %s OWNER TO %I', r.name, pg_get_userbyid(r.relowner))
      FROM relation r
    UNION ALL -- what default privileges gave to others when it was made again
    SELECT 65, 0, made.name,
           format('SELECT DISTINCT %L || CASE x.grantee WHEN 0 THEN ''PUBLIC'''
                  ' ELSE quote_ident(pg_get_userbyid(x.grantee)) END'
                  ' FROM pg_catalog.pg_class c, aclexplode(c.relacl) x'
                  ' WHERE c.oid = to_regclass(%L) AND x.grantee <> c.relowner',
                  format('REVOKE ALL ON %s %s FROM ', made.kind, made.name), made.name)
      FROM (SELECT 'TABLE', r.name FROM relation r
            UNION ALL SELECT 'SEQUENCE', owned.name FROM owned) made (kind, name)
    UNION ALL
    SELECT 70, 0, g.name, format('REVOKE ALL ON %s %s FROM PUBLIC, %I', g.kind, g.name,
                                 pg_get_userbyid(g.owner))
      FROM granted g WHERE g.columns = ''
    UNION ALL
    SELECT 71, p.ordinal, p.name || p.columns,
           format('GRANT %s ON %s %s TO %s%s', p.privileges, p.kind, p.name, p.grantee,
                  CASE WHEN p.is_grantable THEN ' WITH GRANT OPTION' END)
      FROM permission p
    UNION ALL
    SELECT 80, 0, b.pubname, format('ALTER PUBLICATION %I ADD TABLE %s', b.pubname, r.name)
      FROM relation r
      JOIN pg_catalog.pg_publication_rel m ON m.prrelid = r.oid
      JOIN pg_catalog.pg_publication b ON b.oid = m.prpubid
  ) made
 ORDER BY rank, first, second COLLATE "C", statement COLLATE "C"
