-- SPDX-License-Identifier: Apache-2.0
-- Why the capture of a table for a point cannot be trusted; NULL when it can.  No row: there is none.
-- (follows WITH state AS (capture_state.sql))
-- $1: oid of the table   $2: the point, or NULL: any   $3: its row key's columns
SELECT CASE
       WHEN s.journal = '{}' THEN 'its journal is gone'
       WHEN c.journal <> s.journal THEN 'its journal was altered'
       WHEN c.columns <> s.columns THEN
           'its columns changed: '
           || concat_ws(', ',
                  (SELECT string_agg(format('''%s'' came', regexp_replace(x, '^\d+ ', '')), ', ')
                     FROM unnest(s.columns) x WHERE x <> ALL (c.columns)),
                  (SELECT string_agg(format('''%s'' went', regexp_replace(x, '^\d+ ', '')), ', ')
                     FROM unnest(c.columns) x WHERE x <> ALL (s.columns)))
       WHEN EXISTS (SELECT
                      FROM unnest(c.heaps) x
                      JOIN unnest(s.heaps) y ON split_part(y, ' ', 1) = split_part(x, ' ', 1)
                     WHERE split_part(y, ' ', 2) <> split_part(x, ' ', 2)
                       AND split_part(y, ' ', 3) <> split_part(x, ' ', 3))
           THEN 'an ALTER TABLE may have written its rows anew'
       WHEN c.key <> $3::text THEN format('its key changed: %s instead of %s', $3::text, c.key)
       WHEN r.changed IS NOT NULL THEN 'what it rests on changed: ' || r.changed
       WHEN c.triggers <> s.triggers THEN
           (SELECT format('trigger %s %s', split_part(x, ' ', 2),
                          CASE WHEN t.oid IS NULL THEN 'is missing'
                               WHEN t.tgenabled = 'D' THEN 'is switched off'
                               WHEN t.tgenabled <> 'A' THEN 'is not ENABLE ALWAYS any more'
                               ELSE 'was switched off for a while, or altered'
                          END)
              FROM unnest(c.triggers) x
              LEFT JOIN pg_catalog.pg_trigger t
                ON t.tgrelid = split_part(x, ' ', 1)::oid AND t.tgname = split_part(x, ' ', 2)
             WHERE x <> ALL (s.triggers)
             LIMIT 1)
       WHEN c.functions <> s.functions THEN 'a function of its triggers was altered'
       END AS reason,
       c.point
  FROM backout.capture c
 CROSS JOIN state s
 CROSS JOIN LATERAL (
     SELECT string_agg(CASE WHEN x LIKE 'owner %' THEN x
                            ELSE regexp_replace(x, '\d+$', '')
                                 || substring(x FROM '\d+$')::oid::regclass
                       END || CASE WHEN x = ANY (s.members) THEN ' came' ELSE ' went' END, ', ')
       FROM unnest(s.members || c.members) x
      WHERE (x = ANY (s.members)) <> (x = ANY (c.members))
        AND (x = ANY (s.members) OR x NOT LIKE 'foreign keys %')
     ) r (changed)
 WHERE c.relation = $1::oid AND ($2::text IS NULL OR c.point = $2::text)
 ORDER BY c.point
 LIMIT 1
