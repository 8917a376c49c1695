/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/query.c - statements, their results, and SQLite's errors as ours. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "driver/sqlite/locks.h"
#include "driver/sqlite/sqlite.h"

/* What SQLite's result codes mean here, and what a person can do about them. */
static const struct {
    int code;
    bo_status status;
    const char *advice; /* or NULL: SQLite's own words are enough */
} meanings[] = {
    {SQLITE_BUSY, BO_BUSY, "the database file is locked by another process"},
    {SQLITE_LOCKED, BO_BUSY, "the table is locked by another statement"},
    {SQLITE_FULL, BO_IO,
        "no space is left for the database or its temporary files: free some and try again"},
    {SQLITE_IOERR, BO_IO,
        "the operating system failed to read or write the database file: see its log"},
    {SQLITE_CANTOPEN, BO_IO,
        "the database, its journal or its folder cannot be opened: check the path and the rights; "
        "in WAL mode a reader too has to write the folder"},
    {SQLITE_PROTOCOL, BO_IO,
        "the database file cannot be locked: WAL needs a disk of this computer"},
    {SQLITE_READONLY, BO_DENIED,
        "the database file or its folder cannot be written: check the rights"},
    /* kinds of it, after itself */
    {SQLITE_READONLY_ROLLBACK, BO_DENIED,
        "a program was killed while it wrote the database, and what it left behind has to be "
        "rolled back, which takes the right to write the file and its folder"},
    {SQLITE_READONLY_DIRECTORY, BO_DENIED,
        "the folder of the database cannot be written: check the rights; a writer makes a file "
        "there, and in WAL mode a reader does too"},
    {SQLITE_PERM, BO_DENIED, NULL},
    {SQLITE_AUTH, BO_DENIED, NULL},
    {SQLITE_NOTADB, BO_CORRUPT,
        "the file is not a SQLite database, or it is encrypted: check the path"},
    {SQLITE_CORRUPT, BO_CORRUPT,
        "the database file is damaged: run PRAGMA integrity_check and restore a copy"},
    {SQLITE_INTERRUPT, BO_INTERRUPTED, NULL},
    {SQLITE_CONSTRAINT, BO_CONFLICT, NULL},
    {SQLITE_TOOBIG, BO_UNSUPPORTED, NULL},
};

/* The code of the last error.  A page that the disk does not give is damage in SQLite's words. */
static int error_code(sq_conn *conn, int *reason_out)
{
    int code = sqlite3_errcode(conn->db) & 0xff;
    int last = 0;
    *reason_out = 0;
    if (code == SQLITE_CORRUPT &&
        sqlite3_file_control(conn->db, "main", SQLITE_FCNTL_LAST_ERRNO, &last) == SQLITE_OK &&
        last == EIO) {
        *reason_out = last;
        return SQLITE_IOERR;
    }
    if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN) /* it keeps the reason of no other */
        *reason_out = sqlite3_system_errno(conn->db);
    if (*reason_out == ENOENT) /* a file that cannot be made is tried again without making it */
        *reason_out = 0;
    return code;
}

bo_status sq_error(sq_conn *conn, bo_error *err, const char *format, ...)
{
    int reason;
    int code = error_code(conn, &reason);
    if (code == SQLITE_NOMEM)
        return bo_nomem(err);

    const int extended = sqlite3_extended_errcode(conn->db);
    const int kind = (extended & 0xff) == code ? extended : code;
    bo_status st = BO_DATABASE;
    const char *advice = NULL;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].code == code || meanings[i].code == kind) {
            st = meanings[i].status;
            advice = meanings[i].advice;
        }
    }

    if (code == SQLITE_CORRUPT && strstr(sqlite3_errmsg(conn->db), "malformed database schema"))
        advice = "its schema cannot be read: it is damaged, or of a later SQLite than this one";

    char context[400];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);

    BO_OWN_VALUE(bo_buf) holder = {0};
    if (code == SQLITE_BUSY)
        sq_locks_holder(conn->path, &holder);
    if (kind == SQLITE_READONLY_DBMOVED)
        st = sq_moved(conn, err);
    else if (holder.size > 0 && !holder.failed)
        bo_fail(err, st, "%s (%s)%s", advice, sqlite3_errmsg(conn->db), bo_buf_str(&holder));
    else if (reason)
        bo_fail_errno(err, st, reason, "%s (%s)", advice, sqlite3_errmsg(conn->db));
    else if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN) /* of several that are open */
        bo_fail(err, st, "%s (%s: '%s')", advice, sqlite3_errmsg(conn->db), conn->path);
    else if (advice)
        bo_fail(err, st, "%s (%s)", advice, sqlite3_errmsg(conn->db));
    else
        bo_fail(err, st, "%s", sqlite3_errmsg(conn->db));
    if (err)
        snprintf(err->sqlstate, sizeof err->sqlstate, "%d", sqlite3_extended_errcode(conn->db));
    return bo_wrap(err, st, "%s", context);
}

/* True when nothing but blanks, semicolons and comments is left. */
static bool is_end(sq_conn *conn, const char *tail)
{
    while (*tail) {
        sqlite3_stmt *next = NULL;
        const char *rest = tail;
        int rc = sqlite3_prepare_v2(conn->db, tail, -1, &next, &rest);
        bool empty = rc == SQLITE_OK && !next;
        sqlite3_finalize(next);
        if (!empty)
            return false;
        tail = rest;
    }
    return true;
}

bo_status sq_prepare(sq_conn *conn, const char *sql, sqlite3_stmt **out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    const char *tail = NULL;
    if (sqlite3_prepare_v2(conn->db, sql, -1, &statement, &tail) != SQLITE_OK)
        return sq_error(conn, err, "cannot prepare a statement");
    if (!statement || !is_end(conn, tail))
        return bo_fail(err, BO_INVALID, "not exactly one SQL statement");
    *out = BO_TAKE(statement);
    return BO_OK;
}

bo_status sq_prepare_buf(sq_conn *conn, const bo_buf *sql, sqlite3_stmt **out, bo_error *err)
{
    bo_status st = bo_buf_check(sql, err);
    if (st != BO_OK)
        return st;
    return sq_prepare(conn, bo_buf_str(sql), out, err);
}

bo_status sq_step(sq_conn *conn, sqlite3_stmt *statement, bool *row_out, bo_error *err)
{
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        *row_out = true;
        return BO_OK;
    }
    if (rc != SQLITE_DONE) {
        bo_status st = sq_error(conn, err, "cannot execute a statement");
        sqlite3_reset(statement);
        return st;
    }
    sqlite3_reset(statement);
    *row_out = false;
    return BO_OK;
}

bo_status sq_run(sq_conn *conn, const char *sql, uint64_t *changed_out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_prepare(conn, sql, &statement, err);
    bool row = true;
    while (st == BO_OK && row)
        st = sq_step(conn, statement, &row, err);
    if (st == BO_OK && changed_out)
        *changed_out = (uint64_t)sqlite3_changes64(conn->db);
    return st;
}

bo_status sq_run_buf(sq_conn *conn, const bo_buf *sql, uint64_t *changed_out, bo_error *err)
{
    bo_status st = bo_buf_check(sql, err);
    if (st != BO_OK)
        return st;
    return sq_run(conn, bo_buf_str(sql), changed_out, err);
}

bo_status sq_bind_text(
    sq_conn *conn, sqlite3_stmt *statement, int index, const char *text, bo_error *err)
{
    if (sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT) != SQLITE_OK)
        return sq_error(conn, err, "cannot bind a value");
    return BO_OK;
}

bo_status sq_ask(
    sq_conn *conn, const char *sql, const char *text, sqlite3_stmt **out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_prepare(conn, sql, &statement, err);
    if (st == BO_OK && text)
        st = sq_bind_text(conn, statement, 1, text, err);
    if (st == BO_OK)
        *out = BO_TAKE(statement);
    return st;
}

bo_status sq_number(sq_conn *conn, const bo_buf *sql, int64_t *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_prepare_buf(conn, sql, &statement, err);
    bool row = false;
    if (st == BO_OK)
        st = sq_step(conn, statement, &row, err);
    if (st == BO_OK)
        *out = row ? sqlite3_column_int64(statement, 0) : 0;
    return st;
}

bo_status sq_exec(bo_conn *conn, const char *sql, bo_error *err)
{
    sq_conn *self = sq_of(conn);
    if (sqlite3_exec(self->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sq_error(self, err, "cannot execute a statement");
    return BO_OK;
}

static bo_status bind_all(sq_conn *conn, sqlite3_stmt *statement, const bo_text_value *params,
    uint16_t count, bo_error *err)
{
    if (sqlite3_bind_parameter_count(statement) != count)
        return bo_fail(err, BO_INVALID, "the statement has %d parameters and got %u values",
            sqlite3_bind_parameter_count(statement), count);
    for (uint16_t i = 0; i < count; i++) {
        int rc = SQLITE_OK; /* what is not bound is NULL */
        if (params[i].data)
            rc = sqlite3_bind_text64(
                statement, i + 1, params[i].data, params[i].size, SQLITE_STATIC, SQLITE_UTF8);
        if (rc != SQLITE_OK)
            return sq_error(conn, err, "cannot bind value %d", i + 1);
    }
    return BO_OK;
}

static bo_status give_row(sqlite3_stmt *statement, bo_text_value *values, uint16_t count,
    bo_query_fn *each, void *ctx, bo_error *err)
{
    for (uint16_t i = 0; i < count; i++) {
        values[i] = (bo_text_value){0};
        if (sqlite3_column_type(statement, i) == SQLITE_NULL)
            continue;
        values[i].data = (const char *)sqlite3_column_text(statement, i);
        if (!values[i].data)
            return bo_nomem(err);
        values[i].size = (size_t)sqlite3_column_bytes(statement, i);
    }
    return each(ctx, count, values, err);
}

bo_status sq_query(bo_conn *conn, const char *sql, const bo_text_value *params, uint16_t count,
    bo_query_fn *each, void *ctx, uint64_t *rows_out, bo_error *err)
{
    sq_conn *self = sq_of(conn);
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_prepare(self, sql, &statement, err);
    if (st == BO_OK)
        st = bind_all(self, statement, params, count, err);
    if (st != BO_OK)
        return st;

    uint16_t columns = (uint16_t)sqlite3_column_count(statement);
    BO_OWN_MEM bo_text_value *values = calloc(columns + 1u, sizeof *values);
    if (!values)
        return bo_nomem(err);
    uint64_t rows = 0;
    for (;;) {
        bool row = false;
        st = sq_step(self, statement, &row, err);
        if (st != BO_OK)
            return st;
        if (!row)
            break;
        rows++;
        if (each)
            st = give_row(statement, values, columns, each, ctx, err);
        if (st != BO_OK)
            return st;
    }
    if (rows_out)
        *rows_out = columns > 0 ? rows : (uint64_t)sqlite3_changes64(self->db);
    return BO_OK;
}
