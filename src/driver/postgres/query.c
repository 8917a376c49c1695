/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/query.c - statements, names, and the server's errors in our words. */
#include <string.h>

#include "base/step.h"
#include "driver/postgres/pg.h"

static bo_status status_of(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        bo_status status;
    } map[] = {
        {"55P03", BO_BUSY},     /* lock_not_available */
        {"40P01", BO_BUSY},     /* deadlock_detected */
        {"40001", BO_CONFLICT}, /* serialization_failure */
        {"23", BO_CONFLICT},    /* integrity constraints */
        {"42501", BO_DENIED},   /* insufficient_privilege */
        {"42P01", BO_NOTFOUND}, /* undefined_table */
        {"3F000", BO_NOTFOUND}, /* invalid_schema_name */
        {"42704", BO_NOTFOUND}, /* undefined_object: a type, say */
        {"25006", BO_REFUSED},  /* read_only_sql_transaction */
    };
    if (strcmp(sqlstate, "57014") == 0) /* query_canceled */
        return bo_interrupted() ? BO_INTERRUPTED : BO_DATABASE;
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (strncmp(sqlstate, map[i].prefix, strlen(map[i].prefix)) == 0)
            return map[i].status;
    }
    return BO_DATABASE;
}

/* "invalid input syntax for type integer: "abc"" and the rows of NOT NULL, CHECK and view-option
 * failures hold values, which are secrets. */
static bool primary_has_value(const char *sqlstate)
{
    return strncmp(sqlstate, "22", 2) == 0;
}

static bool detail_has_row(const char *sqlstate)
{
    return strcmp(sqlstate, "23502") == 0 || strcmp(sqlstate, "23514") == 0 ||
           strcmp(sqlstate, "44000") == 0 || strncmp(sqlstate, "22", 2) == 0;
}

/* What could not be sent is no reason for libpq to call the link bad: only what it reads is. */
static bool link_broke(pg_conn *conn)
{
    if (PQstatus(conn->pg) == CONNECTION_OK)
        (void)PQconsumeInput(conn->pg);
    return PQstatus(conn->pg) != CONNECTION_OK;
}

static bo_status fail_from_link(pg_conn *conn, bo_error *err)
{
    const char *text = conn->pg ? PQerrorMessage(conn->pg) : "";
    size_t size = strcspn(text, "\n");
    bo_status st = size == 0 ? bo_fail(err, BO_DATABASE, "the connection is closed")
                             : bo_fail(err, BO_DATABASE, "%.*s", (int)size, text);
    if (!link_broke(conn))
        return st;
    if (err)
        memcpy(err->sqlstate, "08006", sizeof err->sqlstate);
    return bo_wrap(err, st, "the link to the database broke");
}

bool pg_ends_session(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

/* Also where only our half of the link is gone: the server tells that while it waits for rows. */
static bool tells_broken_link(const PGresult *result, const char *sqlstate)
{
    const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    return pg_ends_session(result) ||
           (strcmp(sqlstate, "08006") == 0 && function && strcmp(function, "CopyGetData") == 0);
}

bo_status pg_failure(pg_conn *conn, const PGresult *result, bo_error *err)
{
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (!primary || !sqlstate)
        return fail_from_link(conn, err);

    const char *value = primary_has_value(sqlstate) ? strstr(primary, ": \"") : NULL;
    size_t size = value ? (size_t)(value - primary) : strcspn(primary, "\n");
    bo_status st = bo_fail(err, status_of(sqlstate), "%.*s", (int)size, primary);

    if (tells_broken_link(result, sqlstate))
        st = bo_wrap(err, st, "the link to the database broke");

    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    if (detail && !detail_has_row(sqlstate))
        (void)bo_detail(err, st, "%.*s", (int)strcspn(detail, "\n"), detail);
    if (err) {
        err->sqlstate[0] = '\0';
        strncat(err->sqlstate, sqlstate, sizeof err->sqlstate - 1);
    }
    return st;
}

bo_status pg_error(pg_conn *conn, const PGresult *result, bo_error *err, const char *format, ...)
{
    bo_status st = pg_failure(conn, result, err);
    BO_OWN_VALUE(bo_buf) context = {0};
    va_list args;
    va_start(args, format);
    bo_buf_vprintf(&context, format, args);
    va_end(args);
    return bo_wrap(err, st, "%s", bo_buf_str(&context));
}

bo_status pg_denied_hint(
    pg_conn *conn, bo_status st, const bo_table *table, const char *rights, bo_error *err)
{
    if (st != BO_DENIED)
        return st;
    const char *user = PQuser(conn->pg);
    if (table->row_security)
        return bo_detail(err, st,
            "row-level security hides rows of %s from '%s': connect as its owner or as a role with "
            "BYPASSRLS",
            table->name, user ? user : "");
    BO_OWN_VALUE(bo_buf) grant = {0};
    bo_buf_printf(&grant, "GRANT %s ON ", rights);
    pg_quote_table(&grant, table);
    bo_buf_add_str(&grant, " TO ");
    pg_quote(&grant, user ? user : "");
    return bo_detail(err, st, "needed: %s", bo_buf_str(&grant));
}

/* ---- names ---- */

void pg_quote(bo_buf *out, const char *identifier)
{
    bo_buf_add_byte(out, '"');
    for (const char *c = identifier; *c; c++) {
        if (*c == '"')
            bo_buf_add_byte(out, '"');
        bo_buf_add_byte(out, (uint8_t)*c);
    }
    bo_buf_add_str(out, "\"");
}

void pg_quote_table(bo_buf *out, const bo_table *table)
{
    pg_quote(out, table->schema);
    bo_buf_add_str(out, ".");
    pg_quote(out, table->local);
}

void pg_quote_literal(bo_buf *out, const char *text)
{
    bo_buf_add_str(out, strchr(text, '\\') ? "E'" : "'");
    for (const char *c = text; *c; c++) {
        if (*c == '\'' || *c == '\\')
            bo_buf_add_byte(out, (uint8_t)*c);
        bo_buf_add_byte(out, (uint8_t)*c);
    }
    bo_buf_add_str(out, "'");
}

/* ---- statements ---- */

void pg_leave_copy(pg_conn *conn, ExecStatusType status)
{
    if (status == PGRES_COPY_IN || status == PGRES_COPY_BOTH)
        (void)PQputCopyEnd(conn->pg, "no data is sent with this statement");
    char *data = NULL;
    while (status != PGRES_COPY_IN && PQgetCopyData(conn->pg, &data, 0) > 0)
        PQfreemem(data);
    PGresult *rest;
    while ((rest = PQgetResult(conn->pg)) != NULL)
        PQclear(rest);
}

static bo_status check_result(pg_conn *conn, const PGresult *result, bo_error *err)
{
    ExecStatusType status = PQresultStatus(result);
    switch (status) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        return BO_OK;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        pg_leave_copy(conn, status);
        return bo_fail(err, BO_INVALID, "COPY from or to the client has no place here");
    default:
        return pg_failure(conn, result, err);
    }
}

static uint64_t result_rows(const PGresult *result)
{
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return (uint64_t)PQntuples(result);
    return strtoull(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
}

bo_status pg_run(pg_conn *conn, uint64_t *rows_out, bo_error *err, const char *format, ...)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    va_list args;
    va_start(args, format);
    bo_buf_vprintf(&sql, format, args);
    va_end(args);
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;

    BO_OWN(PGresult) *result = PQexec(conn->pg, bo_buf_str(&sql));
    st = check_result(conn, result, err);
    if (st == BO_OK && rows_out)
        *rows_out = result_rows(result);
    return st;
}

bo_status pg_ask(pg_conn *conn, const char *sql, int count, const char *const *params,
    PGresult **out, bo_error *err)
{
    BO_OWN(PGresult) *result = PQexecParams(conn->pg, sql, count, NULL, params, NULL, NULL, 0);
    bo_status st = check_result(conn, result, err);
    if (st == BO_OK)
        *out = BO_TAKE(result);
    return st;
}

bo_status pg_exec(bo_conn *base, const char *sql, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN(PGresult) *result = PQexec(conn->pg, sql);
    return check_result(conn, result, err);
}

/* libpq reads text parameters up to a NUL: copies them out of their spans. */
static bo_status copy_params(
    bo_buf *bytes, const bo_text_value *params, uint16_t count, const char **out, bo_error *err)
{
    size_t size = 0;
    for (uint16_t i = 0; i < count; i++)
        size += params[i].size + 1;
    if (!bo_buf_reserve(bytes, size))
        return bo_nomem(err);
    for (uint16_t i = 0; i < count; i++) {
        if (!params[i].data) {
            out[i] = NULL;
            continue;
        }
        if (memchr(params[i].data, '\0', params[i].size))
            return bo_fail(err, BO_INVALID, "parameter %d has a zero byte in it", i + 1);
        out[i] = (const char *)bytes->data + bytes->size;
        bo_buf_add(bytes, params[i].data, params[i].size);
        bo_buf_add_byte(bytes, '\0');
    }
    return BO_OK;
}

static bo_status give_rows(const PGresult *result, bo_query_fn *each, void *ctx, bo_error *err)
{
    int columns = PQnfields(result);
    BO_OWN_MEM bo_text_value *values = calloc((size_t)columns + 1, sizeof *values);
    if (!values)
        return bo_nomem(err);
    bo_status st = BO_OK;
    for (int row = 0; row < PQntuples(result) && st == BO_OK; row++) {
        for (int i = 0; i < columns; i++) {
            bool null = PQgetisnull(result, row, i);
            values[i].data = null ? NULL : PQgetvalue(result, row, i);
            values[i].size = null ? 0 : (size_t)PQgetlength(result, row, i);
        }
        st = each(ctx, (uint16_t)columns, values, err);
    }
    return st;
}

bo_status pg_query(bo_conn *base, const char *sql, const bo_text_value *params, uint16_t count,
    bo_query_fn *each, void *ctx, uint64_t *rows_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) bytes = {0};
    BO_OWN_MEM const char **texts = calloc((size_t)count + 1, sizeof *texts);
    if (!texts)
        return bo_nomem(err);
    bo_status st = copy_params(&bytes, params, count, texts, err);
    if (st != BO_OK)
        return st;

    BO_OWN(PGresult) *result = NULL;
    st = pg_ask(pg_of(base), sql, count, texts, &result, err);
    if (st == BO_OK && each && PQresultStatus(result) == PGRES_TUPLES_OK)
        st = give_rows(result, each, ctx, err);
    if (st == BO_OK && rows_out)
        *rows_out = result_rows(result);
    return st;
}
