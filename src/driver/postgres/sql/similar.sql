-- SPDX-License-Identifier: Apache-2.0
-- Tables whose names resemble one that does not exist, best first.
-- $1: name inside a schema
SELECT (CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END
        || quote_ident(c.relname)) COLLATE "C" AS name
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p')
   AND NOT c.relispartition
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'backout')
   AND $1::text <> ''
   AND (strpos(lower(c.relname), lower($1::text)) > 0
        OR strpos(lower($1::text), lower(c.relname)) > 0
        OR left(lower(c.relname), 2) = left(lower($1::text), 2)
           AND abs(length(c.relname) - length($1::text)) <= 2)
 ORDER BY lower(c.relname) <> lower($1::text),
          abs(length(c.relname) - length($1::text)),
          name
 LIMIT 3
