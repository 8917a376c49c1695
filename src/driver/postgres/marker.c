/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/marker.c - did this transaction commit?  docs/design/proof.md
 *
 * The proof is a row of backout.marker, written by the transaction itself; it also survives a
 * failover.  Where no such table may be made, or subscribers that have none would be sent its rows,
 * it is the server's own record of the transaction's id.  Both tokens carry the id ("row:812",
 * "xid:812"): an absent row proves nothing while the transaction still runs.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "driver/postgres/pg.h"

#define NAP "200ms" /* how long to wait for others: the marker's table is no reason to fail */

static bo_status make_table(pg_conn *conn, bo_error *err)
{
    BO_OWN(PGresult) *may = NULL;
    bo_status st = pg_ask(conn,
        "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')", 0,
        NULL, &may, err);
    if (st == BO_OK && PQgetvalue(may, 0, 0)[0] != 't')
        return bo_fail(err, BO_DENIED, "no schema may be made in this database");
    return st == BO_OK ? pg_make_own(conn, PG_MAKE_MARKER, err) : st;
}

static bo_status make_row(pg_conn *conn, const char *id, bo_error *err)
{
    bool there = false;
    bo_status st = pg_refuse_published(conn, err);
    if (st == BO_OK)
        st = pg_own_table(conn, "marker", &there, err);
    if (st == BO_OK && !there)
        st = make_table(conn, err);
    if (st != BO_OK)
        return st;
    BO_OWN(PGresult) *inserted = NULL;
    return pg_ask(conn, "INSERT INTO backout.marker VALUES ($1, pg_catalog.clock_timestamp())", 1,
        &id, &inserted, err);
}

/* Runs `work` so that its failure, or a wait for somebody else, costs the transaction nothing. */
static bo_status attempt(pg_conn *conn, bo_status (*work)(pg_conn *, const char *, bo_error *),
    const char *id, bool *done_out, bo_error *err)
{
    BO_OWN(PGresult) *timeout = NULL;
    bo_status st = pg_ask(conn, "SHOW lock_timeout", 0, NULL, &timeout, err);
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "SAVEPOINT backout_marker;SET LOCAL lock_timeout = '" NAP "'");
    if (st != BO_OK)
        return st;
    bool done = work(conn, id, NULL) == BO_OK;
    st = done ? pg_run(conn, NULL, err,
                    "SET LOCAL lock_timeout = '%s';RELEASE SAVEPOINT backout_marker",
                    PQgetvalue(timeout, 0, 0))
              : pg_run(conn, NULL, err,
                    "ROLLBACK TO SAVEPOINT backout_marker;RELEASE SAVEPOINT backout_marker");
    if (st == BO_OK)
        *done_out = done;
    return st;
}

bo_status pg_mark(bo_conn *base, const char *id, bo_buf *token_out, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    bool row = false;
    bo_status st = attempt(conn, make_row, id, &row, err);
    BO_OWN(PGresult) *xid = NULL;
    if (st == BO_OK)
        st = pg_ask(conn, "SELECT pg_catalog.pg_current_xact_id()", 0, NULL, &xid, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot mark the transaction");
    char token[64];
    (void)snprintf(token, sizeof token, "%s:%s", row ? "row" : "xid", PQgetvalue(xid, 0, 0));
    bo_buf_add_str(token_out, token);
    return bo_buf_check(token_out, err);
}

/* ---- afterwards ---- */

typedef enum fate { RUNNING, COMMITTED, ABORTED, FORGOTTEN } fate;

static bo_status read_fate(pg_conn *conn, const char *xid, fate *out, bo_error *err)
{
    BO_OWN(PGresult) *result = NULL;
    bo_status st = pg_ask(
        conn, "SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)", 1, &xid, &result, err);
    if (st != BO_OK)
        return st;
    const char *text = PQgetvalue(result, 0, 0);
    if (PQgetisnull(result, 0, 0))
        *out = FORGOTTEN;
    else if (strcmp(text, "in progress") == 0)
        *out = RUNNING;
    else
        *out = strcmp(text, "committed") == 0 ? COMMITTED : ABORTED;
    return BO_OK;
}

static bo_status has_row(pg_conn *conn, const char *id, bool *out, bo_error *err)
{
    bool there = false;
    bo_status st = pg_own_table(conn, "marker", &there, err);
    BO_OWN(PGresult) *found = NULL;
    if (st == BO_OK && there)
        st = pg_ask(conn, "SELECT 1 FROM backout.marker WHERE id = $1", 1, &id, &found, err);
    if (st != BO_OK && st != BO_NOTFOUND) /* not found: dropped in between, so it was empty */
        return st;
    *out = st == BO_OK && there && PQntuples(found) > 0;
    return BO_OK;
}

/* The fate comes first: a transaction that ended before the look at the table has its row there. */
bo_status pg_marked(bo_conn *base, const char *id, const char *token, bool *out, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    bool by_row = bo_text_starts(token, "row:");
    if (!by_row && !bo_text_starts(token, "xid:"))
        return bo_fail(err, BO_INVALID, "not the token of a marked transaction");
    fate f = FORGOTTEN;
    BO_OWN(PGresult) *standby = NULL;
    bo_status st = pg_ask(conn, "SELECT pg_catalog.pg_is_in_recovery()", 0, NULL, &standby, err);
    if (st != BO_OK)
        return st;
    if (PQgetvalue(standby, 0, 0)[0] == 't')
        return bo_fail(err, BO_UNKNOWN, "the server is a standby, which may lag behind");
    st = read_fate(conn, token + 4, &f, err);
    if (st != BO_OK && !by_row)
        return bo_fail(err, BO_UNKNOWN, "the server does not know the transaction");
    if (st == BO_OK && f == RUNNING)
        return bo_fail(err, BO_UNKNOWN, "the transaction is still running");
    if (by_row)
        return has_row(conn, id, out, err);
    if (f == FORGOTTEN)
        return bo_fail(err, BO_UNKNOWN, "the server no longer knows the transaction");
    *out = f == COMMITTED;
    return BO_OK;
}

/* Only the last one out removes table and schema; both must be ours, which DROP checks. */
static bo_status drop_table(pg_conn *conn, const char *id, bo_error *err)
{
    (void)id;
    bo_status st =
        pg_run(conn, NULL, err, "LOCK TABLE backout.marker IN ACCESS EXCLUSIVE MODE NOWAIT");
    BO_OWN(PGresult) *left = NULL;
    if (st == BO_OK)
        st = pg_ask(conn, "SELECT 1 FROM backout.marker LIMIT 1", 0, NULL, &left, err);
    if (st != BO_OK || PQntuples(left) > 0)
        return st;
    return pg_run(conn, NULL, err, "DROP TABLE backout.marker");
}

static bo_status drop_schema(pg_conn *conn, const char *id, bo_error *err)
{
    (void)id;
    return pg_run(conn, NULL, err, "DROP SCHEMA backout RESTRICT");
}

static bo_status delete_row(pg_conn *conn, const char *id, bo_error *err)
{
    BO_OWN(PGresult) *result = NULL;
    return pg_ask(conn, "DELETE FROM backout.marker WHERE id = $1", 1, &id, &result, err);
}

bo_status pg_marker_drop(pg_conn *conn, bo_error *err)
{
    bool there = false;
    bool dropped = true;
    bo_status st = pg_own_table(conn, "marker", &there, err);
    if (st == BO_OK && there)
        st = attempt(conn, drop_table, NULL, &dropped, err);
    return st == BO_OK && dropped ? attempt(conn, drop_schema, NULL, &dropped, err) : st;
}

static bo_status remove_traces(pg_conn *conn, const char *id, bo_error *err)
{
    bool there = false;
    bool captured = false;
    bo_status st = pg_own_table(conn, "marker", &there, err);
    if (st != BO_OK || !there)
        return st;
    bool deleted = false;
    st = attempt(conn, delete_row, id, &deleted, err);
    if (st == BO_OK && deleted)
        st = pg_own_table(conn, "capture", &captured, err);
    return st == BO_OK && deleted && !captured ? pg_marker_drop(conn, err) : st;
}

bo_status pg_unmark(bo_conn *base, const char *id, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    if (conn->in_transaction)
        return remove_traces(conn, id, err);
    bo_status st = pg_begin(base, BO_TX_PLAIN, err);
    if (st == BO_OK)
        st = remove_traces(conn, id, err);
    if (st == BO_OK)
        st = pg_commit(base, err);
    pg_rollback(base);
    return st == BO_OK ? st : bo_wrap(err, st, "cannot remove the marker '%s'", id);
}

/* ---- what is left ---- */

static bo_status tell(
    PGresult *names, bo_trace_kind kind, bo_trace_fn *each, void *ctx, bo_error *err)
{
    bo_status st = BO_OK;
    for (int i = 0; st == BO_OK && i < PQntuples(names); i++) {
        bo_trace trace = {kind, PQgetvalue(names, i, 0)};
        st = each(ctx, &trace, err);
    }
    return st;
}

bo_status pg_traces(bo_conn *base, bo_trace_fn *each, void *ctx, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    bool there = false;
    BO_OWN(PGresult) *markers = NULL;
    BO_OWN(PGresult) *tables = NULL;
    bo_status st = pg_own_table(conn, "marker", &there, err);
    if (st == BO_OK && there)
        st = pg_ask(conn, "SELECT id FROM backout.marker ORDER BY id", 0, NULL, &markers, err);
    if (st == BO_OK)
        st = pg_ask(conn,
            "SELECT c.relname FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'backout'"
            " AND c.relkind = 'r' AND pg_catalog.starts_with(c.relname::text, 'run_') ORDER BY 1",
            0, NULL, &tables, err);
    if (st == BO_OK && markers)
        st = tell(markers, BO_TRACE_MARKER, each, ctx, err);
    return st == BO_OK ? tell(tables, BO_TRACE_ASIDE, each, ctx, err) : st;
}
