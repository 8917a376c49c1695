/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/render.c - images as text, by the types' own output functions.
 *
 * Text images are that text already.  Binary ones go to the server as the parameters of
 * `SELECT $1::<type>, ...` and come back as text: nothing is written, so a read-only transaction
 * will do.  A pipeline carries a batch of rows on one round trip.
 */
#include <string.h>

#include "driver/postgres/pg.h"

#define BATCH_ROWS  256u
#define BATCH_BYTES (1u << 20)

typedef struct renderer {
    pg_conn *conn;
    const bo_table *shape;
    bo_render_form form;
    bo_text_row_fn *each;
    void *ctx;
    uint16_t count;
    const char **params;
    int *sizes;
    int *formats;
    bo_value *values;
    bo_text_value *texts;
    size_t *offsets; /* into `line`, of each text */
    bo_buf line;
} renderer;

static void renderer_done(renderer *r)
{
    free(r->params);
    free(r->sizes);
    free(r->formats);
    free(r->values);
    free(r->texts);
    free(r->offsets);
    bo_buf_done(&r->line);
}

static bo_status prepare_room(renderer *r, bo_error *err)
{
    size_t room = (size_t)r->count + 1;
    r->params = calloc(room, sizeof *r->params);
    r->sizes = calloc(room, sizeof *r->sizes);
    r->formats = calloc(room, sizeof *r->formats);
    r->values = calloc(room, sizeof *r->values);
    r->texts = calloc(room, sizeof *r->texts);
    r->offsets = calloc(room, sizeof *r->offsets);
    if (!r->params || !r->sizes || !r->formats || !r->values || !r->texts || !r->offsets)
        return bo_nomem(err);
    for (uint16_t i = 0; i < r->count; i++)
        r->formats[i] = 1;
    return BO_OK;
}

static const bo_column *column_of(const renderer *r, uint16_t i)
{
    return &r->shape->columns[r->shape->image_columns[i]];
}

static bo_status read_values(renderer *r, bo_image row, bo_error *err)
{
    if (bo_image_count(row) != r->count)
        return bo_fail(err, BO_CORRUPT, "a row of %s has another number of values than columns",
            r->shape->name);
    bo_image_values(row, r->values);
    return BO_OK;
}

/* ---- one row, as the caller wants it ---- */

static void begin_row(renderer *r)
{
    bo_buf_clear(&r->line);
}

/* `text` ends with a NUL. */
static void add_text(renderer *r, uint16_t i, const char *text, size_t size)
{
    r->offsets[i] = r->line.size;
    if (r->form == BO_RENDER_TEXT) {
        bo_buf_add(&r->line, text, size);
    } else {
        pg_quote_literal(&r->line, text);
        bo_buf_printf(&r->line, "::%s", column_of(r, i)->type);
    }
    r->texts[i].size = r->line.size - r->offsets[i];
    bo_buf_add_byte(&r->line, '\0');
}

static void add_null(renderer *r, uint16_t i)
{
    r->offsets[i] = SIZE_MAX;
    if (r->form == BO_RENDER_LITERAL) {
        r->offsets[i] = r->line.size;
        r->texts[i].size = 4;
        bo_buf_add(&r->line, "NULL", 5);
    }
}

static bo_status give_row(renderer *r, bo_error *err)
{
    bo_status st = bo_buf_check(&r->line, err);
    if (st != BO_OK)
        return st;
    for (uint16_t i = 0; i < r->count; i++) {
        bool null = r->offsets[i] == SIZE_MAX;
        r->texts[i].data = null ? NULL : (const char *)r->line.data + r->offsets[i];
        if (null)
            r->texts[i].size = 0;
    }
    return r->each(r->ctx, r->count, r->texts, err);
}

/* ---- text images ---- */

static bo_status render_text(renderer *r, bo_next_fn *next, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    for (;;) {
        bo_image row = {0};
        bool end = false;
        bo_status st = next(ctx, &row, &end, err);
        if (st != BO_OK || end)
            return st;
        st = read_values(r, row, err);
        if (st != BO_OK)
            return st;
        begin_row(r);
        for (uint16_t i = 0; i < r->count; i++) {
            if (r->values[i].size < 0) {
                add_null(r, i);
                continue;
            }
            bo_buf_clear(&text);
            bo_buf_add(&text, r->values[i].data, (size_t)r->values[i].size);
            bo_buf_add_byte(&text, '\0');
            st = bo_buf_check(&text, err);
            if (st != BO_OK)
                return st;
            add_text(r, i, (const char *)text.data, (size_t)r->values[i].size);
        }
        st = give_row(r, err);
        if (st != BO_OK)
            return st;
    }
}

/* ---- binary images ---- */

static bo_status prepare_statement(renderer *r, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT ");
    for (uint16_t i = 0; i < r->count; i++)
        bo_buf_printf(&sql, "%s$%d::%s%s", i > 0 ? ", " : "", i + 1, column_of(r, i)->type,
            strcmp(column_of(r, i)->type, "xml") == 0 ? "::pg_catalog.text" : "");
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;
    BO_OWN(PGresult) *result = PQprepare(r->conn->pg, "", bo_buf_str(&sql), 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return pg_error(r->conn, result, err, "cannot write rows of %s as text", r->shape->name);
    return BO_OK;
}

static bo_status send_row(renderer *r, bo_image row, bo_error *err)
{
    bo_status st = read_values(r, row, err);
    if (st != BO_OK)
        return st;
    for (uint16_t i = 0; i < r->count; i++) {
        bool null = r->values[i].size < 0;
        r->params[i] = null ? NULL : (const char *)r->values[i].data;
        r->sizes[i] = null ? 0 : r->values[i].size;
    }
    if (!PQsendQueryPrepared(r->conn->pg, "", r->count, r->params, r->sizes, r->formats, 0))
        return pg_error(r->conn, NULL, err, "cannot write rows of %s as text", r->shape->name);
    return BO_OK;
}

static bo_status take_row(renderer *r, const PGresult *result, bo_error *err)
{
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return pg_error(r->conn, result, err, "cannot write rows of %s as text", r->shape->name);
    begin_row(r);
    for (uint16_t i = 0; i < r->count; i++) {
        if (PQgetisnull(result, 0, i))
            add_null(r, i);
        else
            add_text(r, i, PQgetvalue(result, 0, i), (size_t)PQgetlength(result, 0, i));
    }
    return give_row(r, err);
}

/* Reads the answers up to the end of the batch, whatever they are; the first failure counts. */
static bo_status take_batch(renderer *r, bo_status sent, bo_error *err)
{
    bo_status st = sent;
    if (!PQpipelineSync(r->conn->pg) && st == BO_OK)
        st = pg_error(r->conn, NULL, err, "cannot write rows of %s as text", r->shape->name);
    while (PQstatus(r->conn->pg) == CONNECTION_OK) {
        BO_OWN(PGresult) *result = PQgetResult(r->conn->pg);
        ExecStatusType status = result ? PQresultStatus(result) : PGRES_EMPTY_QUERY;
        if (status == PGRES_PIPELINE_SYNC)
            return st;
        if (result && st == BO_OK)
            st = take_row(r, result, err);
    }
    return st == BO_OK ? pg_error(r->conn, NULL, err, "the connection was lost") : st;
}

static bo_status render_binary(renderer *r, bo_next_fn *next, void *ctx, bo_error *err)
{
    bo_status st = BO_OK;
    bool end = false;
    while (st == BO_OK && !end) {
        size_t bytes = 0;
        for (unsigned n = 0; n < BATCH_ROWS && bytes < BATCH_BYTES; n++) {
            bo_image row = {0};
            st = next(ctx, &row, &end, err);
            if (st == BO_OK && !end)
                st = send_row(r, row, err);
            if (st != BO_OK || end)
                break;
            bytes += row.size;
        }
        st = take_batch(r, st, err);
    }
    return st;
}

bo_status pg_render(bo_conn *base, const bo_table *shape, bo_render_form form, bo_next_fn *next,
    void *next_ctx, bo_text_row_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(renderer)
    r = {.conn = pg_of(base),
        .shape = shape,
        .form = form,
        .each = each,
        .ctx = ctx,
        .count = shape->image_count};
    bo_status st = prepare_room(&r, err);
    if (st != BO_OK)
        return st;
    if (shape->encoding != BO_ENCODING_PG_BINARY)
        return render_text(&r, next, next_ctx, err);
    st = prepare_statement(&r, err);
    if (st != BO_OK)
        return st;
    if (!PQenterPipelineMode(r.conn->pg))
        return pg_error(r.conn, NULL, err, "cannot write rows of %s as text", shape->name);
    st = render_binary(&r, next, next_ctx, err);
    (void)PQexitPipelineMode(r.conn->pg);
    return st;
}
