/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/predicate.c - users' conditions: checked, and put into a statement of ours. */
#include "driver/sqlite/sqlite.h"

static bo_status try_predicate(sq_conn *conn, const char *from, const bo_table *table,
    const char *predicate, bool parentheses, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_buf_printf(&sql, "SELECT 1 FROM %s", from);
    bo_buf_printf(&sql, parentheses ? " WHERE (%s\n)" : " WHERE %s\n", predicate);
    bo_status st = sq_prepare_buf(conn, &sql, &statement, err);
    if (st == BO_DATABASE || st == BO_INVALID)
        return bo_wrap(err, BO_INVALID, "the predicate of %s is not a condition", table->name);
    if (st != BO_OK)
        return st;
    if (!sqlite3_stmt_readonly(statement) || sqlite3_bind_parameter_count(statement) > 0)
        return bo_fail(err, BO_INVALID, "the predicate of %s has parameters", table->name);
    return BO_OK;
}

bo_status sq_add_predicate(sq_conn *conn, bo_buf *sql, const char *from, const bo_table *table,
    const char *predicate, bo_error *err)
{
    if (!predicate)
        return BO_OK;
    bo_status st = try_predicate(conn, from, table, predicate, false, err);
    if (st == BO_OK)
        st = try_predicate(conn, from, table, predicate, true, err);
    if (st == BO_OK)
        bo_buf_printf(sql, " AND (%s\n)", predicate);
    return st;
}
