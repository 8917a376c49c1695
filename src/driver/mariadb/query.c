/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/query.c - a statement with parameters, and its rows as text. */
#include <string.h>

#include "base/text.h"
#include "driver/mariadb/my.h"

/* $1, $2 ... outside of quoted text become ?; they are used once and in order. */
static bo_status translate(const char *sql, uint16_t count, bo_buf *out, bo_error *err)
{
    uint16_t seen = 0;
    for (const char *at = sql; *at; at++) {
        if (*at == '\'' || *at == '"' || *at == '`') {
            const char *close = strchr(at + 1, *at);
            const size_t size = close ? (size_t)(close - at) : strlen(at) - 1;
            bo_buf_add(out, at, size + 1);
            at += size;
        } else if (*at == '$' && bo_text_is_digit(at[1])) {
            seen++;
            bo_buf_add_byte(out, '?');
            while (bo_text_is_digit(at[1]))
                at++;
        } else {
            bo_buf_add_byte(out, (uint8_t)*at);
        }
    }
    bo_buf_add_str(out, "");
    if (seen != count)
        return bo_fail(err, BO_INVALID, "the statement has %d parameters and not %d", seen, count);
    return bo_buf_check(out, err);
}

/* ---- an answer to a statement with parameters ---- */

typedef struct answer {
    unsigned count;
    MYSQL_BIND *binds;
    bo_text_value *values;
    unsigned long *sizes;
    my_bool *nulls;
    char **texts;
} answer;

static void answer_done(answer *a)
{
    for (unsigned i = 0; a->texts && i < a->count; i++)
        free(a->texts[i]);
    free(a->binds);
    free(a->values);
    free(a->sizes);
    free(a->nulls);
    free((void *)a->texts);
}

/* The answer is kept whole by the client library, so the room for each column is known. */
static bo_status answer_begin(my_conn *conn, MYSQL_STMT *statement, answer *a, bo_error *err)
{
    const my_bool yes = 1;
    (void)mysql_stmt_attr_set(statement, STMT_ATTR_UPDATE_MAX_LENGTH, &yes);
    if (mysql_stmt_store_result(statement) != 0)
        return my_statement_failure(conn, statement, err);
    BO_OWN(MYSQL_RES) *fields = mysql_stmt_result_metadata(statement);
    const size_t count = fields ? mysql_num_fields(fields) : 0;
    a->binds = calloc(count + 1, sizeof *a->binds);
    a->values = calloc(count + 1, sizeof *a->values);
    a->sizes = calloc(count + 1, sizeof *a->sizes);
    a->nulls = calloc(count + 1, sizeof *a->nulls);
    a->texts = calloc(count + 1, sizeof *a->texts);
    if (!fields || !a->binds || !a->values || !a->sizes || !a->nulls || !a->texts)
        return bo_nomem(err);
    a->count = (unsigned)count;
    for (unsigned i = 0; i < a->count; i++) {
        const unsigned long room = mysql_fetch_field_direct(fields, i)->max_length + 64;
        a->texts[i] = malloc(room);
        if (!a->texts[i])
            return bo_nomem(err);
        a->binds[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
            .buffer = a->texts[i],
            .buffer_length = room,
            .length = &a->sizes[i],
            .is_null = &a->nulls[i]};
    }
    return mysql_stmt_bind_result(statement, a->binds) == 0
               ? BO_OK
               : my_statement_failure(conn, statement, err);
}

static bo_status give_answer(
    my_conn *conn, MYSQL_STMT *statement, bo_query_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(answer) a = {0};
    bo_status st = answer_begin(conn, statement, &a, err);
    while (st == BO_OK) {
        const int code = mysql_stmt_fetch(statement);
        if (code == MYSQL_NO_DATA)
            break;
        if (code != 0)
            return my_statement_failure(conn, statement, err);
        for (unsigned i = 0; i < a.count; i++)
            a.values[i] = (bo_text_value){a.nulls[i] ? NULL : a.texts[i], a.sizes[i]};
        st = each ? each(ctx, (uint16_t)a.count, a.values, err) : BO_OK;
    }
    return st;
}

static bo_status query_bound(my_conn *conn, const bo_buf *sql, const bo_text_value *params,
    uint16_t count, bo_query_fn *each, void *ctx, uint64_t *rows_out, bo_error *err)
{
    BO_OWN(MYSQL_STMT) *statement = NULL;
    BO_OWN_MEM MYSQL_BIND *binds = calloc(count, sizeof *binds);
    if (!binds)
        return bo_nomem(err);
    for (uint16_t i = 0; i < count; i++)
        binds[i] = (MYSQL_BIND){
            .buffer_type = params[i].data ? MYSQL_TYPE_STRING : MYSQL_TYPE_NULL,
            .buffer = (void *)(uintptr_t)params[i].data,
            .buffer_length = params[i].size,
        };
    bo_status st = my_prepare(conn, sql, &statement, err);
    if (st != BO_OK)
        return st;
    if (mysql_stmt_bind_param(statement, binds) || mysql_stmt_execute(statement) != 0)
        return my_statement_failure(conn, statement, err);
    uint64_t rows = mysql_stmt_affected_rows(statement);
    if (mysql_stmt_field_count(statement) > 0) {
        st = give_answer(conn, statement, each, ctx, err);
        rows = mysql_stmt_num_rows(statement);
    }
    if (st == BO_OK && rows_out)
        *rows_out = rows;
    return st;
}

/* ---- a statement without parameters ---- */

static bo_status give_rows(MYSQL_RES *result, bo_query_fn *each, void *ctx, bo_error *err)
{
    const unsigned count = mysql_num_fields(result);
    BO_OWN_MEM bo_text_value *values = calloc((size_t)count + 1, sizeof *values);
    if (!values)
        return bo_nomem(err);
    bo_status st = BO_OK;
    MYSQL_ROW row;
    while (st == BO_OK && (row = mysql_fetch_row(result)) != NULL) {
        const unsigned long *sizes = mysql_fetch_lengths(result);
        for (unsigned i = 0; i < count; i++)
            values[i] = (bo_text_value){row[i], row[i] ? sizes[i] : 0};
        st = each(ctx, (uint16_t)count, values, err);
    }
    return st;
}

bo_status my_query(bo_conn *base, const char *sql, const bo_text_value *params, uint16_t count,
    bo_query_fn *each, void *ctx, uint64_t *rows_out, bo_error *err)
{
    my_conn *conn = my_of(base);
    if (count > 0) {
        BO_OWN_VALUE(bo_buf) translated = {0};
        bo_status st = translate(sql, count, &translated, err);
        return st == BO_OK ? query_bound(conn, &translated, params, count, each, ctx, rows_out, err)
                           : st;
    }
    BO_OWN(MYSQL_RES) *result = NULL;
    uint64_t rows = 0;
    bo_status st = my_run_keep(conn, sql, strlen(sql), &result, &rows, err);
    if (st == BO_OK && result && each)
        st = give_rows(result, each, ctx, err);
    if (st == BO_OK && rows_out)
        *rows_out = rows;
    return st;
}
