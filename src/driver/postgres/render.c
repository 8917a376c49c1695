/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/render.c - images as text, by the types' own output functions.
 *
 * Text images are that text already.  Binary ones go to the server as the parameters of
 * `SELECT * FROM (VALUES ($1::<type>, ...), ...)` and come back as text: nothing is written, so a
 * read-only transaction will do.  A statement carries a group of rows, and a pipeline a batch of
 * groups on one round trip.
 */
#include <string.h>

#include "driver/postgres/pg.h"

#define GROUP_ROWS   32u
#define GROUP_PARAMS 4096u
#define BATCH_GROUPS 16u
#define BATCH_BYTES  (1u << 20)

typedef struct renderer {
    pg_conn *conn;
    const bo_table *shape;
    bo_render_form form;
    bo_next_fn *next;
    void *next_ctx;
    bo_text_row_fn *each;
    void *ctx;
    uint16_t count;
    bo_value *values;
    bo_text_value *texts;
    size_t *offsets; /* into `line`, of each text */
    bo_buf line;
    /* binary images only */
    unsigned group_rows; /* of a statement */
    bo_buf group;        /* images of the next statement */
    size_t starts[GROUP_ROWS];
    unsigned filled;
    unsigned sent[BATCH_GROUPS]; /* rows that count in each statement of the batch */
    unsigned sent_count;
    const char **params;
    int *sizes;
    int *formats;
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
    bo_buf_done(&r->group);
}

static bo_status prepare_room(renderer *r, bo_error *err)
{
    unsigned rows = r->count > 0 ? GROUP_PARAMS / r->count : 1;
    r->group_rows = rows < 1 ? 1 : rows < GROUP_ROWS ? rows : GROUP_ROWS;
    size_t columns = (size_t)r->count + 1;
    size_t params = (size_t)r->count * r->group_rows + 1;
    r->values = calloc(columns, sizeof *r->values);
    r->texts = calloc(columns, sizeof *r->texts);
    r->offsets = calloc(columns, sizeof *r->offsets);
    r->params = calloc(params, sizeof *r->params);
    r->sizes = calloc(params, sizeof *r->sizes);
    r->formats = calloc(params, sizeof *r->formats);
    if (!r->params || !r->sizes || !r->formats || !r->values || !r->texts || !r->offsets)
        return bo_nomem(err);
    for (size_t i = 0; i < params; i++)
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

static bo_status render_text(renderer *r, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    for (;;) {
        bo_image row = {0};
        bool end = false;
        bo_status st = r->next(r->next_ctx, &row, &end, err);
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
            if (memchr(r->values[i].data, '\0', (size_t)r->values[i].size))
                return bo_fail(err, BO_CORRUPT, "a value of column '%s' of %s has a zero byte",
                    column_of(r, i)->name, r->shape->name);
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

static bo_status failed(renderer *r, const PGresult *result, bo_error *err)
{
    return pg_error(r->conn, result, err, "cannot write rows of %s as text", r->shape->name);
}

static bo_status prepare_statement(renderer *r, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT * FROM (VALUES");
    for (unsigned row = 0; row < r->group_rows; row++) {
        bo_buf_add_str(&sql, row > 0 ? "), (" : " (");
        for (unsigned i = 0; i < r->count; i++) {
            const char *type = column_of(r, (uint16_t)i)->type;
            bo_buf_printf(&sql, "%s$%u::%s%s", i > 0 ? ", " : "", row * r->count + i + 1, type,
                strcmp(type, "xml") == 0 ? "::pg_catalog.text" : "");
        }
    }
    bo_buf_add_str(&sql, ")) AS v");
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;
    BO_OWN(PGresult) *result = PQprepare(r->conn->pg, "", bo_buf_str(&sql), 0, NULL);
    return PQresultStatus(result) == PGRES_COMMAND_OK ? BO_OK : failed(r, result, err);
}

static bo_status fill_group(renderer *r, bool *end_out, bo_error *err)
{
    bo_buf_clear(&r->group);
    for (r->filled = 0; r->filled < r->group_rows; r->filled++) {
        bo_image row = {0};
        bo_status st = r->next(r->next_ctx, &row, end_out, err);
        if (st != BO_OK)
            return st;
        if (*end_out)
            break;
        r->starts[r->filled] = r->group.size;
        bo_buf_add(&r->group, row.data, row.size);
    }
    return bo_buf_check(&r->group, err);
}

/* The last group is filled up with its last row: a NULL might be refused by a domain. */
static bo_status send_group(renderer *r, bo_error *err)
{
    for (unsigned row = 0; row < r->group_rows; row++) {
        size_t start = r->starts[row < r->filled ? row : r->filled - 1];
        bo_image image = {r->group.data + start, r->group.size - start};
        bo_status st = read_values(r, image, err);
        if (st != BO_OK)
            return st;
        for (uint16_t i = 0; i < r->count; i++) {
            bool null = r->values[i].size < 0;
            size_t at = (size_t)row * r->count + i;
            r->params[at] = null ? NULL : (const char *)r->values[i].data;
            r->sizes[at] = null ? 0 : r->values[i].size;
        }
    }
    int count = (int)(r->group_rows * r->count);
    if (!PQsendQueryPrepared(r->conn->pg, "", count, r->params, r->sizes, r->formats, 0))
        return failed(r, NULL, err);
    r->sent[r->sent_count++] = r->filled;
    return BO_OK;
}

static bo_status take_group(renderer *r, const PGresult *result, unsigned rows, bo_error *err)
{
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return failed(r, result, err);
    bo_status st = BO_OK;
    for (int row = 0; row < (int)rows && st == BO_OK; row++) {
        begin_row(r);
        for (uint16_t i = 0; i < r->count; i++) {
            if (PQgetisnull(result, row, i))
                add_null(r, i);
            else
                add_text(r, i, PQgetvalue(result, row, i), (size_t)PQgetlength(result, row, i));
        }
        st = give_row(r, err);
    }
    return st;
}

/* Reads the answers up to the end of the batch, whatever they are; the first failure counts. */
static bo_status take_batch(renderer *r, bo_status sent, bo_error *err)
{
    bo_status st = sent;
    if (!PQpipelineSync(r->conn->pg) && st == BO_OK)
        st = failed(r, NULL, err);
    unsigned taken = 0;
    while (PQstatus(r->conn->pg) == CONNECTION_OK) {
        BO_OWN(PGresult) *result = PQgetResult(r->conn->pg);
        if (!result)
            continue; /* between two statements */
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
            return st;
        if (st == BO_OK && taken < r->sent_count)
            st = take_group(r, result, r->sent[taken++], err);
    }
    return st == BO_OK ? failed(r, NULL, err) : st;
}

static bo_status render_binary(renderer *r, bo_error *err)
{
    bo_status st = BO_OK;
    bool end = false;
    while (st == BO_OK && !end) {
        size_t bytes = 0;
        r->sent_count = 0;
        while (st == BO_OK && !end && r->sent_count < BATCH_GROUPS && bytes < BATCH_BYTES) {
            st = fill_group(r, &end, err);
            bytes += r->group.size;
            if (st == BO_OK && r->filled > 0)
                st = send_group(r, err);
        }
        st = take_batch(r, st, err);
    }
    return st;
}

static bo_status render_in_pipeline(void *ctx, bo_error *err)
{
    renderer *r = ctx;
    bo_status st = prepare_statement(r, err);
    if (st != BO_OK)
        return st;
    if (!PQenterPipelineMode(r->conn->pg))
        return failed(r, NULL, err);
    st = render_binary(r, err);
    (void)PQexitPipelineMode(r->conn->pg);
    return st;
}

bo_status pg_render(bo_conn *base, const bo_table *shape, bo_render_form form, bo_next_fn *next,
    void *next_ctx, bo_text_row_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(renderer)
    r = {.conn = pg_of(base),
        .shape = shape,
        .form = form,
        .next = next,
        .next_ctx = next_ctx,
        .each = each,
        .ctx = ctx,
        .count = shape->image_count};
    bo_status st = prepare_room(&r, err);
    if (st != BO_OK)
        return st;
    if (shape->encoding != BO_ENCODING_PG_BINARY || shape->image_count == 0)
        return render_text(&r, err);
    return pg_write_as_users(r.conn, render_in_pipeline, &r, err); /* checks of domains */
}
