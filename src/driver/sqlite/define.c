/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/define.c - making a dropped table or column again. */
#include <strings.h>

#include "driver/sqlite/sqlite.h"

static bo_status table_exists(sq_conn *conn, const char *local, bool *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_ask(conn,
        "SELECT 1 FROM main.sqlite_schema WHERE type IN ('table', 'view')"
        " AND name = $1 COLLATE NOCASE",
        local, &statement, err);
    return st == BO_OK ? sq_step(conn, statement, out, err) : st;
}

bo_status sq_create(bo_conn *conn, const bo_table *table, bo_error *err)
{
    bool there = false;
    bo_status st = table_exists(sq_of(conn), table->local, &there, err);
    if (st == BO_OK && there)
        return bo_fail(err, BO_EXISTS, "there is a '%s' already", table->name);
    if (st == BO_OK)
        st = sq_run(sq_of(conn), table->definition, NULL, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot make the table %s", table->name);
}

bo_status sq_create_after(bo_conn *conn, const bo_table *table, bo_error *err)
{
    for (uint16_t i = 0; i < table->definition_count; i++) {
        bo_status st = sq_run(sq_of(conn), table->after[i], NULL, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot make the indexes and triggers of %s", table->name);
    }
    return BO_OK;
}

static bo_status add_column(
    sq_conn *conn, const bo_table *now, const bo_column *column, bool whole, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "ALTER TABLE ");
    sq_quote_table(&sql, now);
    bo_buf_add_str(&sql, " ADD COLUMN ");
    sq_quote(&sql, column->name);
    bo_buf_printf(&sql, " %s", column->type);
    if (column->collation) {
        bo_buf_add_str(&sql, " COLLATE ");
        sq_quote(&sql, column->collation);
    }
    if (whole && column->not_null)
        bo_buf_add_str(&sql, " NOT NULL");
    if (whole && column->default_expr)
        bo_buf_printf(&sql, " DEFAULT (%s)", column->default_expr);
    return sq_run_buf(conn, &sql, NULL, err);
}

/* SQLite takes NOT NULL and DEFAULT only now, and only with a constant: whole if it can be had. */
bo_status sq_add_column(bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err)
{
    if (column->generated != BO_GENERATED_NO)
        return bo_fail(err, BO_UNSUPPORTED,
            "the generated column '%s' of %s cannot be added again: its expression is not known",
            column->name, now->name);
    bo_error first = {0};
    if (add_column(sq_of(conn), now, column, true, &first) == BO_OK)
        return BO_OK;
    if (column->not_null)
        return bo_fail(err, BO_UNSUPPORTED,
            "SQLite cannot make column '%s' of %s NOT NULL again without making the table anew",
            column->name, now->name);
    bo_status st = add_column(sq_of(conn), now, column, false, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot add column '%s' to %s", column->name, now->name);
    return BO_OK;
}

/* A column is whole from the beginning, or is refused. */
bo_status sq_add_column_after(
    bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err)
{
    (void)conn;
    (void)now;
    (void)column;
    (void)err;
    return BO_OK;
}
