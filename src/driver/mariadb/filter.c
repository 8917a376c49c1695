/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/filter.c - which images meet a user's condition, by asking the server.
 *
 * The images go into a temporary table of their own types, numbered, that goes by the table's own
 * name in the condition.  Its generated columns are those of the table, so the server computes
 * them.
 */
#include <stdio.h>
#include <string.h>

#include "driver/mariadb/my.h"

typedef struct numbered {
    bo_next_fn *next;
    void *next_ctx;
    uint16_t count;  /* values of an image */
    uint64_t number; /* of the next row */
    bo_buf row;
} numbered;

static void numbered_done(numbered *n)
{
    bo_buf_done(&n->row);
}

/* The next image with its number before its values. */
static bo_status next_numbered(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    numbered *n = ctx;
    bo_image row = {0};
    bo_status st = n->next(n->next_ctx, &row, end_out, err);
    if (st != BO_OK || *end_out)
        return st;
    if (bo_image_count(row) != n->count)
        return bo_fail(err, BO_CORRUPT, "a row has another number of values than columns");
    char digits[24];
    const int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n->number++);
    bo_buf_clear(&n->row);
    bo_image_begin(&n->row, (uint16_t)(n->count + 1));
    bo_image_add(&n->row, digits, size);
    bo_buf_add(&n->row, row.data + 2, row.size - 2);
    *row_out = (bo_image){n->row.data, n->row.size};
    return bo_buf_check(&n->row, err);
}

/* A name for the number that no column has. */
static void name_number(const bo_table *shape, char out[32])
{
    unsigned serial = 0;
    do
        (void)snprintf(out, 32, "backout_row_%u", serial++);
    while (bo_table_column(shape, out) >= 0);
}

static bo_status load_rows(my_conn *conn, const bo_table *shape, const char *number, numbered *n,
    bo_buf *name_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) more = {0};
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&more, "`%s` BIGINT UNSIGNED NOT NULL PRIMARY KEY", number);
    for (uint16_t i = 0; i < shape->column_count; i++) {
        const bo_column *column = &shape->columns[i];
        if (column->generated == BO_GENERATED_NO)
            continue;
        bo_buf_add_str(&more, ", ");
        my_quote(&more, column->name);
        my_add_type(&more, column);
        bo_buf_printf(&more, " GENERATED ALWAYS AS (%s) VIRTUAL", column->default_expr);
    }
    bo_status st = bo_buf_check(&more, err);
    if (st == BO_OK)
        st = my_temp_like(conn, shape, bo_buf_str(&more), name_out, err);
    if (st != BO_OK)
        return st;
    bo_buf_printf(&sql, "INSERT INTO %s (`%s`%s", bo_buf_str(name_out), number,
        shape->image_count > 0 ? ", " : "");
    my_column_list(&sql, shape);
    bo_buf_printf(&sql, ") VALUES (?%s", shape->image_count > 0 ? ", " : "");
    my_value_list(&sql, shape);
    bo_buf_add_str(&sql, ")");
    return my_insert(conn, &sql, (uint16_t)(shape->image_count + 1), next_numbered, n, NULL, err);
}

typedef struct chosen {
    bo_status (*each)(void *ctx, uint64_t row, bo_error *err);
    void *ctx;
} chosen;

static bo_status report(
    void *ctx, unsigned count, char **values, const unsigned long *sizes, bo_error *err)
{
    (void)count;
    (void)sizes;
    const chosen *self = ctx;
    return self->each(self->ctx, strtoull(values[0] ? values[0] : "", NULL, 10), err);
}

static bo_status ask(my_conn *conn, const bo_table *shape, const char *number, const bo_buf *name,
    const char *predicate, chosen *rows, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) from = {0};
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&from, "%s AS ", bo_buf_str(name));
    my_quote(&from, shape->local);
    bo_status st = bo_buf_check(&from, err);
    if (st == BO_OK)
        st = my_check_predicate(conn, bo_buf_str(&from), shape, predicate, err);
    if (st == BO_OK)
        st = my_set_mode(conn, true, err);
    if (st != BO_OK)
        return st;
    bo_buf_printf(&sql, "SELECT `%s` FROM %s WHERE 1", number, bo_buf_str(&from));
    my_add_predicate(&sql, predicate);
    bo_buf_add_str(&sql, " ORDER BY 1");
    st = my_stream(conn, &sql, report, rows, err);
    bo_status back = my_set_mode(conn, false, st == BO_OK ? err : NULL);
    return st == BO_OK ? back : st;
}

bo_status my_filter(bo_conn *base, const bo_table *shape, const char *predicate, bo_next_fn *next,
    void *next_ctx, bo_status (*each)(void *ctx, uint64_t row, bo_error *err), void *ctx,
    bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(numbered)
    n = {.next = next, .next_ctx = next_ctx, .count = shape->image_count};
    BO_OWN_VALUE(bo_buf) name = {0};
    chosen rows = {each, ctx};
    char number[32];
    name_number(shape, number);
    bo_status st = load_rows(conn, shape, number, &n, &name, err);
    if (st == BO_OK)
        st = ask(conn, shape, number, &name, predicate, &rows, err);
    my_temp_drop(conn, &name);
    return st == BO_OK ? st : bo_wrap(err, st, "cannot choose rows of %s", shape->name);
}
