-- SPDX-License-Identifier: Apache-2.0
-- What of a table's changes would not be captured, one sentence each: why none are ('u', or 'd': a
-- right is missing), then limits ('l').
-- $1: oid of the table
-- include tree.sql
, member AS (
    SELECT c.*, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
      FROM tree
      JOIN pg_catalog.pg_class c ON c.oid = tree.oid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), col AS (
    SELECT a.*
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
), given AS ( -- to whom a superuser gives the functions of the triggers
    SELECT c.relowner AS role
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_roles r ON r.rolname = current_user
     WHERE c.oid = $1::oid AND r.rolsuper AND c.relowner <> r.oid
), needed (schema) AS (
    SELECT relnamespace FROM member
    UNION
    SELECT t.typnamespace
      FROM col
      JOIN pg_catalog.pg_type d ON d.oid = col.atttypid
      JOIN pg_catalog.pg_type t ON t.oid IN (d.oid, d.typbasetype)
)
SELECT kind, sentence
  FROM (
    SELECT 'd' AS kind, 1 AS rank,
           format('a right is missing: only the owner of %s (%s) can make its triggers', name,
                  quote_ident(pg_get_userbyid(relowner))) AS sentence
      FROM member WHERE NOT pg_has_role(relowner, 'USAGE')
    UNION ALL
    SELECT 'd', 2, format('a right is missing: GRANT CREATE ON DATABASE %I TO %I',
                          current_database(), current_user)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'backout')
       AND NOT has_database_privilege(current_database(), 'CREATE')
    UNION ALL
    SELECT 'd', 3, format('a right is missing: GRANT CREATE, USAGE ON SCHEMA backout TO %I',
                          current_user)
      FROM pg_catalog.pg_namespace n
     WHERE n.nspname = 'backout'
       AND NOT (has_schema_privilege(n.oid, 'CREATE') AND has_schema_privilege(n.oid, 'USAGE'))
    UNION ALL
    SELECT 'd', 3, format('a right is missing: GRANT USAGE ON SCHEMA %I TO %I', n.nspname,
                          pg_get_userbyid(given.role))
      FROM given
     CROSS JOIN needed
      JOIN pg_catalog.pg_namespace n ON n.oid = needed.schema
     WHERE NOT has_schema_privilege(given.role, n.oid, 'USAGE')
    UNION ALL
    SELECT 'd', 3, format('a right is missing: GRANT EXECUTE ON FUNCTION set_config TO %I', rolname)
      FROM pg_catalog.pg_roles
     WHERE oid = coalesce((SELECT role FROM given), current_user::regrole::oid)
       AND NOT has_function_privilege(oid, 'set_config(text, text, boolean)', 'EXECUTE')
    UNION ALL -- whoever writes asks whether a trigger does
    SELECT 'd', 3, 'a right is missing: GRANT EXECUTE ON FUNCTION pg_trigger_depth TO PUBLIC'
     WHERE NOT has_function_privilege('public', 'pg_trigger_depth()', 'EXECUTE')
    UNION ALL
    SELECT 'u', 4, format('%s belongs to another role than the table it is a part of', name)
      FROM given JOIN member ON member.relowner <> given.role
    UNION ALL
    SELECT 'u', 4, format('%s is unlogged: a crash of the server empties it, which nothing captures',
                          name)
      FROM member WHERE relpersistence = 'u' AND relkind = 'r'
    UNION ALL
    SELECT 'u', 5, format('column %I has a name that its journal needs', attname)
      FROM col WHERE starts_with(attname, 'backout_')
    UNION ALL
    SELECT 'u', 6, 'it has more than 750 columns' WHERE (SELECT count(*) FROM col) > 750
    UNION ALL
    SELECT 'u', 7, format('publication %I sends all tables to its subscribers, which have no journals'
                          ' and would stop at the first row of one', pubname)
      FROM pg_catalog.pg_publication WHERE puballtables
    UNION ALL
    SELECT 'l', 10, 'a partition that is made, attached or detached later ends the capture'
      FROM member WHERE oid = $1::oid AND relkind = 'p'
    UNION ALL
    SELECT 'l', 11, format('what rule %s writes elsewhere is captured only where that is captured',
                           quote_ident(r.rulename))
      FROM pg_catalog.pg_rewrite r
     WHERE r.ev_class = $1::oid AND r.rulename <> '_RETURN' AND r.ev_enabled <> 'D'
       AND r.ev_type <> '1'
    UNION ALL
    SELECT 'l', 12, format('column %I may hold numbers of large objects, whose contents are not'
                           ' captured', attname)
      FROM col
      JOIN pg_catalog.pg_type t ON t.oid = col.atttypid
     WHERE t.oid = 'oid'::regtype OR t.typname = 'lo'
  ) found
 ORDER BY rank, sentence COLLATE "C"
