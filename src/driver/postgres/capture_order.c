/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/capture_order.c - puts rows of a journal into the order of the writes.
 *
 * A trigger of a user may run a statement that writes a row which the statement that fired it has
 * written, before our triggers of that one fire: `U` or `D` comes before the row of the journal
 * that tells of who made what it shows.  It is seen by the numbers: `backout_made` is the part of
 * the transaction that made it.  What the transaction wrote first to a key is a row without one: it
 * is put before all others.
 *
 * One statement may delete a row and insert another under its key: MERGE, or a DELETE in a WITH
 * that is not read to its end.  Its triggers fire in an order of their own, so that `I` of the new
 * row may come before `D` of the old one.  It is seen by what follows: after a `D` the key is free,
 * so the next row is an `I`, or no row of the table has it.  Where that is not so, the `D` belongs
 * before the last `I` of its transaction, unless that has made what it shows.
 */
#include "driver/postgres/journal.h"
#include "driver/postgres/stage.h"

/*
 * Of the keys that a row was written over which its own transaction had made: the rows of each
 * transaction and key together.  What others have made since it began has a higher number, too, but
 * is no part that wrote the key.  `old`: the first that shows what was there before, and `came`:
 * that tells that nothing was.  `was`: it is told before the other, which settles it.  `went`: how
 * often the key became free.
 */
static void add_groups(bo_buf *out, const pg_journal *j)
{
    bo_buf_add_str(out, "r AS MATERIALIZED (SELECT * FROM j WHERE (");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, ") IN (SELECT ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, " FROM j WHERE made IS NOT NULL)), k AS MATERIALIZED (SELECT s, op, x,"
                        " CASE WHEN own THEN made END AS made, ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, " FROM r LEFT JOIN (SELECT DISTINCT x, part AS made, true AS own, ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, " FROM r) AS m USING (x, made, ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, ")), g AS (SELECT x, ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, ", min(s) AS f, min(s) FILTER (WHERE made IS NULL AND op <> 'I') AS old,"
                        " min(s) FILTER (WHERE op = 'I') AS came, count(*) FILTER (WHERE op IN"
                        " ('D', 'T')) - count(*) FILTER (WHERE op = 'I') AS went"
                        " FROM k GROUP BY x, ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, "), w AS (SELECT *, coalesce(came IS NULL OR old < came, false) AS was"
                        " FROM g), h AS (SELECT *, lead(f) OVER next AS n, lead(was) OVER next"
                        " AS will FROM w WINDOW next AS (PARTITION BY ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, " ORDER BY f))");
}

/*
 * Each row that is not the first of its transaction and key and belongs there, and its number
 * before that, as two arrays.  Where both are there and `came` is told first, it is counted whether
 * the key was taken.
 */
static bo_status add_overtaken(bo_buf *out, const pg_journal *j, const char *from, bo_error *err)
{
    bo_buf_add_str(out, "WITH j AS NOT MATERIALIZED (SELECT j.backout_seq AS s, j.backout_op AS op,"
                        " j.backout_xid AS x, j.backout_made AS made, j.xmin AS part, ");
    pg_journal_identities(out, j, "j", true);
    bo_buf_add_str(out, " FROM ");
    pg_journal_name(out, j->table, "");
    bo_buf_add_str(out, " AS j WHERE ");
    bo_status st = pg_journal_later(out, from, "j.backout_xid", err);
    bo_buf_add_str(out, "), ");
    add_groups(out, j);
    bo_buf_printf(out,
        " SELECT array_agg(s), array_agg(f - 0.75) FROM (SELECT h.f, CASE WHEN h.was THEN h.old"
        " WHEN h.old IS NULL THEN h.came WHEN h.went + CASE WHEN n.made IS NOT NULL"
        " THEN h.will::int WHEN n.op IS NOT NULL THEN (n.op <> 'I')::int"
        " ELSE coalesce((SELECT 1 FROM %s",
        j->table->kind == 'p' ? "" : "ONLY ");
    pg_quote_table(out, j->table);
    bo_buf_add_str(out, " AS t WHERE true");
    pg_journal_same_key(out, j);
    bo_buf_add_str(out, " LIMIT 1), 0) END > 0 THEN h.old ELSE h.came END AS s"
                        " FROM h JOIN k AS a ON a.s = h.f LEFT JOIN k AS n ON n.s = h.n JOIN ");
    pg_journal_name(out, j->table, "");
    bo_buf_add_str(out, " AS b ON b.backout_seq = h.f WHERE a.made IS NOT NULL"
                        " OR a.op = 'I' AND h.old IS NOT NULL AND h.went >= 0) AS o WHERE s <> f");
    return st == BO_OK ? bo_buf_check(out, err) : st;
}

/* Each `D` that cannot stand where it does, and its number before the `I`, as two arrays. */
static bo_status add_search(
    bo_buf *out, const pg_journal *j, const char *from, const char *rows, bo_error *err)
{
    bo_buf_add_str(out, "WITH j AS NOT MATERIALIZED (SELECT j.backout_seq AS s, j.backout_op AS op,"
                        " j.backout_xid AS x, ");
    pg_journal_identities(out, j, "j", true);
    bo_buf_printf(out, " FROM %s AS j WHERE ", rows);
    bo_status st = pg_journal_later(out, from, "j.backout_xid", err);
    bo_buf_add_str(out, "), w AS (SELECT s, op, lead(op) OVER (PARTITION BY ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, " ORDER BY s) AS n, max(s) FILTER (WHERE op = 'I') OVER (PARTITION BY x, ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, " ORDER BY s) AS i FROM j WHERE (");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, ") IN (SELECT ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, " FROM j WHERE op IN ('I', 'D') GROUP BY x, ");
    pg_journal_identity_names(out, j);
    bo_buf_printf(out,
        " HAVING min(s) FILTER (WHERE op = 'I') < max(s) FILTER (WHERE op = 'D')))"
        " SELECT array_agg(w.s), array_agg(w.i - 0.5) FROM w JOIN %s AS b ON b.backout_seq = w.s"
        " WHERE w.op = 'D' AND w.i IS NOT NULL AND NOT EXISTS (SELECT FROM ",
        rows);
    pg_journal_name(out, j->table, "");
    bo_buf_printf(out,
        " AS m WHERE m.backout_xid = b.backout_xid AND m.xmin = b.backout_made)"
        " AND CASE WHEN w.n IS NOT NULL THEN w.n <> 'I' ELSE (SELECT true FROM %s",
        j->table->kind == 'p' ? "" : "ONLY ");
    pg_quote_table(out, j->table);
    bo_buf_add_str(out, " AS t WHERE true");
    pg_journal_same_key(out, j);
    bo_buf_add_str(out, " LIMIT 1) END"); /* and not EXISTS, which reads the table as a whole */
    return st == BO_OK ? bo_buf_check(out, err) : st;
}

/* The rows with other numbers: each of `moved` has that in `to`. */
static void renumber(bo_buf *rows, const pg_journal *j, const char *moved, const char *to)
{
    BO_OWN_VALUE(bo_buf) old = *rows;
    *rows = (bo_buf){0};
    bo_buf_add_str(rows,
        "(SELECT coalesce(m.i, o.backout_seq) AS backout_seq, o.backout_xid,"
        " o.backout_user, o.backout_app, o.backout_run, o.backout_op, o.backout_made");
    for (uint16_t i = 0; i < j->count; i++) {
        bo_buf_add_str(rows, ", o.");
        pg_quote(rows, pg_journal_column(j, i));
    }
    bo_buf_printf(rows,
        " FROM %s AS o LEFT JOIN unnest('%s'::numeric[], '%s'::numeric[]) AS m (s, i)"
        " ON m.s = o.backout_seq)",
        bo_buf_str(&old), moved, to);
    rows->failed |= old.failed;
}

/* Asks what has to move, and moves it.  *found_out: something had to. */
static bo_status move(pg_conn *conn, const pg_journal *journal, const bo_buf *search, bo_buf *rows,
    bool *found_out, bo_error *err)
{
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(conn, bo_buf_str(search), 0, NULL, &found, err);
    *found_out = st == BO_OK && !PQgetisnull(found, 0, 0);
    if (*found_out)
        renumber(rows, journal, PQgetvalue(found, 0, 0), PQgetvalue(found, 0, 1));
    return st == BO_OK ? bo_buf_check(rows, err) : st;
}

bo_status pg_journal_in_order(pg_conn *conn, const pg_journal *journal, const char *from,
    bool nested, bool doubtful, bo_buf *out, bo_error *err)
{
    enum { MOST = 50 }; /* times that one key was deleted and inserted so: each takes one look */
    BO_OWN_VALUE(bo_buf) overtaken = {0};
    bool moved = false;
    pg_journal_name(out, journal->table, "");
    bo_status st = bo_buf_check(out, err);
    if (st == BO_OK && nested)
        st = add_overtaken(&overtaken, journal, from, err);
    if (st == BO_OK && nested)
        st = move(conn, journal, &overtaken, out, &moved, err);
    for (int look = 0; st == BO_OK && doubtful; look++) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        st = add_search(&sql, journal, from, bo_buf_str(out), err);
        if (st == BO_OK)
            st = move(conn, journal, &sql, out, &doubtful, err);
        if (st == BO_OK && doubtful && look == MOST)
            return bo_fail(err, BO_UNSUPPORTED,
                "rows of %s were deleted and inserted too often by the same statements",
                journal->table->name);
    }
    return st;
}
