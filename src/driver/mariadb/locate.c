/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/locate.c - the rows of now that the entries of a stage are about. */
#include <stdlib.h>

#include "driver/mariadb/stage.h"

/* By key, all at once; columns that came since are kept from the row that is there. */
static bo_status locate_by_key(my_stage *self, const my_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "UPDATE %s AS s STRAIGHT_JOIN %s AS l ON ", table->name, table->live);
    my_staged_same_key(&sql, table, "s", "l");
    bo_buf_add_str(&sql, " SET s.found = 1");
    for (uint16_t i = 0; i < table->now->image_count; i++) {
        uint16_t column = table->now->image_columns[i];
        if (table->given[column])
            continue;
        bo_buf_printf(&sql, ", s.c%u = l.", column);
        my_quote(&sql, table->now->columns[column].name);
    }
    return my_run_buf(self->conn, &sql, NULL, err);
}

/* How many rows of now have each image of the stage; without a key. */
static void add_twins(bo_buf *sql, const my_staged *table)
{
    bo_buf_add_str(sql, "(SELECT h.image, COUNT(*) AS rows_now FROM (SELECT ");
    my_staged_image(sql, table, "l");
    bo_buf_printf(sql,
        " AS image FROM %s AS l) AS h WHERE h.image IN (SELECT w.image FROM %s AS w)"
        " GROUP BY h.image)",
        table->live, table->name);
}

/* The entries of one kind, and the how manieth of its image each one is. */
static void add_numbered(bo_buf *sql, const my_staged *table, bool target)
{
    bo_buf_printf(sql,
        "(SELECT n.id, n.image, ROW_NUMBER() OVER (PARTITION BY n.image ORDER BY n.id) AS nth,"
        " COUNT(*) OVER (PARTITION BY n.image) AS wanted FROM %s AS n WHERE n.target = %d)",
        table->name, target);
}

/* Without a key the n-th entry with an image takes the n-th row that has it. */
static bo_status locate_by_image(my_stage *self, const my_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "UPDATE %s AS s JOIN ", table->name);
    add_numbered(&sql, table, false);
    bo_buf_add_str(&sql, " AS e ON e.id = s.id JOIN ");
    add_twins(&sql, table);
    bo_buf_add_str(&sql, " AS t ON t.image = e.image SET s.found = 1,"
                         " s.whole = e.wanted >= t.rows_now WHERE e.nth <= t.rows_now");
    return my_run_buf(self->conn, &sql, NULL, err);
}

/* ---- reports ---- */

typedef struct reporter {
    bo_stage_row_fn *each;
    void *ctx;
    uint16_t count;
    bo_buf image;
} reporter;

static bo_status report_row(
    void *ctx, unsigned count, char **values, const unsigned long *sizes, bo_error *err)
{
    (void)count;
    reporter *r = ctx;
    bo_buf_clear(&r->image);
    my_image_add(&r->image, values, sizes, 1, r->count);
    bo_status st = bo_buf_check(&r->image, err);
    return st == BO_OK ? r->each(r->ctx, strtoull(values[0], NULL, 10),
                             (bo_image){r->image.data, r->image.size}, err)
                       : st;
}

static bo_status report(my_stage *self, const my_staged *table, const bo_buf *sql,
    bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    reporter r = {.each = each, .ctx = ctx, .count = table->was->image_count};
    bo_status st = bo_buf_check(sql, err);
    if (st == BO_OK)
        st = my_stream(self->conn, sql, report_row, &r, err);
    bo_buf_done(&r.image);
    return st;
}

static bo_status report_by_key(my_stage *self, const my_staged *table, const char *condition,
    bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT s.id, ");
    my_image_list(&sql, table->was, table->now, "l");
    bo_buf_printf(&sql, " FROM %s AS s STRAIGHT_JOIN %s AS l ON ", table->name, table->live);
    my_staged_same_key(&sql, table, "s", "l");
    bo_buf_printf(&sql, " WHERE %s ORDER BY s.id", condition);
    return report(self, table, &sql, each, ctx, err);
}

/* The values of entries, which are those of rows of now that have the same image. */
static void add_staged_list(bo_buf *sql, const my_staged *table)
{
    for (uint16_t i = 0; i < table->was->image_count; i++) {
        bo_buf_add_str(sql, ", ");
        if (table->map[i] < 0)
            bo_buf_add_str(sql, "NULL");
        else
            my_staged_value(sql, table, (uint16_t)table->map[i], "s");
    }
}

static bo_status report_found(
    my_stage *self, const my_staged *table, bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT s.id");
    add_staged_list(&sql, table);
    bo_buf_printf(&sql, " FROM %s AS s WHERE s.found ORDER BY s.id", table->name);
    return report(self, table, &sql, each, ctx, err);
}

/* A row that went cannot be told from an equal one that stays, so only those that came. */
static bo_status report_came(
    my_stage *self, const my_staged *table, bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT s.id");
    add_staged_list(&sql, table);
    bo_buf_printf(&sql, " FROM %s AS s JOIN ", table->name);
    add_numbered(&sql, table, true);
    bo_buf_add_str(&sql, " AS e ON e.id = s.id JOIN ");
    add_twins(&sql, table);
    bo_buf_add_str(&sql, " AS t ON t.image = e.image WHERE e.nth <= t.rows_now ORDER BY s.id");
    return report(self, table, &sql, each, ctx, err);
}

bo_status my_stage_locate(
    bo_stage *stage, unsigned index, bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    my_stage *self = my_stage_of(stage);
    const my_staged *table = &self->tables[index];
    self->checked = false;
    bo_status st = table->key ? locate_by_key(self, table, err) : locate_by_image(self, table, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot locate the rows of %s", table->now->name);
    return table->key ? report_by_key(self, table, "s.found", each, ctx, err)
                      : report_found(self, table, each, ctx, err);
}

bo_status my_stage_readback(
    bo_stage *stage, unsigned index, bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    my_stage *self = my_stage_of(stage);
    const my_staged *table = &self->tables[index];
    return table->key ? report_by_key(self, table, "1", each, ctx, err)
                      : report_came(self, table, each, ctx, err);
}
