/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/render.c - values as people read them, and as exact literals of SQL. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "driver/sqlite/sqlite.h"

typedef struct renderer {
    sq_conn *conn;
    sqlite3_stmt *parse; /* reads a number as SQLite reads it in SQL */
    bo_render_form form;
} renderer;

static bo_status reads_back(
    renderer *self, const char *text, double number, bool *out, bo_error *err)
{
    bool row = false;
    bo_status st = sq_bind_text(self->conn, self->parse, 1, text, err);
    if (st == BO_OK)
        st = sq_step(self->conn, self->parse, &row, err);
    if (st != BO_OK)
        return st;
    double read = row ? sqlite3_column_double(self->parse, 0) : 0;
    sqlite3_reset(self->parse);
    *out = memcmp(&read, &number, sizeof read) == 0;
    return BO_OK;
}

/* A product of exact factors, for numbers that no digits of SQLite's own come back from: an
 * integer below 2^53 and powers of two.  Every step of it is exact. */
static void add_product(bo_buf *out, double number)
{
    int exponent = 0;
    int64_t digits = (int64_t)ldexp(frexp(number, &exponent), 53);
    bo_buf_printf(out, "(CAST(%" PRId64 " AS REAL)", digits);
    for (exponent -= 53; exponent != 0;) {
        int step = exponent > 62 ? 62 : exponent < -62 ? -62 : exponent;
        bo_buf_printf(out, " %c CAST(%" PRId64 " AS REAL)", step > 0 ? '*' : '/',
            (int64_t)1 << (step > 0 ? step : -step));
        exponent -= step;
    }
    bo_buf_add_str(out, ")");
}

static bo_status add_real(renderer *self, bo_buf *out, double number, bo_error *err)
{
    static const int digits[] = {15, 16, 17, 18, 20, 24};
    bool literal = self->form == BO_RENDER_LITERAL;
    if (isinf(number)) {
        bo_buf_printf(out, "%s%s", number < 0 ? "-" : "", literal ? "9e999" : "Inf");
        return BO_OK;
    }
    if (number == 0) { /* SQLite's printf drops the sign */
        bo_buf_add_str(out, signbit(number) ? "-0.0" : "0.0");
        return BO_OK;
    }
    /* SQLite's printf knows no locale; a "." or "e" keeps the number a REAL */
    char text[64];
    for (size_t i = 0; i < sizeof digits / sizeof *digits; i++) {
        bool exact = false;
        sqlite3_snprintf(sizeof text, text, "%!.*g", digits[i], number);
        bo_status st = reads_back(self, text, number, &exact, err);
        if (st != BO_OK)
            return st;
        if (exact) {
            bo_buf_add_str(out, text);
            return BO_OK;
        }
    }
    if (literal)
        add_product(out, number);
    else
        bo_buf_add_str(out, text);
    return BO_OK;
}

/* What stands for a byte that cannot be written: nothing in `text` is it, and neither a beginning
 * of it before it nor what follows can be taken for it, because its first character comes once. */
static void choose_mark(char *mark, size_t room, char letter, const char *text, size_t size)
{
    snprintf(mark, room, "\\%c", letter);
    for (unsigned n = 0; memmem(text, size, mark, strlen(mark)); n++)
        snprintf(mark, room, "\\%c%u;", letter, n);
}

/* A zero byte ends SQL; the shell of SQLite drops a carriage return before a line end, inside of
 * texts too.  Not as bytes: what these are as text depends on the encoding of the database. */
static void add_quoted(bo_buf *out, const char *text, size_t size)
{
    char zero[16], cr[16];
    const bool zeros = memchr(text, '\0', size), crs = memchr(text, '\r', size);
    choose_mark(zero, sizeof zero, '0', text, size);
    choose_mark(cr, sizeof cr, 'r', text, size);
    bo_buf_printf(out, "%s%s'", crs ? "replace(" : "", zeros ? "replace(" : "");
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\'')
            bo_buf_add_byte(out, '\'');
        if (text[i] == '\0' || text[i] == '\r')
            bo_buf_add_str(out, text[i] ? cr : zero);
        else
            bo_buf_add_byte(out, (uint8_t)text[i]);
    }
    bo_buf_add_byte(out, '\'');
    if (zeros)
        bo_buf_printf(out, ", '%s', char(0))", zero);
    if (crs)
        bo_buf_printf(out, ", '%s', char(13))", cr);
}

static void add_text(renderer *self, bo_buf *out, const char *text, size_t size)
{
    if (self->form == BO_RENDER_TEXT) {
        bo_buf_add(out, text, size);
    } else if (bo_text_is_utf8(text, size)) {
        add_quoted(out, text, size);
    } else {
        bo_buf_add_str(out, "CAST(X'");
        bo_text_hex(out, text, size);
        bo_buf_add_str(out, "' AS TEXT)");
    }
}

static bo_status add_value(renderer *self, bo_buf *out, bo_value value, bo_error *err)
{
    uint8_t kind = value.size > 0 ? value.data[0] : 0;
    const uint8_t *data = value.data + 1;
    size_t size = (size_t)value.size - 1;
    bool literal = self->form == BO_RENDER_LITERAL;
    if (kind == BO_SQLITE_INTEGER && size == 8) {
        bo_buf_printf(out, "%" PRId64, (int64_t)bo_get_u64(data));
    } else if (kind == BO_SQLITE_REAL && size == 8) {
        uint64_t bits = bo_get_u64(data);
        double number = 0;
        memcpy(&number, &bits, sizeof number);
        if (!isnan(number)) /* that is NULL to SQLite */
            return add_real(self, out, number, err);
        return bo_fail(err, BO_CORRUPT, "an image has a value that is not SQLite's");
    } else if (kind == BO_SQLITE_TEXT) {
        add_text(self, out, (const char *)data, size);
    } else if (kind == BO_SQLITE_BLOB) {
        bo_buf_add_str(out, literal ? "X'" : "");
        bo_text_hex(out, data, size);
        bo_buf_add_str(out, literal ? "'" : "");
    } else {
        return bo_fail(err, BO_CORRUPT, "an image has a value that is not SQLite's");
    }
    return BO_OK;
}

/* All values of a row go into one buffer; where each ends is kept until the buffer stands still. */
static bo_status render_row(renderer *self, const bo_value *values, uint16_t count, bo_buf *out,
    bo_text_value *texts, bo_error *err)
{
    bo_buf_clear(out);
    for (uint16_t i = 0; i < count; i++) {
        size_t before = out->size;
        bo_status st = BO_OK;
        if (values[i].size >= 0)
            st = add_value(self, out, values[i], err);
        else if (self->form == BO_RENDER_LITERAL)
            bo_buf_add_str(out, "NULL");
        if (st != BO_OK)
            return st;
        texts[i].size = out->size - before;
    }
    bo_buf_add_str(out, "");
    bo_status st = bo_buf_check(out, err);
    const char *at = bo_buf_str(out);
    for (uint16_t i = 0; st == BO_OK && i < count; i++) {
        bool none = values[i].size < 0 && self->form == BO_RENDER_TEXT;
        texts[i].data = none ? NULL : at;
        at += texts[i].size;
    }
    return st;
}

bo_status sq_render(bo_conn *conn, const bo_table *shape, bo_render_form form, bo_next_fn *next,
    void *next_ctx, bo_text_row_fn *each, void *ctx, bo_error *err)
{
    uint16_t count = shape->image_count;
    BO_OWN(sqlite3_stmt) *parse = NULL;
    BO_OWN_VALUE(bo_buf) out = {0};
    BO_OWN_MEM bo_value *values = calloc(count + 2u, sizeof *values);
    BO_OWN_MEM bo_text_value *texts = calloc(count + 1u, sizeof *texts);
    if (!values || !texts)
        return bo_nomem(err);
    bo_status st = sq_prepare(sq_of(conn), "SELECT CAST($1 AS REAL)", &parse, err);
    renderer self = {sq_of(conn), parse, form};
    while (st == BO_OK) {
        bo_image row = {0};
        bool end = false;
        st = next(next_ctx, &row, &end, err);
        if (st != BO_OK || end)
            break;
        st = sq_image_values(row, sq_value_count(shape), values, err);
        if (st == BO_OK)
            st = render_row(&self, values, count, &out, texts, err);
        if (st == BO_OK)
            st = each(ctx, count, texts, err);
    }
    return st;
}
