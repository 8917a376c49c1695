/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/load.c - writing whole tables. */
#include "driver/sqlite/capture.h"

/* The row number that rows of then had and rows of now may take; NULL: there is none. */
static const char *hinted_rowid(const bo_table *was, const bo_table *now)
{
    return was->row_hint && !sq_rowid_is_column(now) ? sq_rowid(now) : NULL;
}

/* A row takes its number when it is free, and else the next one. */
static void add_hint(bo_buf *sql, const bo_table *now, const char *rowid, unsigned parameter)
{
    bo_buf_add_str(sql, ", CASE WHEN EXISTS (SELECT 1 FROM ");
    sq_quote_table(sql, now);
    bo_buf_add_str(sql, " AS l WHERE l.");
    sq_quote(sql, rowid);
    bo_buf_printf(sql, " = $%u) THEN NULL ELSE $%u END", parameter, parameter);
}

/* INSERT of the values that `now` still has, by column name; the rest of an image is left out. */
static void insert_sql(bo_buf *sql, const bo_table *was, const bo_table *now, const int *map)
{
    unsigned count = 0;
    bo_buf_add_str(sql, "INSERT OR ABORT INTO ");
    sq_quote_table(sql, now);
    for (uint16_t i = 0; i < was->image_count; i++) {
        if (map[i] < 0)
            continue;
        bo_buf_add_str(sql, count++ == 0 ? " (" : ", ");
        sq_quote(sql, now->columns[map[i]].name);
    }
    if (count == 0) {
        bo_buf_add_str(sql, " DEFAULT VALUES");
        return;
    }
    const char *rowid = hinted_rowid(was, now);
    if (rowid) {
        bo_buf_add_str(sql, ", ");
        sq_quote(sql, rowid);
    }
    for (unsigned i = 0; i < count; i++)
        bo_buf_printf(sql, "%s$%u", i == 0 ? ") VALUES (" : ", ", i + 1);
    if (rowid)
        add_hint(sql, now, rowid, count + 1);
    bo_buf_add_str(sql, ")");
}

static bo_status insert_row(sq_conn *conn, sqlite3_stmt *statement, const bo_value *values,
    const int *map, uint16_t count, bo_error *err)
{
    int index = 1;
    bo_status st = BO_OK;
    for (uint16_t i = 0; st == BO_OK && i < count; i++) {
        if (map[i] >= 0)
            st = sq_value_bind(conn, statement, index++, values[i], err);
    }
    if (st == BO_OK && index <= sqlite3_bind_parameter_count(statement)) /* the hint */
        st = sq_value_bind(conn, statement, index, values[count], err);
    bool row = false;
    if (st == BO_OK)
        st = sq_step(conn, statement, &row, err);
    if (st == BO_OK && sqlite3_changes64(conn->db) != 1)
        return bo_fail(err, BO_CONFLICT, "a row was not inserted");
    return st;
}

bo_status sq_load(bo_conn *conn, const bo_table *was, const bo_table *now, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err)
{
    sq_conn *self = sq_of(conn);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    BO_OWN(sqlite3_stmt) *journal = NULL;
    if (!arena)
        return bo_nomem(err);
    int *map = NULL, *key = NULL;
    bo_status st = bo_table_map(was, now, arena, &map, err);
    bo_value *values = bo_arena_array(arena, sq_value_count(was) + 1u, sizeof *values);
    if (st != BO_OK)
        return st;
    if (!values)
        return bo_nomem(err);
    insert_sql(&sql, was, now, map);
    st = sq_prepare_buf(self, &sql, &statement, err);
    if (st == BO_OK)
        st = sq_journal_coming(self, was, now, map, arena, &journal, &key, err);

    uint64_t rows = 0;
    while (st == BO_OK) {
        bo_image row = {0};
        bool end = false;
        st = next(ctx, &row, &end, err);
        if (st != BO_OK || end)
            break;
        st = sq_image_values(row, sq_value_count(was), values, err);
        if (st == BO_OK)
            st = insert_row(self, statement, values, map, was->image_count, err);
        if (st == BO_OK && journal)
            st = sq_journal_came(self, journal, values, key, now->row_key->count, err);
        rows += st == BO_OK;
    }
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot load rows into %s", now->name);
    *rows_out = rows;
    return BO_OK;
}

bo_status sq_clear(bo_conn *conn, const bo_table *now, uint64_t *rows_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_status st = sq_journal_clear(sq_of(conn), now, err);
    bo_buf_add_str(&sql, "DELETE FROM ");
    sq_quote_table(&sql, now);
    if (st == BO_OK)
        st = sq_run_buf(sq_of(conn), &sql, rows_out, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot clear %s", now->name);
}
