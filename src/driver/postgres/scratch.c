/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/scratch.c - a test restore: a temporary table of the recorded types. */
#include "driver/postgres/pg.h"

static bo_status copy_in(pg_conn *conn, const bo_table *was, const char *name, bo_next_fn *next,
    void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t rows = 0;
    bo_buf_printf(&sql, "COPY %s FROM STDIN (FORMAT %s)", name,
        was->encoding == BO_ENCODING_PG_BINARY ? "binary" : "text");
    bo_status st = bo_buf_check(&sql, err);
    return st == BO_OK ? pg_copy_in(conn, bo_buf_str(&sql), was->encoding, next, ctx, &rows, err)
                       : st;
}

static bo_status copy_out(pg_conn *conn, const bo_table *was, const char *name, bo_image_fn *each,
    void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "COPY (SELECT ");
    pg_image_list(&sql, was, "t");
    bo_buf_printf(&sql, " FROM %s AS t) TO STDOUT (FORMAT binary)", name);
    bo_status st = bo_buf_check(&sql, err);
    return st == BO_OK ? pg_copy_images(conn, bo_buf_str(&sql), was, 0, each, ctx, err) : st;
}

bo_status pg_scratch_restore(bo_conn *base, const bo_table *was, bo_next_fn *next, void *next_ctx,
    bo_image_fn *each, void *ctx, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN_VALUE(bo_buf) name = {0};
    bo_status st = pg_temp_like(conn, was, &name, err);
    if (st == BO_OK)
        st = copy_in(conn, was, bo_buf_str(&name), next, next_ctx, err);
    if (st == BO_OK)
        st = copy_out(conn, was, bo_buf_str(&name), each, ctx, err);
    return st == BO_OK ? pg_run(conn, NULL, err, "DROP TABLE %s", bo_buf_str(&name)) : st;
}
