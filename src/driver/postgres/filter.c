/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/filter.c - which images meet a user's condition, by asking the server.
 *
 * The images go into a temporary table of their own types, numbered.  Around it stands what the
 * condition is written against: columns of the table's names and collations, the generated ones
 * computed again, under the table's local name.  All of it happens behind a savepoint that is
 * always rolled back to: neither the table nor what the condition does remains.
 */
#include <stdio.h>
#include <string.h>

#include "driver/postgres/pg.h"

#define NUMBER_NAME_SIZE 64

/* The shape with one more column: the number of the row. */
typedef struct numbered {
    bo_table shape;
    bo_column *columns;
    uint16_t *image_columns;
    char name[NUMBER_NAME_SIZE]; /* of the number */
    bo_next_fn *next;
    void *next_ctx;
    uint64_t number; /* of the next row */
    bo_buf row;
} numbered;

static void numbered_done(numbered *n)
{
    free(n->columns);
    free(n->image_columns);
    bo_buf_done(&n->row);
}

static bo_status add_number_column(numbered *n, const bo_table *shape, bo_error *err)
{
    const uint16_t count = shape->column_count;
    if (shape->image_count >= BO_COLUMNS_MAX)
        return bo_fail(err, BO_UNSUPPORTED, "it has too many columns");
    n->columns = calloc((size_t)count + 1, sizeof *n->columns);
    n->image_columns = calloc((size_t)shape->image_count + 1, sizeof *n->image_columns);
    if (!n->columns || !n->image_columns)
        return bo_nomem(err);
    unsigned serial = 0;
    do
        (void)snprintf(n->name, sizeof n->name, "backout_row_%u", serial++);
    while (bo_table_column(shape, n->name) >= 0);

    if (count > 0)
        memcpy(n->columns, shape->columns, count * sizeof *n->columns);
    if (shape->image_count > 0)
        memcpy(
            n->image_columns, shape->image_columns, shape->image_count * sizeof *n->image_columns);
    n->columns[count] =
        (bo_column){.name = n->name, .type = "pg_catalog.int8", .type_oid = 20, .in_image = true};
    n->image_columns[shape->image_count] = count;
    n->shape = *shape;
    n->shape.columns = n->columns;
    n->shape.column_count++;
    n->shape.image_columns = n->image_columns;
    n->shape.image_count++;
    return BO_OK;
}

/* The next image with its number as one more value. */
static bo_status next_numbered(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    numbered *n = ctx;
    bo_image row = {0};
    bo_status st = n->next(n->next_ctx, &row, end_out, err);
    if (st != BO_OK || *end_out)
        return st;
    if (bo_image_count(row) != n->shape.image_count - 1)
        return bo_fail(err, BO_CORRUPT, "a row has another number of values than columns");

    bo_buf_clear(&n->row);
    bo_buf_add_u16(&n->row, n->shape.image_count);
    bo_buf_add(&n->row, row.data + 2, row.size - 2);
    if (n->shape.encoding == BO_ENCODING_PG_BINARY) {
        bo_buf_add_u32(&n->row, 8);
        bo_buf_add_u64(&n->row, n->number);
    } else {
        char digits[24];
        int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n->number);
        bo_buf_add_u32(&n->row, (uint32_t)size);
        bo_buf_add(&n->row, digits, (size_t)size);
    }
    n->number++;
    *row_out = (bo_image){n->row.data, n->row.size};
    return bo_buf_check(&n->row, err);
}

static bo_status load_rows(pg_conn *conn, numbered *n, bo_buf *name_out, bo_error *err)
{
    bo_status st = pg_temp_like(conn, &n->shape, name_out, err);
    if (st != BO_OK)
        return st;
    const bool binary = n->shape.encoding == BO_ENCODING_PG_BINARY;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "COPY %s (", bo_buf_str(name_out));
    pg_column_list(&sql, &n->shape, NULL);
    bo_buf_printf(&sql, ") FROM STDIN (FORMAT %s)", binary ? "binary" : "text");
    st = bo_buf_check(&sql, err);
    return st == BO_OK
               ? pg_copy_in(conn, bo_buf_str(&sql), n->shape.encoding, next_numbered, n, NULL, err)
               : st;
}

/* The table as the condition sees it: its columns in their order, and the number last. */
static void add_columns(bo_buf *sql, const bo_table *shape)
{
    for (uint16_t i = 0; i < shape->column_count; i++) {
        const bo_column *column = &shape->columns[i];
        bo_buf_add_str(sql, i > 0 ? ", " : "");
        if (column->in_image)
            pg_quote(sql, column->name);
        else
            bo_buf_printf(sql, "(%s)::%s", column->default_expr, column->type);
        if (column->collation)
            bo_buf_printf(sql, " COLLATE %s", column->collation);
        bo_buf_add_str(sql, " AS ");
        pg_quote(sql, column->name);
    }
}

typedef struct chosen {
    pg_conn *conn;
    const char *sql;
    bo_status (*each)(void *ctx, uint64_t row, bo_error *err);
    void *ctx;
} chosen;

static bo_status report(void *ctx, bo_image tuple, bo_error *err)
{
    const chosen *self = ctx;
    bo_value number = {0};
    if (bo_image_count(tuple) == 1)
        bo_image_values(tuple, &number);
    if (number.size != 8)
        return bo_fail(err, BO_DATABASE, "the server sent no number of a row");
    return self->each(self->ctx, bo_get_u64(number.data), err);
}

static bo_status copy_chosen(void *ctx, bo_error *err)
{
    const chosen *self = ctx;
    return pg_copy_out(self->conn, self->sql, report, ctx, err);
}

static bo_status ask(pg_conn *conn, const numbered *n, const char *from, const char *predicate,
    chosen *rows, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "COPY (SELECT ");
    pg_quote(&sql, n->name);
    bo_buf_add_str(&sql, " FROM (SELECT ");
    add_columns(&sql, &n->shape);
    bo_buf_printf(&sql, " FROM %s) AS ", from);
    pg_quote(&sql, n->shape.local);
    bo_buf_add_str(&sql, " WHERE true");
    pg_add_predicate(&sql, predicate);
    bo_buf_add_str(&sql, " ORDER BY 1) TO STDOUT (FORMAT binary)");
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;
    rows->sql = bo_buf_str(&sql);
    return pg_blame_predicate(pg_read_as_users(conn, copy_chosen, rows, err), err);
}

static bo_status filter_rows(
    pg_conn *conn, numbered *n, const char *predicate, chosen *rows, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    bo_status st = pg_run(conn, NULL, err, "SAVEPOINT backout_filter");
    if (st != BO_OK)
        return st;
    st = load_rows(conn, n, &name, err);
    if (st == BO_OK)
        st = ask(conn, n, bo_buf_str(&name), predicate, rows, err);
    bo_status back = pg_run(conn, NULL, st == BO_OK ? err : NULL,
        "ROLLBACK TO SAVEPOINT backout_filter; RELEASE SAVEPOINT backout_filter");
    return st == BO_OK ? back : st;
}

bo_status pg_filter(bo_conn *base, const bo_table *shape, const char *predicate, bo_next_fn *next,
    void *next_ctx, bo_status (*each)(void *ctx, uint64_t row, bo_error *err), void *ctx,
    bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN_VALUE(numbered) n = {.next = next, .next_ctx = next_ctx};
    chosen rows = {.conn = conn, .each = each, .ctx = ctx};
    const bool own = !conn->in_transaction;
    bo_status st = pg_check_predicate(predicate, err);
    if (st == BO_OK)
        st = add_number_column(&n, shape, err);
    if (st == BO_OK && own)
        st = pg_begin(base, BO_TX_PLAIN, err);
    if (st == BO_OK) {
        st = filter_rows(conn, &n, predicate, &rows, err);
        if (own)
            pg_rollback(base);
    }
    return st == BO_OK ? st : bo_wrap(err, st, "cannot choose rows of %s", shape->name);
}
