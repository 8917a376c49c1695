/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/script.c - a user's SQL file, statement by statement.
 *
 * A statement can be prepared only when the ones before it have run.  So what would begin or end
 * the transaction that is ours to end is refused when it is prepared, by SQLite's authorizer.
 */
#include <limits.h>
#include <string.h>

#include "driver/sqlite/sqlite.h"

#define WAY_OUT "run it with sqlite3: backout run -- sqlite3 DATABASE '.read FILE'"

static size_t skip_comment(const char *sql, size_t size, size_t at)
{
    bool line = sql[at] == '-';
    for (at += 2; at < size; at++) {
        if (line && sql[at] == '\n')
            return at + 1;
        if (!line && at + 1 < size && sql[at] == '*' && sql[at + 1] == '/')
            return at + 2;
    }
    return size;
}

/* Where the next statement begins, after blanks and comments. */
static size_t statement_start(const char *sql, size_t size, size_t at)
{
    while (at < size) {
        bool comment =
            at + 1 < size && (memcmp(sql + at, "--", 2) == 0 || memcmp(sql + at, "/*", 2) == 0);
        if (comment)
            at = skip_comment(sql, size, at);
        else if (strchr(" \t\r\n\f;", sql[at]) && sql[at])
            at++;
        else
            break;
    }
    return at;
}

static size_t line_of(const char *sql, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += sql[i] == '\n';
    return line;
}

static bo_status run_all_rows(sq_conn *conn, sqlite3_stmt *statement, size_t line, bo_error *err)
{
    int rc = SQLITE_ROW;
    while (rc == SQLITE_ROW)
        rc = sqlite3_step(statement);
    if (rc != SQLITE_DONE)
        return sq_error(conn, err, "the statement in line %zu failed", line);
    return BO_OK;
}

/* SAVEPOINT, RELEASE and ROLLBACK TO are another action: they stay inside the transaction. */
static int refuse_transaction(void *refused, int action, const char *first, const char *second,
    const char *database, const char *trigger)
{
    (void)first, (void)second, (void)database, (void)trigger;
    if (action != SQLITE_TRANSACTION)
        return SQLITE_OK;
    *(bool *)refused = true;
    return SQLITE_DENY;
}

static bo_status run_file(
    sq_conn *conn, const char *sql, size_t size, const bool *refused, bo_error *err)
{
    for (size_t at = statement_start(sql, size, 0); at < size;) {
        BO_OWN(sqlite3_stmt) *statement = NULL;
        const char *tail = NULL;
        int rc = sqlite3_prepare_v2(conn->db, sql + at, (int)(size - at), &statement, &tail);
        if (rc != SQLITE_OK && *refused)
            return bo_fail(err, BO_REFUSED,
                "line %zu: the file begins or ends a transaction by itself; " WAY_OUT,
                line_of(sql, at));
        if (rc != SQLITE_OK) {
            int offset = sqlite3_error_offset(conn->db);
            size_t where = offset > 0 ? at + (size_t)offset : at;
            return sq_error(conn, err, "the statement in line %zu failed", line_of(sql, where));
        }
        if (statement) {
            bo_status st = run_all_rows(conn, statement, line_of(sql, at), err);
            if (st != BO_OK)
                return st;
        }
        at = statement_start(sql, size, (size_t)(tail - sql));
    }
    return BO_OK;
}

bo_status sq_script(bo_conn *conn, const char *sql, size_t size, bo_error *err)
{
    sq_conn *self = sq_of(conn);
    if (size > INT_MAX)
        return bo_fail(err, BO_INVALID, "the SQL text is larger than 2 GiB");
    const char *nul = memchr(sql, 0, size);
    if (nul)
        return bo_fail(err, BO_INVALID, "line %zu has a zero byte; this is no SQL text",
            line_of(sql, (size_t)(nul - sql)));

    bool refused = false;
    const bool alone = sqlite3_get_autocommit(self->db);
    if (!alone)
        sqlite3_set_authorizer(self->db, refuse_transaction, &refused);
    bo_status st = run_file(self, sql, size, &refused, err);
    sqlite3_set_authorizer(self->db, NULL, NULL);
    if (st == BO_OK && alone && !sqlite3_get_autocommit(self->db))
        return bo_fail(err, BO_INVALID, "it begins a transaction and does not commit it");
    return st;
}
