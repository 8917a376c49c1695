-- SPDX-License-Identifier: Apache-2.0
-- Primary, unique and exclusion constraints and unique indexes; the best key for a row first.
-- A generated column is in no image, so no row is known by a key with one.
-- $1: oid of the table
WITH place AS (
    SELECT a.attnum, a.attnotnull AND a.attgenerated = '' AS known, row_number() OVER (ORDER BY a.attnum) - 1 AS position
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
), part AS (
    SELECT i.indexrelid, k.ordinal, place.position, place.known
      FROM pg_catalog.pg_index i
     CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (attnum, ordinal)
      LEFT JOIN place ON place.attnum = k.attnum
     WHERE i.indrelid = $1::oid AND k.ordinal <= i.indnkeyatts
)
SELECT coalesce(con.conname, c.relname) COLLATE "C" AS name,
       (SELECT string_agg(part.position::text, ' ' ORDER BY part.ordinal)
          FROM part WHERE part.indexrelid = i.indexrelid) AS positions,
       i.indisprimary,
       i.indisunique AND i.indimmediate AND i.indisvalid AND i.indisready
           AND i.indpred IS NULL AND i.indexprs IS NULL
           AND (SELECT bool_and(part.known IS TRUE)
                  FROM part WHERE part.indexrelid = i.indexrelid) AS is_row_key,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_equal,
       i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AS simple,
       CASE WHEN con.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
            ELSE format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, t.relname,
                        con.conname, pg_get_constraintdef(con.oid))
       END AS definition
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  LEFT JOIN pg_catalog.pg_constraint con
    ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid AND con.contype IN ('p', 'u', 'x')
 WHERE i.indrelid = $1::oid AND (i.indisunique OR i.indisexclusion)
 ORDER BY i.indisprimary DESC, i.indnkeyatts, name
