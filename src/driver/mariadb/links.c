/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/links.c - which tables refer to which, and the texts of views.
 *
 * information_schema answers either question only by opening every table of the server; who has the
 * right PROCESS can read InnoDB's dictionary, the only engine with foreign keys, instead.  Asked
 * for one schema it opens none of the others, its own hundred least of all, so schemas are named.
 * Names in other letters are other names, which the collation of information_schema does not know:
 * they are compared as bytes.
 *
 * Many tables are described in a row, so the answers are kept: until a transaction begins or ends,
 * a statement of somebody else runs, or a second has gone by.
 */
#include <string.h>

#include <mysqld_error.h>

#include "base/clock.h"
#include "driver/mariadb/describe.h"

#define KEPT_US     1000000
#define SCHEMAS_MAX 64u /* named in one statement */

void my_links_free(my_links *links)
{
    if (!links)
        return;
    mysql_free_result(links->references);
    mysql_free_result(links->views);
    free(links);
}

void my_forget_links(my_conn *conn)
{
    my_links_free(conn->links);
    conn->links = NULL;
}

/* The dictionary has "schema/table", in the letters that names of files may have; of tables that
 * this user may not see, too, and of such that are being made ("#sql-..."). */
static bo_status ask_dictionary(my_conn *conn, MYSQL_RES **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    for (unsigned i = 0; i < 4; i++)
        bo_buf_printf(&sql,
            "%s CONVERT(CONVERT(CAST(SUBSTRING_INDEX(%s, '/', %s) AS BINARY) USING filename)"
            " USING utf8mb4) COLLATE utf8mb4_bin",
            i == 0 ? "SELECT DISTINCT" : ",", i < 2 ? "REF_NAME" : "FOR_NAME",
            i % 2 == 0 ? "1" : "-1");
    bo_buf_add_str(&sql, " FROM information_schema.INNODB_SYS_FOREIGN"
                         " WHERE FOR_NAME NOT LIKE '%/#%' ORDER BY 3, 4");
    return my_ask_buf(conn, &sql, out, err);
}

struct question {
    const char *sql;
    const char *order;
    bool of_sys; /* it is asked of the server's schema sys, too */
};

static const struct question keys = {
    .sql = "SELECT DISTINCT BINARY REFERENCED_TABLE_SCHEMA, BINARY REFERENCED_TABLE_NAME,"
           " BINARY TABLE_SCHEMA, BINARY TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE"
           " WHERE REFERENCED_TABLE_NAME IS NOT NULL",
    .order = " ORDER BY 3, 4",
    .of_sys = true};

static const struct question views = {
    .sql = "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS"
           " WHERE BINARY TABLE_SCHEMA <> 'sys'",
    .order = " ORDER BY 1, 2"};

/* The answers of information_schema for all of `schemas`. */
static bo_status ask_schemas(my_conn *conn, const struct question *question, MYSQL_RES *schemas,
    MYSQL_RES **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    mysql_data_seek(schemas, 0);
    bool named = mysql_num_rows(schemas) <= SCHEMAS_MAX;
    for (MYSQL_ROW row; named && (row = mysql_fetch_row(schemas)) != NULL;) {
        if (!question->of_sys && strcmp(row[0], "sys") == 0)
            continue;
        bo_buf_printf(
            &sql, "%s%s AND TABLE_SCHEMA = ", sql.size > 0 ? " UNION ALL " : "", question->sql);
        my_quote_literal(&sql, row[0]);
    }
    if (sql.size == 0)
        bo_buf_add_str(&sql, question->sql);
    bo_buf_add_str(&sql, question->order);
    return my_ask_buf(conn, &sql, out, err);
}

static bo_status ask_references(my_conn *conn, MYSQL_RES *schemas, MYSQL_RES **out, bo_error *err)
{
    if (!conn->no_dictionary) {
        bo_status st = ask_dictionary(conn, out, err);
        if (st == BO_OK || !conn->my)
            return st;
        const unsigned code = mysql_errno(conn->my);
        if (code != ER_SPECIFIC_ACCESS_DENIED_ERROR && code != ER_UNKNOWN_TABLE)
            return st;
        conn->no_dictionary = true;
    }
    return ask_schemas(conn, &keys, schemas, out, err);
}

static bo_status ask(my_conn *conn, my_links *links, bo_error *err)
{
    BO_OWN(MYSQL_RES) *schemas = NULL;
    bo_status st = my_ask(conn, &schemas, err,
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"
        " WHERE BINARY SCHEMA_NAME NOT IN ('information_schema', 'performance_schema')");
    if (st == BO_OK)
        st = ask_references(conn, schemas, &links->references, err);
    return st == BO_OK ? ask_schemas(conn, &views, schemas, &links->views, err) : st;
}

/* How many statements that change definitions the server has seen. */
static bo_status count_changes(my_conn *conn, uint64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql,
        "SELECT SUM(VARIABLE_VALUE) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN"
        " ('COM_ALTER_TABLE', 'COM_CREATE_TABLE', 'COM_CREATE_VIEW', 'COM_DROP_DB',"
        " 'COM_DROP_TABLE', 'COM_DROP_VIEW', 'COM_RENAME_TABLE')");
    return my_ask_count(conn, &sql, out, err);
}

bo_status my_get_links(my_conn *conn, const my_links **out, bo_error *err)
{
    uint64_t changes = 0;
    bo_status seen = count_changes(conn, &changes, err);
    if (seen != BO_OK)
        return seen;
    if (conn->links &&
        (conn->links->changes != changes || bo_clock_monotonic_us() > conn->links->until_us))
        my_forget_links(conn);
    if (!conn->links) {
        BO_OWN(my_links) *links = calloc(1, sizeof *links);
        if (!links)
            return bo_nomem(err);
        bo_status st = ask(conn, links, err);
        if (st != BO_OK)
            return st;
        links->changes = changes;
        links->until_us = bo_clock_monotonic_us() + KEPT_US;
        conn->links = BO_TAKE(links);
    }
    *out = conn->links;
    return BO_OK;
}
