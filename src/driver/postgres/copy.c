/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/copy.c - COPY both ways, as images.
 *
 * A tuple of COPY BINARY is an image as it stands (data/image.h), so reading copies no byte: libpq
 * hands over the message, and the message is the image.  Around the tuples there is a header
 * ("PGCOPY\n\377\r\n\0", flags, an extension with its length) and the count -1 as the end.
 * Source: PostgreSQL manual, COPY, "Binary Format".
 */
#include <string.h>

#include "driver/postgres/pg.h"

static const uint8_t signature[11] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n', 0};
#define HEADER_SIZE (sizeof signature + 8)
#define PIECE_SIZE  65536u

/* ---- out ---- */

typedef struct reader {
    pg_tuple_fn *each;
    void *ctx;
    bo_buf rest; /* the beginning of a tuple whose end is in the next message */
    bool begun;  /* the header is behind us */
    bool ended;
} reader;

/* Size of the header or tuple at the start of `bytes`; 0 while more bytes are needed. */
static size_t header_size(bo_span bytes)
{
    if (bytes.size < HEADER_SIZE)
        return 0;
    size_t size = HEADER_SIZE + (size_t)bo_get_u32(bytes.data + HEADER_SIZE - 4);
    return size <= bytes.size ? size : 0;
}

static size_t tuple_size(bo_span bytes)
{
    if (bytes.size < 2)
        return 0;
    uint16_t count = bo_get_u16(bytes.data);
    size_t at = 2;
    for (uint16_t i = 0; i < count; i++) {
        if (bytes.size - at < 4)
            return 0;
        uint32_t size = bo_get_u32(bytes.data + at);
        at += 4;
        if (size == UINT32_MAX) /* NULL */
            continue;
        if (bytes.size - at < size)
            return 0;
        at += size;
    }
    return at;
}

/* Hands on every whole tuple of `bytes`; *used_out is what is done with. */
static bo_status read_tuples(reader *r, bo_span bytes, size_t *used_out, bo_error *err)
{
    size_t at = 0;
    if (!r->begun) {
        size_t head = header_size(bytes);
        if (head == 0 || memcmp(bytes.data, signature, sizeof signature) != 0) {
            *used_out = 0;
            return head == 0 ? BO_OK
                             : bo_fail(err, BO_DATABASE, "the server sent no binary COPY header");
        }
        r->begun = true;
        at = head;
    }
    while (!r->ended && bytes.size - at >= 2) {
        bo_span left = {bytes.data + at, bytes.size - at};
        if (bo_get_u16(left.data) == UINT16_MAX) {
            r->ended = true;
            at = bytes.size;
            break;
        }
        size_t size = tuple_size(left);
        if (size == 0)
            break;
        bo_status st = r->each(r->ctx, (bo_image){left.data, size}, err);
        if (st != BO_OK)
            return st;
        at += size;
    }
    *used_out = at;
    return BO_OK;
}

static bo_status read_message(reader *r, bo_span message, bo_error *err)
{
    size_t used = 0;
    if (r->rest.size == 0) {
        bo_status st = read_tuples(r, message, &used, err);
        if (st == BO_OK && used < message.size) {
            bo_buf_add(&r->rest, message.data + used, message.size - used);
            st = bo_buf_check(&r->rest, err);
        }
        return st;
    }
    bo_buf_add(&r->rest, message.data, message.size);
    bo_status st = bo_buf_check(&r->rest, err);
    if (st == BO_OK)
        st = read_tuples(r, (bo_span){r->rest.data, r->rest.size}, &used, err);
    if (st == BO_OK && used > 0) {
        memmove(r->rest.data, r->rest.data + used, r->rest.size - used);
        r->rest.size -= used;
    }
    return st;
}

/* Stops a COPY TO in the middle and reads the link empty. */
static void abandon(pg_conn *conn)
{
    char reason[256];
    (void)PQcancel(conn->cancel, reason, sizeof reason);
    char *data = NULL;
    while (PQgetCopyData(conn->pg, &data, 0) > 0)
        PQfreemem(data);
}

/* The results after the data: the first failure counts, all are read. */
static bo_status finish(pg_conn *conn, uint64_t *rows_out, bo_error *err)
{
    bo_status st = BO_OK;
    PGresult *result;
    while ((result = PQgetResult(conn->pg)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && st == BO_OK)
            st = pg_failure(conn, result, err);
        else if (st == BO_OK && rows_out)
            *rows_out = strtoull(PQcmdTuples(result), NULL, 10);
        PQclear(result);
        if (PQstatus(conn->pg) != CONNECTION_OK)
            break;
    }
    if (st == BO_OK && PQstatus(conn->pg) != CONNECTION_OK)
        st = pg_failure(conn, NULL, err);
    return st;
}

static bo_status start(pg_conn *conn, const char *sql, ExecStatusType wanted, bo_error *err)
{
    BO_OWN(PGresult) *result = PQexec(conn->pg, sql);
    if (PQresultStatus(result) != wanted)
        return pg_failure(conn, result, err);
    return BO_OK;
}

bo_status pg_copy_out(pg_conn *conn, const char *sql, pg_tuple_fn *each, void *ctx, bo_error *err)
{
    bo_status st = start(conn, sql, PGRES_COPY_OUT, err);
    if (st != BO_OK)
        return st;

    reader r = {.each = each, .ctx = ctx};
    char *data = NULL;
    int size;
    while (st == BO_OK && (size = PQgetCopyData(conn->pg, &data, 0)) > 0) {
        st = read_message(&r, (bo_span){(const uint8_t *)data, (size_t)size}, err);
        PQfreemem(data);
    }
    bo_buf_done(&r.rest);
    if (st != BO_OK) {
        abandon(conn);
        (void)finish(conn, NULL, NULL);
        return st;
    }
    st = finish(conn, NULL, err);
    if (st == BO_OK && !r.ended)
        st = bo_fail(err, BO_DATABASE, "the rows of a COPY ended too early");
    return st;
}

/* ---- arrays: one form for one value ---- */

static const bo_column *image_column(const bo_table *shape, size_t i)
{
    return &shape->columns[shape->image_columns[i]];
}

typedef struct arrays {
    const bo_table *shape;
    uint16_t lead;
    pg_tuple_fn *each;
    void *ctx;
} arrays;

/*
 * An array that had a NULL once says that it may have some (flags 1), until it is written anew:
 * both are the same value, and no bytes of it are compared.  In front are dimensions, flags, the
 * type of the elements, and two numbers for each dimension.
 */
static void say_no_nulls(uint8_t *array, size_t size)
{
    enum { FLAGS = 4, HEAD = 12 };
    if (size < HEAD || bo_get_u32(array + FLAGS) != 1)
        return;
    size_t at = HEAD + 8 * (size_t)bo_get_u32(array);
    while (at + 4 <= size) {
        uint32_t element = bo_get_u32(array + at);
        if (element == UINT32_MAX)
            return;
        at += 4 + (size_t)element;
    }
    if (at == size)
        array[FLAGS + 3] = 0;
}

/* The bytes are libpq's message or our copy of it, which nobody else reads.  Domains over arrays
 * are not met here: their tables use text (sql/relation.sql). */
static bo_status make_alike(void *ctx, bo_image tuple, bo_error *err)
{
    const arrays *a = ctx;
    uint8_t *bytes = (uint8_t *)(uintptr_t)tuple.data;
    size_t at = 2;
    for (unsigned i = 0; i < bo_image_count(tuple); i++) {
        uint32_t size = bo_get_u32(bytes + at);
        at += 4;
        if (size == UINT32_MAX)
            continue;
        if (i >= a->lead &&
            bo_column_is_array(image_column(a->shape, (i - a->lead) % a->shape->image_count)))
            say_no_nulls(bytes + at, size);
        at += size;
    }
    return a->each(a->ctx, tuple, err);
}

bo_status pg_copy_images(pg_conn *conn, const char *sql, const bo_table *shape, uint16_t lead,
    pg_tuple_fn *each, void *ctx, bo_error *err)
{
    bool any = false;
    for (uint16_t i = 0; shape->encoding == BO_ENCODING_PG_BINARY && i < shape->image_count; i++)
        any = any || bo_column_is_array(image_column(shape, i));
    arrays a = {shape, lead, each, ctx};
    return any ? pg_copy_out(conn, sql, make_alike, &a, err)
               : pg_copy_out(conn, sql, each, ctx, err);
}

/* ---- in ---- */

static void add_escaped(bo_buf *out, bo_value value)
{
    static const char letters[256] = {
        ['\b'] = 'b',
        ['\t'] = 't',
        ['\n'] = 'n',
        ['\v'] = 'v',
        ['\f'] = 'f',
        ['\r'] = 'r',
        ['\\'] = '\\',
    };
    int32_t from = 0;
    for (int32_t i = 0; i < value.size; i++) {
        char letter = letters[value.data[i]];
        if (letter == 0)
            continue;
        bo_buf_add(out, value.data + from, (size_t)(i - from));
        bo_buf_add_byte(out, '\\');
        bo_buf_add_byte(out, (uint8_t)letter);
        from = i + 1;
    }
    if (from < value.size)
        bo_buf_add(out, value.data + from, (size_t)(value.size - from));
}

static bo_status add_text_row(bo_buf *out, bo_image row, bo_error *err)
{
    uint16_t count = bo_image_count(row);
    if (count > BO_COLUMNS_MAX)
        return bo_fail(err, BO_CORRUPT, "a row has more than %u values", BO_COLUMNS_MAX);
    bo_value values[BO_COLUMNS_MAX];
    bo_image_values(row, values);
    for (uint16_t i = 0; i < count; i++) {
        if (i > 0)
            bo_buf_add_byte(out, '\t');
        if (values[i].size < 0)
            bo_buf_add(out, "\\N", 2);
        else
            add_escaped(out, values[i]);
    }
    bo_buf_add_byte(out, '\n');
    return BO_OK;
}

static bo_status send_piece(pg_conn *conn, bo_buf *piece, bo_error *err)
{
    bo_status st = bo_buf_check(piece, err);
    if (st != BO_OK)
        return st;
    const char *data = (const char *)piece->data;
    for (size_t at = 0; at < piece->size;) { /* one row may be larger than an int counts */
        size_t size = piece->size - at < INT32_MAX / 2 ? piece->size - at : INT32_MAX / 2;
        if (PQputCopyData(conn->pg, data + at, (int)size) != 1)
            return pg_failure(conn, NULL, err);
        at += size;
    }
    bo_buf_clear(piece);
    return BO_OK;
}

static bo_status send_rows(
    pg_conn *conn, bo_encoding encoding, bo_next_fn *next, void *ctx, bo_error *err)
{
    bool binary = encoding == BO_ENCODING_PG_BINARY;
    BO_OWN_VALUE(bo_buf) piece = {0};
    if (binary) {
        bo_buf_add(&piece, signature, sizeof signature);
        bo_buf_add_u64(&piece, 0); /* no flags, no extension */
    }
    for (;;) {
        bo_image row = {0};
        bool end = false;
        bo_status st = next(ctx, &row, &end, err);
        if (st != BO_OK)
            return st;
        if (end)
            break;
        if (binary)
            bo_buf_add(&piece, row.data, row.size);
        else
            st = add_text_row(&piece, row, err);
        if (st == BO_OK && (piece.size >= PIECE_SIZE || piece.failed))
            st = send_piece(conn, &piece, err);
        if (st != BO_OK)
            return st;
    }
    if (binary)
        bo_buf_add_u16(&piece, UINT16_MAX);
    return send_piece(conn, &piece, err);
}

typedef struct incoming {
    pg_conn *conn;
    const char *sql;
    bo_encoding encoding;
    bo_next_fn *next;
    void *ctx;
    uint64_t rows;
} incoming;

static bo_status copy_in(void *ctx, bo_error *err)
{
    incoming *self = ctx;
    pg_conn *conn = self->conn;
    bo_status st = start(conn, self->sql, PGRES_COPY_IN, err);
    if (st != BO_OK)
        return st;
    st = send_rows(conn, self->encoding, self->next, self->ctx, err);
    int ended = PQputCopyEnd(conn->pg, st == BO_OK ? NULL : "the rows could not be made");
    if (st != BO_OK) {
        (void)finish(conn, NULL, NULL);
        return st;
    }
    if (ended != 1) {
        st = pg_failure(conn, NULL, err);
        (void)finish(conn, NULL, NULL);
        return st;
    }
    return finish(conn, &self->rows, err);
}

bo_status pg_copy_in(pg_conn *conn, const char *sql, bo_encoding encoding, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err)
{
    incoming rows = {conn, sql, encoding, next, ctx, 0};
    bo_status st = pg_write_as_users(conn, copy_in, &rows, err);
    if (st == BO_OK && rows_out)
        *rows_out = rows.rows;
    return st;
}

/* ---- select lists ---- */

static void add_column(bo_buf *out, const char *alias, const char *name)
{
    if (alias) {
        bo_buf_add_str(out, alias);
        bo_buf_add_str(out, ".");
    }
    pg_quote(out, name);
}

void pg_column_list(bo_buf *out, const bo_table *shape, const char *alias)
{
    for (uint16_t i = 0; i < shape->image_count; i++) {
        if (i > 0)
            bo_buf_add_str(out, ", ");
        add_column(out, alias, shape->columns[shape->image_columns[i]].name);
    }
}

void pg_image_list(bo_buf *out, const bo_table *shape, const char *alias)
{
    if (shape->encoding != BO_ENCODING_PG_TEXT) {
        pg_column_list(out, shape, alias);
        return;
    }
    for (uint16_t i = 0; i < shape->image_count; i++) {
        const bo_column *column = &shape->columns[shape->image_columns[i]];
        if (i > 0)
            bo_buf_add_str(out, ", ");
        if (strcmp(column->type, "xml") == 0) {
            add_column(out, alias, column->name);
            bo_buf_add_str(out, "::pg_catalog.text");
            continue;
        }
        bo_buf_add_str(out, "CASE WHEN (");
        add_column(out, alias, column->name);
        bo_buf_add_str(out, ") IS NOT DISTINCT FROM NULL THEN NULL ELSE pg_catalog.format('%s', ");
        add_column(out, alias, column->name);
        bo_buf_add_str(out, ") END");
    }
}
