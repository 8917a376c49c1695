/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/scratch.c - a test restore: a temporary table of the recorded types. */
#include "driver/mariadb/my.h"

static bo_status write_rows(my_conn *conn, const bo_table *was, const bo_buf *name,
    bo_next_fn *next, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "INSERT INTO %s (", bo_buf_str(name));
    my_column_list(&sql, was);
    bo_buf_add_str(&sql, ") VALUES (");
    my_value_list(&sql, was);
    bo_buf_add_str(&sql, ")");
    return my_insert(conn, &sql, was->image_count, next, ctx, NULL, err);
}

static bo_status read_rows(my_conn *conn, const bo_table *was, const bo_buf *name,
    bo_image_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT ");
    my_image_list(&sql, was, was, "t");
    bo_buf_printf(&sql, " FROM %s AS t", bo_buf_str(name));
    return my_read_images(conn, &sql, was, each, ctx, err);
}

bo_status my_scratch_restore(bo_conn *base, const bo_table *was, bo_next_fn *next, void *next_ctx,
    bo_image_fn *each, void *ctx, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(bo_buf) name = {0};
    bo_status st = my_temp_like(conn, was, NULL, &name, err);
    if (st == BO_OK)
        st = write_rows(conn, was, &name, next, next_ctx, err);
    if (st == BO_OK)
        st = read_rows(conn, was, &name, each, ctx, err);
    my_temp_drop(conn, &name);
    return st;
}
