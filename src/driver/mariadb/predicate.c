/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/predicate.c - users' conditions: checked, and put into a statement of ours. */
#include "driver/mariadb/my.h"

/* Preparing checks words and names, and runs nothing. */
static bo_status try_predicate(my_conn *conn, const char *from, const bo_table *table,
    const char *predicate, bool parentheses, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(MYSQL_STMT) *statement = NULL;
    bo_buf_printf(&sql, "SELECT 1 FROM %s WHERE ", from);
    bo_buf_printf(&sql, parentheses ? "(%s\n)" : "%s\n", predicate);
    bo_status st = my_prepare(conn, &sql, &statement, err);
    if (st == BO_DATABASE && !my_link_broke(conn))
        return bo_wrap(err, BO_INVALID, "the predicate of %s is not a condition", table->name);
    if (st == BO_OK && mysql_stmt_param_count(statement) > 0)
        return bo_fail(err, BO_INVALID, "the predicate of %s has parameters", table->name);
    return st;
}

/*
 * One condition with and without parentheses around it: "1) OR (1" and "1 /" "* open" are none
 * without, "1 LIMIT 1" is none with them.
 */
bo_status my_check_predicate(
    my_conn *conn, const char *from, const bo_table *table, const char *predicate, bo_error *err)
{
    if (!predicate)
        return BO_OK;
    bo_status st = my_set_mode(conn, true, err);
    if (st != BO_OK)
        return st;
    st = try_predicate(conn, from, table, predicate, false, err);
    if (st == BO_OK)
        st = try_predicate(conn, from, table, predicate, true, err);
    bo_status back = my_set_mode(conn, false, st == BO_OK ? err : NULL);
    return st == BO_OK ? back : st;
}

void my_add_predicate(bo_buf *out, const char *predicate)
{
    if (predicate)
        bo_buf_printf(out, " AND (%s\n)", predicate);
}
