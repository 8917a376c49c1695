/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/path.c - work under another search path than the pinned one. */
#include "driver/postgres/pg.h"

static bo_status set_path(pg_conn *conn, const char *path, bo_error *err)
{
    const char *params[] = {path, conn->in_transaction ? "t" : "f"};
    BO_OWN(PGresult) *result = NULL;
    return pg_ask(conn, "SELECT pg_catalog.set_config('search_path', $1, $2::pg_catalog.bool)", 2,
        params, &result, err);
}

static bo_status work_under(
    pg_conn *conn, const char *path, pg_work_fn *work, void *ctx, bo_error *err)
{
    bo_status st = set_path(conn, path, err);
    if (st != BO_OK)
        return st;
    st = work(ctx, err);
    bo_status back = set_path(conn, conn->path, st == BO_OK ? err : NULL);
    return st == BO_OK ? back : st; /* an aborted transaction undoes it itself */
}

bo_status pg_ask_statement(void *ctx, bo_error *err)
{
    const pg_statement *self = ctx;
    return pg_ask(self->conn, self->sql, 0, NULL, self->out, err);
}

bo_status pg_read_as_users(pg_conn *conn, pg_work_fn *work, void *ctx, bo_error *err)
{
    return conn->raw ? work(ctx, err) : work_under(conn, conn->user_path, work, ctx, err);
}

bo_status pg_write_as_users(pg_conn *conn, pg_work_fn *work, void *ctx, bo_error *err)
{
    if (conn->raw)
        return work(ctx, err);
    BO_OWN_VALUE(bo_buf) path = {0};
    bo_buf_printf(&path, "pg_catalog, %s", conn->user_path);
    bo_status st = bo_buf_check(&path, err);
    return st == BO_OK ? work_under(conn, bo_buf_str(&path), work, ctx, err) : st;
}
