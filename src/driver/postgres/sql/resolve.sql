-- SPDX-License-Identifier: Apache-2.0
-- Relations that a name may mean, best first.
-- $1: schema, or NULL   $2: name inside the schema
SELECT c.oid,
       (CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END
        || quote_ident(c.relname)) COLLATE "C" AS name,
       n.nspname,
       c.relname,
       c.relkind
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND c.relname = $2::text
   AND CASE WHEN $1::text IS NULL
            THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                 OR n.oid = pg_my_temp_schema()
            ELSE n.nspname = $1::text
       END
 ORDER BY n.nspname <> 'public', name
