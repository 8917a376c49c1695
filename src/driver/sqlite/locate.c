/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/locate.c - the rows of now that the entries of a stage are about. */
#include "driver/sqlite/stage.h"

/* By key, all at once; columns that came since are kept from the row that is there. */
static bo_status locate_by_key(sq_stage *self, const sq_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "UPDATE %s AS s SET found = 1", table->name);
    if (table->rowid) {
        bo_buf_add_str(&sql, ", live = l.");
        sq_quote(&sql, table->rowid);
    }
    for (uint16_t i = 0; i < table->now->image_count; i++) {
        uint16_t column = table->now->image_columns[i];
        if (table->given[column])
            continue;
        bo_buf_printf(&sql, ", c%u = l.", column);
        sq_quote(&sql, table->now->columns[column].name);
    }
    bo_buf_add_str(&sql, " FROM ");
    sq_quote_table(&sql, table->now);
    bo_buf_add_str(&sql, " AS l WHERE ");
    sq_staged_same_key(&sql, table, "s", "l");
    return sq_run_buf(self->conn, &sql, NULL, err);
}

/* Gives the row that `rows` is on to the first entry that wants one more such row gone. */
static bo_status claim(sq_stage *self, const sq_staged *table, sqlite3_stmt *rows,
    sqlite3_stmt *update, bo_buf *image, bo_error *err)
{
    bo_buf_clear(image);
    bo_status st = sq_image_read(rows, 1, sq_value_count(table->was), image, err);
    if (st != BO_OK)
        return st;
    bo_span values = bo_row_values(table->was, (bo_image){image->data, image->size});
    if (sqlite3_bind_int64(update, 1, sqlite3_column_int64(rows, 0)) != SQLITE_OK ||
        sqlite3_bind_blob64(update, 2, values.data, values.size, SQLITE_STATIC) != SQLITE_OK)
        return sq_error(self->conn, err, "cannot bind a value");
    bool row = false;
    return sq_step(self->conn, update, &row, err);
}

static bo_status prepare_by_image(sq_stage *self, const sq_staged *table, sqlite3_stmt **rows_out,
    sqlite3_stmt **update_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "UPDATE %s SET found = 1, live = $1 WHERE id = (SELECT id FROM %s"
        " WHERE image = $2 AND target = 0 AND found = 0 ORDER BY id LIMIT 1)",
        table->name, table->name);
    bo_status st = sq_prepare_buf(self->conn, &sql, update_out, err);
    bo_buf_clear(&sql);
    bo_buf_add_str(&sql, "SELECT l.");
    sq_quote(&sql, table->rowid);
    bo_buf_add_str(&sql, ", ");
    sq_image_list(&sql, table->was, table->now, "l");
    bo_buf_add_str(&sql, " FROM ");
    sq_quote_table(&sql, table->now);
    bo_buf_add_str(&sql, " AS l ORDER BY 1");
    return st == BO_OK ? sq_prepare_buf(self->conn, &sql, rows_out, err) : st;
}

/* Without a key: one pass over the table, as long as an entry waits for its row. */
static bo_status locate_by_image(sq_stage *self, const sq_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) image = {0};
    BO_OWN(sqlite3_stmt) *rows = NULL;
    BO_OWN(sqlite3_stmt) *update = NULL;
    int64_t waiting = 0;
    bo_buf_printf(&sql, "SELECT count(*) FROM %s WHERE target = 0", table->name);
    bo_status st = sq_number(self->conn, &sql, &waiting, err);
    if (st == BO_OK)
        st = prepare_by_image(self, table, &rows, &update, err);
    while (st == BO_OK && waiting > 0) {
        bool row = false;
        st = sq_step(self->conn, rows, &row, err);
        if (st != BO_OK || !row)
            break;
        st = claim(self, table, rows, update, &image, err);
        waiting -= sqlite3_changes64(self->conn->db);
    }
    return st;
}

/* Gives the rows that belong to entries, by ascending id. */
static bo_status report(sq_stage *self, const sq_staged *table, const char *condition,
    bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) image = {0};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_buf_add_str(&sql, "SELECT s.id, ");
    sq_image_list(&sql, table->was, table->now, "l");
    bo_buf_printf(&sql, " FROM %s AS s CROSS JOIN ", table->name);
    sq_quote_table(&sql, table->now);
    bo_buf_printf(&sql, " AS l WHERE %s AND ", condition);
    if (table->key)
        sq_staged_same_key(&sql, table, "s", "l");
    else
        sq_staged_address(&sql, table, "s", "l");
    bo_buf_add_str(&sql, " ORDER BY s.id");
    bo_status st = sq_prepare_buf(self->conn, &sql, &statement, err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self->conn, statement, &row, err);
        if (st != BO_OK || !row)
            break;
        bo_buf_clear(&image);
        st = sq_image_read(statement, 1, sq_value_count(table->was), &image, err);
        if (st == BO_OK)
            st = each(ctx, (uint64_t)sqlite3_column_int64(statement, 0),
                (bo_image){image.data, image.size}, err);
    }
    return st;
}

bo_status sq_stage_locate(
    bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    sq_stage *self = sq_stage_of(stage);
    const sq_staged *staged = &self->tables[table];
    bo_status st =
        staged->key ? locate_by_key(self, staged, err) : locate_by_image(self, staged, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot locate the rows of %s", staged->now->name);
    return report(self, staged, "s.found", each, ctx, err);
}

bo_status sq_stage_readback(
    bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    sq_stage *self = sq_stage_of(stage);
    const sq_staged *staged = &self->tables[table];
    /* without a key, a row that went cannot be told from an equal one that stays */
    return report(self, staged, staged->key ? "1" : "s.target", each, ctx, err);
}
