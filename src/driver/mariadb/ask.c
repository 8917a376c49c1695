/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/ask.c - statements, and the server's errors in our words. */
#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>

#include "base/step.h"
#include "base/text.h"
#include "driver/mariadb/my.h"

/* ---- errors ---- */

static bo_status status_of(unsigned code, const char *sqlstate)
{
    switch (code) {
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
        return BO_BUSY;
    case ER_DBACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_PROCACCESS_DENIED_ERROR:
        return BO_DENIED;
    case ER_NO_SUCH_TABLE:
    case ER_BAD_TABLE_ERROR:
    case ER_BAD_DB_ERROR:
        return BO_NOTFOUND;
    case ER_OPTION_PREVENTS_STATEMENT: /* --read-only */
    case ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION:
        return BO_REFUSED;
    case ER_CHECKREAD: /* changed since it was read */
        return BO_CONFLICT;
    case ER_QUERY_INTERRUPTED:
        return bo_interrupted() ? BO_INTERRUPTED : BO_DATABASE;
    default:
        return strncmp(sqlstate, "23", 2) == 0 ? BO_CONFLICT : BO_DATABASE;
    }
}

static bool breaks_link(unsigned code)
{
    return code == CR_SERVER_GONE_ERROR || code == CR_SERVER_LOST ||
           code == CR_SERVER_LOST_EXTENDED || code == ER_CONNECTION_KILLED ||
           code == ER_SERVER_SHUTDOWN;
}

bool my_link_broke(my_conn *conn)
{
    return !conn->my || breaks_link(mysql_errno(conn->my));
}

/* Adds `text` up to the first quote, and from the last one on: what is between them is a value. */
static void add_without_value(bo_buf *out, const char *text)
{
    const char *open = strchr(text, '\'');
    const char *close = open ? strstr(open, "' for ") : NULL;
    for (const char *next = close; next; next = strstr(next + 1, "' for "))
        close = next;
    size_t before = open ? (size_t)(open - text) : strlen(text);
    while (before > 0 && (text[before - 1] == ' ' || text[before - 1] == ':'))
        before--;
    bo_buf_add(out, text, before);
    bo_buf_add_str(out, close ? close + 1 : "");
}

/* A syntax error without the manual, and of the SQL after it only the first word: that is what
 * stands in quotes, in whatever language the server speaks. */
static void add_syntax_error(bo_buf *out, const char *text)
{
    size_t before = strcspn(text, ";'"), size = 0;
    const char *near = strchr(text, '\'');
    while (before > 0 && text[before - 1] == ' ')
        before--;
    bo_buf_add(out, text, before);
    while (near && (bo_text_is_alnum(near[1 + size]) || near[1 + size] == '_'))
        size++;
    if (size > 0)
        bo_buf_printf(out, " near '%.*s'", (int)size, near + 1);
}

/* The server's words without values of rows, which are secrets. */
static void add_message(bo_buf *out, unsigned code, const char *text)
{
    static const unsigned with_value[] = {ER_DUP_ENTRY, ER_DUP_ENTRY_WITH_KEY_NAME, ER_DUP_KEY,
        ER_TRUNCATED_WRONG_VALUE, ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, ER_WRONG_VALUE,
        ER_WRONG_VALUE_FOR_TYPE, ER_DATA_OUT_OF_RANGE, ER_ILLEGAL_VALUE_FOR_TYPE};
    if (code == ER_PARSE_ERROR) {
        add_syntax_error(out, text);
        return;
    }
    for (size_t i = 0; i < sizeof with_value / sizeof *with_value; i++) {
        if (code == with_value[i]) {
            add_without_value(out, text);
            return;
        }
    }
    bo_buf_add(out, text, strcspn(text, "\n"));
}

/* The codes of our own that advice goes by, as PostgreSQL has them. */
static const char *sqlstate_of(unsigned code, const char *theirs)
{
    static const unsigned full[] = {ER_DISK_FULL, ER_RECORD_FILE_FULL, ER_TEMP_FILE_WRITE_FAILURE};
    if (breaks_link(code))
        return "08006";
    for (size_t i = 0; i < sizeof full / sizeof *full; i++) {
        if (code == full[i])
            return "53100";
    }
    return theirs;
}

static bo_status fail_with(
    my_conn *conn, unsigned code, const char *sqlstate, const char *text, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) message = {0};
    add_message(&message, code, text);
    bo_buf_add_byte(&message, '\0');
    bo_status st = status_of(code, sqlstate);
    st = bo_fail(err, st, "%s", message.failed ? "out of memory" : (const char *)message.data);
    if (breaks_link(code))
        st = bo_wrap(err, st, "the link to the database broke");
    if (code == ER_LOCK_DEADLOCK && conn->in_transaction)
        conn->undone = true;
    if (err)
        (void)snprintf(err->sqlstate, sizeof err->sqlstate, "%s", sqlstate_of(code, sqlstate));
    return st;
}

bo_status my_failure(my_conn *conn, bo_error *err)
{
    if (!conn->my) {
        bo_status st = bo_fail(err, BO_DATABASE, "the connection is closed");
        if (err)
            (void)snprintf(err->sqlstate, sizeof err->sqlstate, "08006");
        return bo_wrap(err, st, "the link to the database broke");
    }
    return fail_with(
        conn, mysql_errno(conn->my), mysql_sqlstate(conn->my), mysql_error(conn->my), err);
}

bo_status my_statement_failure(my_conn *conn, MYSQL_STMT *statement, bo_error *err)
{
    return fail_with(conn, mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement),
        mysql_stmt_error(statement), err);
}

bo_status my_denied_hint(
    my_conn *conn, bo_status st, const bo_table *table, const char *rights, bo_error *err)
{
    if (st != BO_DENIED || !conn->my)
        return st;
    BO_OWN_VALUE(bo_buf) grant = {0};
    bo_buf_printf(&grant, "GRANT %s ON ", rights);
    my_quote_table(&grant, table);
    bo_buf_printf(&grant, " TO '%s'", conn->my->user ? conn->my->user : "");
    return bo_detail(err, st, "needed: %s", bo_buf_str(&grant));
}

/* Raised by SIGNAL, or by what the server lets no trigger do: to write to a table of the statement,
 * to call what is not there. */
static bool is_of_trigger(my_conn *conn)
{
    const unsigned code = mysql_errno(conn->my);
    return (code >= ER_SIGNAL_WARN && code <= ER_SIGNAL_EXCEPTION) ||
           code == ER_CANT_UPDATE_USED_TABLE_IN_SF_OR_TRG || code == ER_SP_DOES_NOT_EXIST;
}

bo_status my_write_failed(
    my_conn *conn, bo_status st, const bo_table *table, const char *rights, bo_error *err)
{
    if (st != BO_OK && err && (is_of_trigger(conn) || strncmp(err->sqlstate, "45", 2) == 0))
        return bo_wrap(err, BO_CONFLICT, "a trigger refuses it");
    return my_denied_hint(conn, st, table, rights, err);
}

/* ---- statements ---- */

static bo_status send(my_conn *conn, const char *sql, size_t size, bo_error *err)
{
    if (!conn->my || mysql_real_query(conn->my, sql, size) != 0)
        return my_failure(conn, err);
    return BO_OK;
}

static bo_status send_buf(my_conn *conn, const bo_buf *sql, bo_error *err)
{
    bo_status st = bo_buf_check(sql, err);
    return st == BO_OK ? send(conn, (const char *)sql->data, sql->size, err) : st;
}

/* What a stored procedure has left to say after the first answer: read, so that the connection can
 * be used on. */
static bo_status drop_more(my_conn *conn, bo_error *err)
{
    while (mysql_more_results(conn->my)) {
        if (mysql_next_result(conn->my) > 0)
            return my_failure(conn, err);
        MYSQL_RES_free(mysql_use_result(conn->my));
    }
    return BO_OK;
}

bo_status my_run_keep(my_conn *conn, const char *sql, size_t size, MYSQL_RES **result_out,
    uint64_t *rows_out, bo_error *err)
{
    bo_status st = send(conn, sql, size, err);
    if (st != BO_OK)
        return st;
    BO_OWN(MYSQL_RES) *result = mysql_store_result(conn->my);
    if (!result && mysql_errno(conn->my) != 0)
        return my_failure(conn, err);
    const uint64_t rows = result ? mysql_num_rows(result) : mysql_affected_rows(conn->my);
    st = drop_more(conn, err);
    if (st != BO_OK)
        return st;
    *rows_out = rows;
    *result_out = BO_TAKE(result);
    return BO_OK;
}

bo_status my_run_text(
    my_conn *conn, const char *sql, size_t size, uint64_t *rows_out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    uint64_t rows = 0;
    bo_status st = my_run_keep(conn, sql, size, &result, &rows, err);
    if (st == BO_OK && rows_out)
        *rows_out = rows;
    return st;
}

bo_status my_run_buf(my_conn *conn, const bo_buf *sql, uint64_t *rows_out, bo_error *err)
{
    bo_status st = bo_buf_check(sql, err);
    return st == BO_OK ? my_run_text(conn, (const char *)sql->data, sql->size, rows_out, err) : st;
}

bo_status my_run(my_conn *conn, uint64_t *rows_out, bo_error *err, const char *format, ...)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    va_list args;
    va_start(args, format);
    bo_buf_vprintf(&sql, format, args);
    va_end(args);
    return my_run_buf(conn, &sql, rows_out, err);
}

bo_status my_ask_buf(my_conn *conn, const bo_buf *sql, MYSQL_RES **out, bo_error *err)
{
    bo_status st = send_buf(conn, sql, err);
    if (st != BO_OK)
        return st;
    BO_OWN(MYSQL_RES) *result = mysql_store_result(conn->my);
    if (!result)
        return mysql_errno(conn->my) ? my_failure(conn, err)
                                     : bo_fail(err, BO_DATABASE, "the statement has no result");
    st = drop_more(conn, err);
    if (st == BO_OK)
        *out = BO_TAKE(result);
    return st;
}

bo_status my_ask(my_conn *conn, MYSQL_RES **out, bo_error *err, const char *format, ...)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    va_list args;
    va_start(args, format);
    bo_buf_vprintf(&sql, format, args);
    va_end(args);
    return my_ask_buf(conn, &sql, out, err);
}

bo_status my_ask_count(my_conn *conn, const bo_buf *sql, uint64_t *out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask_buf(conn, sql, &result, err);
    if (st != BO_OK)
        return st;
    MYSQL_ROW row = mysql_fetch_row(result);
    *out = row && row[0] ? strtoull(row[0], NULL, 10) : 0;
    return BO_OK;
}

/* Stops the statement whose rows nobody wants any more, and reads the link empty. */
static void abandon(my_conn *conn, MYSQL_RES *result)
{
    my_cancel(&conn->base);
    while (mysql_fetch_row(result))
        continue;
}

bo_status my_stream(my_conn *conn, const bo_buf *sql, my_row_fn *each, void *ctx, bo_error *err)
{
    bo_status st = send_buf(conn, sql, err);
    if (st != BO_OK)
        return st;
    BO_OWN(MYSQL_RES) *result = mysql_use_result(conn->my);
    if (!result)
        return mysql_errno(conn->my) ? my_failure(conn, err)
                                     : bo_fail(err, BO_DATABASE, "the statement has no result");
    const unsigned count = mysql_num_fields(result);
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(result)) != NULL) {
        st = each(ctx, count, row, mysql_fetch_lengths(result), err);
        if (st != BO_OK) {
            abandon(conn, result);
            return st;
        }
    }
    return mysql_errno(conn->my) ? my_failure(conn, err) : drop_more(conn, err);
}

bo_status my_prepare(my_conn *conn, const bo_buf *sql, MYSQL_STMT **out, bo_error *err)
{
    bo_status st = bo_buf_check(sql, err);
    if (st != BO_OK)
        return st;
    if (!conn->my)
        return my_failure(conn, err);
    BO_OWN(MYSQL_STMT) *statement = mysql_stmt_init(conn->my);
    if (!statement)
        return bo_nomem(err);
    if (mysql_stmt_prepare(statement, (const char *)sql->data, sql->size) != 0)
        return my_statement_failure(conn, statement, err);
    *out = BO_TAKE(statement);
    return BO_OK;
}
