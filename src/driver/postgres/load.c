/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/load.c - images into tables: COPY straight in, or by way of the old types. */
#include <string.h>

#include "driver/postgres/stage.h"

static const char *copy_format(bo_encoding encoding)
{
    return encoding == BO_ENCODING_PG_BINARY ? "binary" : "text";
}

bo_status pg_temp_like(pg_conn *conn, const bo_table *shape, bo_buf *name_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    bo_buf_printf(&name, "pg_temp.backout_%u", ++conn->serial);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "CREATE TEMPORARY TABLE %s (", bo_buf_str(&name));
    for (uint16_t i = 0; i < shape->image_count; i++) {
        const bo_column *column = &shape->columns[shape->image_columns[i]];
        bo_buf_add_str(&sql, i > 0 ? ", " : "");
        pg_quote(&sql, column->name);
        bo_buf_printf(&sql, " %s", column->type);
    }
    bo_buf_add_str(&sql, ") ON COMMIT DROP");
    bo_status st = bo_buf_check(&sql, err);
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "%s", bo_buf_str(&sql));
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot make a temporary table for %s", shape->name);
    bo_buf_add_str(name_out, bo_buf_str(&name));
    return bo_buf_check(name_out, err);
}

/*
 * Where each image column goes, by name.  *same_types_out: the bytes of an image mean the same in
 * the table of now.
 */
static bo_status check_columns(
    const bo_table *was, const bo_table *now, bool *same_types_out, bo_error *err)
{
    bool same = true;
    for (uint16_t i = 0; i < was->image_count; i++) {
        const bo_column *then = &was->columns[was->image_columns[i]];
        int position = bo_table_column(now, then->name);
        if (position < 0)
            return bo_fail(err, BO_CONFLICT, "column '%s' was dropped", then->name);
        const bo_column *column = &now->columns[position];
        if (!column->in_image)
            return bo_fail(err, BO_CONFLICT, "column '%s' is generated now", then->name);
        same = same && (then->type_oid == column->type_oid || !strcmp(then->type, column->type));
    }
    *same_types_out = same || was->encoding != BO_ENCODING_PG_BINARY;
    return BO_OK;
}

static bo_status copy_to(pg_conn *conn, const bo_table *was, const char *target, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "COPY %s", target);
    if (was->image_count > 0) { /* an empty list is not SQL */
        bo_buf_add_str(&sql, " (");
        pg_column_list(&sql, was, NULL);
        bo_buf_add_str(&sql, ")");
    }
    bo_buf_printf(&sql, " FROM STDIN (FORMAT %s)", copy_format(was->encoding));
    bo_status st = bo_buf_check(&sql, err);
    return st == BO_OK ? pg_copy_in(conn, bo_buf_str(&sql), was->encoding, next, ctx, rows_out, err)
                       : st;
}

/* Binary images of other types: into the types they were read from, and on by assignment. */
static bo_status load_by_types_of_then(pg_conn *conn, const bo_table *was, const char *target,
    bo_next_fn *next, void *ctx, uint64_t *rows_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    uint64_t staged = 0;
    bo_status st = pg_temp_like(conn, was, &name, err);
    if (st == BO_OK)
        st = copy_to(conn, was, bo_buf_str(&name), next, ctx, &staged, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(bo_buf) columns = {0};
    pg_column_list(&columns, was, NULL);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s", target,
        bo_buf_str(&columns), bo_buf_str(&columns), bo_buf_str(&name));
    st = bo_buf_check(&sql, err);
    BO_OWN(PGresult) *result = NULL;
    pg_statement insertion = {conn, bo_buf_str(&sql), &result};
    if (st == BO_OK)
        st = pg_write_as_users(conn, pg_ask_statement, &insertion, err);
    const uint64_t rows = st == BO_OK ? strtoull(PQcmdTuples(result), NULL, 10) : 0;
    if (st == BO_OK && rows != staged)
        st = bo_fail(err, BO_CONFLICT, "%llu of %llu rows went in", (unsigned long long)rows,
            (unsigned long long)staged);
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "DROP TABLE %s", bo_buf_str(&name));
    if (st == BO_OK)
        *rows_out = rows;
    return st;
}

/* Counts what is given to the server: a trigger that swallows rows must not pass. */
typedef struct counted {
    bo_next_fn *next;
    void *ctx;
    uint64_t rows;
} counted;

static bo_status next_counted(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    counted *c = ctx;
    bo_status st = c->next(c->ctx, row_out, end_out, err);
    if (st == BO_OK && !*end_out)
        c->rows++;
    return st;
}

bo_status pg_load(bo_conn *base, const bo_table *was, const bo_table *now, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    bool same_types = false;
    bo_status st = check_columns(was, now, &same_types, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot load rows into %s", now->name);

    BO_OWN_VALUE(bo_buf) target = {0};
    pg_quote_table(&target, now);
    st = bo_buf_check(&target, err);
    bool replica = false;
    if (st == BO_OK)
        st = pg_triggers_off(conn, &now, 1, &replica, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot load rows into %s", now->name);

    uint64_t rows = 0;
    counted c = {next, ctx, 0};
    st = same_types
             ? copy_to(conn, was, bo_buf_str(&target), next_counted, &c, &rows, err)
             : load_by_types_of_then(conn, was, bo_buf_str(&target), next_counted, &c, &rows, err);
    if (st == BO_OK && rows != c.rows)
        st = bo_fail(err, BO_CONFLICT, "%llu of %llu rows went in", (unsigned long long)rows,
            (unsigned long long)c.rows);
    if (st == BO_OK)
        st = pg_triggers_on(conn, &now, 1, replica, err);
    else
        (void)pg_triggers_on(conn, &now, 1, replica, NULL); /* a failed transaction undoes it */
    if (st != BO_OK) {
        st = pg_denied_hint(conn, st, now, "INSERT", err);
        return bo_wrap(err, st, "cannot load rows into %s", now->name);
    }
    *rows_out = rows;
    return BO_OK;
}

bo_status pg_load_enforces(bo_conn *conn, bool *out, bo_error *err)
{
    bool replica = false;
    bo_status st = pg_replica_allowed(pg_of(conn), &replica, err);
    if (st == BO_OK)
        *out = !replica;
    return st;
}
