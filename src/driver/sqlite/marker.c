/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/marker.c - a row that is there only if its transaction committed. */
#include "driver/sqlite/capture.h"

static bo_status run_with_id(sq_conn *conn, const char *sql, const char *id, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = sq_ask(conn, sql, id, &statement, err);
    return st == BO_OK ? sq_step(conn, statement, &row, err) : st;
}

static bo_status has_table(sq_conn *conn, bool *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_ask(conn,
        "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'backout_marker'", NULL,
        &statement, err);
    return st == BO_OK ? sq_step(conn, statement, out, err) : st;
}

bo_status sq_mark(bo_conn *conn, const char *id, bo_buf *token_out, bo_error *err)
{
    bo_status st = sq_exec(conn,
        "CREATE TABLE IF NOT EXISTS main.backout_marker"
        " (id TEXT PRIMARY KEY NOT NULL, written_at TEXT NOT NULL)",
        err);
    if (st == BO_OK)
        st = run_with_id(sq_of(conn),
            "INSERT INTO main.backout_marker VALUES ($1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
            id, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot write the marker");
    bo_buf_clear(token_out); /* the id says it all: there is no transaction to ask about */
    bo_buf_add_str(token_out, "");
    return bo_buf_check(token_out, err);
}

bo_status sq_marked(bo_conn *conn, const char *id, const char *token, bool *out, bo_error *err)
{
    (void)token;
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool there = false, found = false;
    bo_status st = has_table(sq_of(conn), &there, err);
    if (st == BO_OK && there)
        st = sq_ask(
            sq_of(conn), "SELECT 1 FROM main.backout_marker WHERE id = $1", id, &statement, err);
    if (st == BO_OK && there)
        st = sq_step(sq_of(conn), statement, &found, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot look for the marker");
    *out = found;
    return BO_OK;
}

static bo_status remove_marker(sq_conn *conn, const char *id, bo_error *err)
{
    bool there = false, more = false;
    bo_status st = has_table(conn, &there, err);
    if (st != BO_OK || !there)
        return st;
    st = run_with_id(conn, "DELETE FROM main.backout_marker WHERE id = $1", id, err);
    if (st != BO_OK)
        return st;
    {
        BO_OWN(sqlite3_stmt) *rest = NULL;
        st = sq_ask(conn, "SELECT 1 FROM main.backout_marker", NULL, &rest, err);
        if (st == BO_OK)
            st = sq_step(conn, rest, &more, err);
    }
    if (st != BO_OK || more)
        return st;
    int64_t schema = 0;
    st = sq_schema_state(conn, &schema, err);
    if (st == BO_OK)
        st = sq_exec(&conn->base, "DROP TABLE main.backout_marker", err);
    return st == BO_OK ? sq_schema_ours(conn, schema, err) : st;
}

bo_status sq_unmark(bo_conn *conn, const char *id, bo_error *err)
{
    bool own = sqlite3_get_autocommit(sq_of(conn)->db);
    bo_status st = own ? sq_begin(conn, BO_TX_PLAIN, err) : BO_OK;
    if (st == BO_OK)
        st = remove_marker(sq_of(conn), id, err);
    if (st == BO_OK && own)
        st = sq_commit(conn, err);
    if (st != BO_OK && own)
        sq_rollback(conn);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot remove the marker");
}

bo_status sq_traces(bo_conn *conn, bo_trace_fn *each, void *ctx, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *markers = NULL;
    bool there = false, row = false;
    bo_status st = has_table(sq_of(conn), &there, err);
    if (st != BO_OK || !there)
        return st;
    st = sq_ask(sq_of(conn), "SELECT id FROM main.backout_marker ORDER BY id", NULL, &markers, err);
    while (st == BO_OK) {
        st = sq_step(sq_of(conn), markers, &row, err);
        if (st != BO_OK || !row)
            break;
        bo_trace trace = {BO_TRACE_MARKER, (const char *)sqlite3_column_text(markers, 0)};
        st = trace.name ? each(ctx, &trace, err) : bo_nomem(err);
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot list the markers");
}
