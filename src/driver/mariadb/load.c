/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/load.c - writing and emptying whole tables.
 *
 * No action and no check of a foreign key runs; triggers of users do, because the server cannot
 * keep them from it inside a transaction.
 */
#include "base/error.h"
#include "driver/mariadb/stage.h"

/* INSERT of the values that `now` still has, by column name. */
static void insert_sql(bo_buf *sql, const bo_table *was, const bo_table *now, const int *map)
{
    unsigned count = 0;
    BO_OWN_VALUE(bo_buf) values = {0};
    bo_buf_add_str(sql, "INSERT INTO ");
    my_quote_table(sql, now);
    bo_buf_add_str(sql, " (");
    for (uint16_t i = 0; i < was->image_count; i++) {
        if (map[i] < 0)
            continue;
        bo_buf_add_str(sql, count == 0 ? "" : ", ");
        bo_buf_add_str(&values, count++ == 0 ? "" : ", ");
        my_quote(sql, now->columns[map[i]].name);
        my_write_value(&values, &now->columns[map[i]]);
    }
    bo_buf_printf(sql, ") VALUES (%s)", bo_buf_str(&values));
    sql->failed |= values.failed;
}

typedef struct loader {
    const bo_table *was;
    bo_next_fn *next;
    void *ctx;
    uint16_t count;
    uint16_t *positions; /* of the values that go in */
    bo_buf row;
    uint64_t rows;
} loader;

static bo_status next_row(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    loader *l = ctx;
    bo_image row = {0};
    bo_status st = l->next(l->ctx, &row, end_out, err);
    if (st != BO_OK || *end_out)
        return st;
    uint16_t count = bo_image_count(row);
    if (count != l->was->image_count)
        return bo_fail(err, BO_CORRUPT, "a row for %s has %u values instead of %u", l->was->name,
            count, l->was->image_count);
    l->rows++;
    bo_buf_clear(&l->row);
    bo_image_project(&l->row, row, l->positions, l->count);
    *row_out = (bo_image){l->row.data, l->row.size};
    return bo_buf_check(&l->row, err);
}

static bo_status load_rows(
    my_conn *conn, const bo_buf *sql, loader *l, uint64_t *rows_out, bo_error *err)
{
    uint64_t rows = 0;
    bo_status st = my_references(conn, false, err);
    if (st != BO_OK)
        return st;
    st = my_insert(conn, sql, l->count, next_row, l, &rows, err);
    if (st == BO_OK && rows != l->rows)
        st = bo_fail(err, BO_CONFLICT, "%llu of %llu rows went in", (unsigned long long)rows,
            (unsigned long long)l->rows);
    if (st == BO_OK)
        st = my_references(conn, true, err);
    else
        (void)my_references(conn, true, NULL);
    if (st == BO_OK)
        *rows_out = rows;
    return st;
}

bo_status my_load(bo_conn *base, const bo_table *was, const bo_table *now, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    int *map = NULL;
    bo_status st = bo_table_map(was, now, arena, &map, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot load rows into %s", now->name);
    uint16_t *positions = bo_arena_array(arena, was->image_count + 1u, sizeof *positions);
    if (!positions)
        return bo_nomem(err);
    BO_OWN_VALUE(bo_buf) sql = {0};
    loader l = {.was = was, .next = next, .ctx = ctx, .positions = positions};
    for (uint16_t i = 0; i < was->image_count; i++) {
        if (map[i] >= 0)
            positions[l.count++] = i;
    }
    insert_sql(&sql, was, now, map);
    st = load_rows(my_of(base), &sql, &l, rows_out, err);
    bo_buf_done(&l.row);
    st = my_write_failed(my_of(base), st, now, "INSERT", err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot load rows into %s", now->name);
}

bo_status my_clear(bo_conn *base, const bo_table *now, uint64_t *rows_out, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "DELETE FROM "); /* TRUNCATE would commit */
    my_quote_table(&sql, now);
    uint64_t rows = 0;
    bo_status st = my_references(conn, false, err);
    if (st == BO_OK) {
        st = my_run_buf(conn, &sql, &rows, err);
        bo_status back = my_references(conn, true, st == BO_OK ? err : NULL);
        st = st == BO_OK ? back : st;
    }
    if (st != BO_OK) {
        st = my_write_failed(conn, st, now, "DELETE", err);
        return bo_wrap(err, st, "cannot empty %s", now->name);
    }
    *rows_out = rows;
    return BO_OK;
}
