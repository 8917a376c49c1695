/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/render.c - images as people read them, and as exact literals of SQL.
 *
 * Nothing is written, so a read-only transaction will do: most values are text already, labels are
 * in the column's type, and only text in another character set than UTF-8 and shapes are asked of
 * the server, all those of a row at once.
 */
#include <string.h>

#include "base/text.h"
#include "driver/mariadb/my.h"

typedef struct renderer {
    my_conn *conn;
    const bo_table *shape;
    bo_render_form form;
    bo_buf line;     /* the texts of a row, each with a NUL after it */
    bo_buf question; /* what the server is asked of a row */
    size_t *offsets; /* into `line`; SIZE_MAX: NULL */
    bo_value *values;
    bo_text_value *texts;
} renderer;

static void renderer_done(renderer *r)
{
    bo_buf_done(&r->line);
    bo_buf_done(&r->question);
    free(r->offsets);
    free(r->values);
    free(r->texts);
}

static const bo_column *column_of(const renderer *r, uint16_t i)
{
    return &r->shape->columns[r->shape->image_columns[i]];
}

/* The character set of a collation: what stands before its first "_". */
static size_t charset_size(const char *collation)
{
    return strcspn(collation, "_");
}

static bool is_utf8(const bo_column *column)
{
    return column->collation && (strncmp(column->collation, "utf8", 4) == 0 ||
                                    strncmp(column->collation, "ascii", 5) == 0);
}

static bool is_shape(const bo_column *column)
{
    return my_kind_of(column->type) == MY_BYTES && !column->collation &&
           strstr(column->type, "binary") == NULL && strstr(column->type, "blob") == NULL &&
           strncmp(column->type, "bit", 3) != 0;
}

/* ---- literals ---- */

static void add_quoted(bo_buf *out, const bo_value value)
{
    bo_buf_add_byte(out, '\'');
    for (int32_t i = 0; i < value.size; i++) {
        if (value.data[i] == '\'')
            bo_buf_add_byte(out, '\'');
        bo_buf_add_byte(out, value.data[i]);
    }
    bo_buf_add_byte(out, '\'');
}

/* Text that is the same to every sql_mode and terminal. */
static bool is_plain_text(const bo_value value)
{
    for (int32_t i = 0; i < value.size; i++) {
        if (value.data[i] < 0x20 || value.data[i] == 0x7f || value.data[i] == '\\')
            return false;
    }
    return bo_text_is_utf8(value.data, (size_t)value.size);
}

static void add_bytes(bo_buf *out, const bo_column *column, const bo_value value)
{
    if (is_utf8(column) && is_plain_text(value)) {
        add_quoted(out, value);
        return;
    }
    if (column->collation)
        bo_buf_printf(out, "_%.*s ", (int)charset_size(column->collation), column->collation);
    bo_buf_add_str(out, "x'");
    bo_text_hex(out, value.data, (size_t)value.size);
    bo_buf_add_str(out, "'");
}

static bool is_number(const char *type)
{
    static const char *const numbers[] = {
        "tinyint", "smallint", "mediumint", "int", "bigint", "decimal"};
    const size_t size = strcspn(type, "( ");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strlen(numbers[i]) == size && strncmp(numbers[i], type, size) == 0)
            return true;
    }
    return false;
}

/* "-12.50": what the server writes for a number; of a label the digits. */
static bool is_digits(const bo_value value, bool label)
{
    const int32_t sign = !label && value.size > 0 && value.data[0] == '-';
    int32_t digits = 0, points = 0;
    for (int32_t i = sign; i < value.size; i++) {
        digits += value.data[i] >= '0' && value.data[i] <= '9';
        points += !label && value.data[i] == '.';
    }
    return digits > 0 && points <= 1 && sign + digits + points == value.size;
}

/* Whether the server writes values of the column like this one: a forged one might be other SQL. */
static bool is_written(const bo_column *column, const bo_value value)
{
    const my_kind kind = my_kind_of(column->type);
    if (value.size < 0 || kind == MY_BYTES)
        return true;
    if (kind == MY_LABEL || (kind == MY_PLAIN && is_number(column->type)))
        return is_digits(value, kind == MY_LABEL);
    return is_plain_text(value) && !memchr(value.data, '\'', (size_t)value.size);
}

static bo_status check_written(const renderer *r, bo_error *err)
{
    for (uint16_t i = 0; i < r->shape->image_count; i++) {
        const bo_column *column = column_of(r, i);
        if (!is_written(column, r->values[i]))
            return bo_fail(err, BO_CORRUPT, "a value of column '%s' of %s is not one of its type",
                column->name, r->shape->name);
    }
    return BO_OK;
}

/* A quoted double is read digit by digit; a bare one might be taken for a DECIMAL, and -0 for 0. */
static void add_literal(bo_buf *out, const bo_column *column, const bo_value value)
{
    const my_kind kind = my_kind_of(column->type);
    if (kind == MY_BYTES)
        add_bytes(out, column, value);
    else if (kind == MY_LABEL || (kind == MY_PLAIN && is_number(column->type)))
        bo_buf_add(out, value.data, (size_t)value.size);
    else
        add_quoted(out, value);
}

/* ---- text ---- */

/* Adds label `number`, from 1, of "enum('a','it''s')". */
static void add_label(bo_buf *out, const char *type, uint64_t number)
{
    const char *at = strchr(type, '\'');
    for (uint64_t i = 1; at && *at; i++) {
        for (at++; *at && (*at != '\'' || at[1] == '\''); at++) {
            at += *at == '\'';
            if (i == number)
                bo_buf_add_byte(out, (uint8_t)*at);
        }
        at = *at ? strchr(at + 1, '\'') : NULL;
    }
}

static void add_labels(bo_buf *out, const char *type, const bo_value value)
{
    char digits[24] = "";
    if ((size_t)value.size < sizeof digits)
        memcpy(digits, value.data, (size_t)value.size);
    const uint64_t number = strtoull(digits, NULL, 10);
    if (strncmp(type, "set", 3) != 0) {
        add_label(out, type, number);
        return;
    }
    const size_t start = out->size;
    for (unsigned bit = 0; bit < 64; bit++) {
        if (!(number >> bit & 1))
            continue;
        bo_buf_add_str(out, out->size > start ? "," : "");
        add_label(out, type, bit + 1u);
    }
}

/* The digits of a BIT(n). */
static void add_bits(bo_buf *out, const char *type, const bo_value value)
{
    const char *size = strchr(type, '(');
    const uint64_t wanted = size ? strtoull(size + 1, NULL, 10) : 1;
    const uint64_t given = (uint64_t)value.size * 8;
    for (uint64_t i = given > wanted ? given - wanted : 0; i < given; i++)
        bo_buf_add_byte(out, value.data[i / 8] >> (7 - i % 8) & 1 ? '1' : '0');
}

static void add_text(bo_buf *out, const bo_column *column, const bo_value value)
{
    const my_kind kind = my_kind_of(column->type);
    if (kind == MY_LABEL)
        add_labels(out, column->type, value);
    else if (kind == MY_BYTES && strncmp(column->type, "bit", 3) == 0)
        add_bits(out, column->type, value);
    else if (kind == MY_BYTES && !column->collation)
        bo_text_hex(out, value.data, (size_t)value.size);
    else
        bo_buf_add(out, value.data, (size_t)value.size);
}

/* ---- what only the server can say ---- */

static bool is_asked(const renderer *r, uint16_t i)
{
    const bo_column *column = column_of(r, i);
    if (r->form != BO_RENDER_TEXT || r->values[i].size < 0 || my_kind_of(column->type) != MY_BYTES)
        return false;
    return is_shape(column) || (column->collation && !is_utf8(column));
}

static void add_question(bo_buf *sql, const bo_column *column, const bo_value value)
{
    BO_OWN_VALUE(bo_buf) hex = {0};
    bo_text_hex(&hex, value.data, (size_t)value.size);
    bo_buf_add_str(sql, sql->size > 0 ? ", " : "SELECT ");
    if (is_shape(column))
        bo_buf_printf(sql, "CONCAT('SRID=', ST_SRID(x'%s'), ';', ST_AsText(x'%s'))",
            bo_buf_str(&hex), bo_buf_str(&hex));
    else
        bo_buf_printf(sql, "CONVERT(CONVERT(x'%s' USING %.*s) USING utf8mb4)", bo_buf_str(&hex),
            (int)charset_size(column->collation), column->collation);
    sql->failed |= hex.failed;
}

static bo_status ask_server(renderer *r, MYSQL_RES **out, bo_error *err)
{
    bo_buf_clear(&r->question);
    for (uint16_t i = 0; i < r->shape->image_count; i++) {
        if (is_asked(r, i))
            add_question(&r->question, column_of(r, i), r->values[i]);
    }
    bo_status st = bo_buf_check(&r->question, err);
    return st == BO_OK && r->question.size > 0 ? my_ask_buf(r->conn, &r->question, out, err) : st;
}

/* ---- rows ---- */

static void add_value(renderer *r, uint16_t i, char **answer, const unsigned long *sizes)
{
    const bo_value value = r->values[i];
    r->offsets[i] = r->line.size;
    if (value.size < 0 && r->form == BO_RENDER_TEXT)
        r->offsets[i] = SIZE_MAX;
    else if (value.size < 0)
        bo_buf_add_str(&r->line, "NULL");
    else if (r->form == BO_RENDER_LITERAL)
        add_literal(&r->line, column_of(r, i), value);
    else if (answer && *answer)
        bo_buf_add(&r->line, *answer, *sizes);
    else
        add_text(&r->line, column_of(r, i), value);
    r->texts[i].size = r->offsets[i] == SIZE_MAX ? 0 : r->line.size - r->offsets[i];
    bo_buf_add_byte(&r->line, '\0');
}

static bo_status render_row(renderer *r, bo_image row, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    const uint16_t count = r->shape->image_count;
    if (bo_image_count(row) != count)
        return bo_fail(err, BO_CORRUPT, "a row of %s has another number of values than columns",
            r->shape->name);
    bo_image_values(row, r->values);
    bo_status st = check_written(r, err);
    if (st == BO_OK)
        st = ask_server(r, &result, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot write rows of %s as text", r->shape->name);
    MYSQL_ROW answers = result ? mysql_fetch_row(result) : NULL;
    const unsigned long *sizes = answers ? mysql_fetch_lengths(result) : NULL;
    bo_buf_clear(&r->line);
    for (uint16_t i = 0, asked = 0; i < count; i++) {
        const bool mine = answers && is_asked(r, i);
        add_value(r, i, mine ? &answers[asked] : NULL, mine ? &sizes[asked] : NULL);
        asked = (uint16_t)(asked + mine);
    }
    st = bo_buf_check(&r->line, err);
    for (uint16_t i = 0; st == BO_OK && i < count; i++)
        r->texts[i].data =
            r->offsets[i] == SIZE_MAX ? NULL : (const char *)r->line.data + r->offsets[i];
    return st;
}

bo_status my_render(bo_conn *base, const bo_table *shape, bo_render_form form, bo_next_fn *next,
    void *next_ctx, bo_text_row_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(renderer) r = {.conn = my_of(base), .shape = shape, .form = form};
    const size_t room = (size_t)shape->image_count + 1;
    r.offsets = calloc(room, sizeof *r.offsets);
    r.values = calloc(room, sizeof *r.values);
    r.texts = calloc(room, sizeof *r.texts);
    if (!r.offsets || !r.values || !r.texts)
        return bo_nomem(err);
    for (;;) {
        bo_image row = {0};
        bool end = false;
        bo_status st = next(next_ctx, &row, &end, err);
        if (st == BO_OK && !end)
            st = render_row(&r, row, err);
        if (st == BO_OK && !end)
            st = each(ctx, shape->image_count, r.texts, err);
        if (st != BO_OK || end)
            return st;
    }
}
