/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/rows.c - all rows of all tables as canonical text, read with plain SQL. */
#include "property/rows.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool row_same(const row *a, const row *b)
{
    return a && b ? strcmp(a->image, b->image) == 0 : a == b;
}

static int compare_rows(const row *a, const row *b)
{
    int order = strcmp(a->key, b->key);
    return order ? order : strcmp(a->image, b->image);
}

static int by_key(const void *a, const void *b)
{
    return compare_rows(*(const row *const *)a, *(const row *const *)b);
}

const row *row_find(const row_set *set, const char *key)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i]->key, key) == 0)
            return set->items[i];
    return NULL;
}

size_t row_count(const row_set *set, const char *image)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += strcmp(set->items[i]->image, image) == 0;
    return count;
}

static const char *image_of(const table_def *t, const char *const *values, bo_arena *arena)
{
    BO_OWN_VALUE(bo_buf) image = {0};
    for (unsigned i = 0; i < t->column_count; i++)
        bo_buf_printf(&image, "%s%s", i ? "|" : "", values[i] ? values[i] : "~");
    return bo_arena_str(arena, bo_buf_str(&image));
}

const row *row_make(const table_def *t, const char *key, const char *const *values, bo_arena *arena)
{
    row *made = bo_arena_alloc(arena, sizeof *made);
    const char **copy = bo_arena_array(arena, t->column_count, sizeof *copy);
    for (unsigned i = 0; i < t->column_count; i++)
        copy[i] = bo_arena_str(arena, values[i]);
    *made = (row){.image = image_of(t, copy, arena), .values = copy};
    made->key = key ? bo_arena_str(arena, key) : made->image;
    return made;
}

void row_put(row_set *set, const row *was, const row *now, bo_arena *arena)
{
    size_t at = 0;
    while (at < set->count && (!was || !row_same(set->items[at], was)))
        at++;
    if (at < set->count)
        set->items[at] = set->items[--set->count];
    if (now) {
        const row **items = bo_arena_array(arena, set->count + 1, sizeof *items);
        for (size_t i = 0; i < set->count; i++)
            items[i] = set->items[i];
        items[set->count++] = now;
        set->items = items;
    }
    if (set->count)
        qsort(set->items, set->count, sizeof *set->items, by_key);
}

moment moment_copy(const schema *s, const moment *from, bo_arena *arena)
{
    moment copy = *from;
    for (unsigned t = 0; t < s->count; t++) {
        row_set *set = &copy.tables[t];
        const row **items = bo_arena_array(arena, set->count + 1, sizeof *items);
        for (size_t i = 0; i < set->count; i++)
            items[i] = set->items[i];
        set->items = items;
    }
    return copy;
}

/* ---- reading ---- */

struct reading {
    const table_def *table;
    bo_arena *arena;
    row_set *out;
};

static const char *text_of(bo_arena *arena, const bo_text_value *value)
{
    return value->data ? bo_arena_strn(arena, value->data, value->size) : NULL;
}

static const char *key_of(const table_def *t, const bo_text_value *values, bo_arena *arena)
{
    const char *first = text_of(arena, &values[0]);
    if (t->key_count != PAIR)
        return first;
    return bo_arena_printf(arena, "(%s, %s)", first, text_of(arena, &values[1]));
}

/* The parts of the key as people read them come first, then every column. */
static bo_status add_row(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    struct reading *reading = ctx;
    const table_def *t = reading->table;
    if (count != t->key_count + t->column_count)
        return bo_fail(err, BO_FAILED, "%u columns were read", count);
    const char *texts[COLUMNS_MAX];
    for (unsigned i = 0; i < t->column_count; i++)
        texts[i] = text_of(reading->arena, &values[t->key_count + i]);
    const char *key = t->key_count ? key_of(t, values, reading->arena) : NULL;
    const row **items =
        bo_arena_grow(reading->arena, reading->out->items, reading->out->count, sizeof *items);
    if (!items)
        return bo_nomem(err);
    items[reading->out->count++] = row_make(t, key, texts, reading->arena);
    reading->out->items = items;
    return BO_OK;
}

static void add_expression(const schema *s, const column_def *c, const char *text, bo_buf *out)
{
    for (const char *at = text; *at; at++) {
        if (*at == '@')
            schema_quote(s, out, c->name);
        else
            bo_buf_add_byte(out, (uint8_t)*at);
    }
}

static void write_question(const schema *s, const table_def *t, bo_buf *out)
{
    static const char *const as_text[] = {"CAST(@ AS TEXT)", "CAST(@ AS text)", "CAST(@ AS CHAR)"};
    bo_buf_add_str(out, "SELECT ");
    for (unsigned i = 0; i < t->key_count; i++) {
        add_expression(s, &t->columns[t->key[i]], as_text[s->engine], out);
        bo_buf_add_str(out, ", ");
    }
    for (unsigned i = 0; i < t->column_count; i++) {
        bo_buf_add_str(out, i ? ", " : "");
        add_expression(s, &t->columns[i], t->columns[i].kind->text, out);
    }
    bo_buf_printf(out, " FROM %s", t->name);
}

bo_status moment_read(const schema *s, bo_conn *conn, bo_arena *arena, moment *out, bo_error *err)
{
    *out = (moment){0};
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && i < s->count; i++) {
        struct reading reading = {&s->tables[i], arena, &out->tables[i]};
        BO_OWN_VALUE(bo_buf) sql = {0};
        write_question(s, &s->tables[i], &sql);
        st = conn->driver->query(conn, bo_buf_str(&sql), NULL, 0, add_row, &reading, NULL, err);
        if (out->tables[i].count)
            qsort(out->tables[i].items, out->tables[i].count, sizeof *out->tables[i].items, by_key);
    }
    return st;
}

/* ---- comparing ---- */

const char *moment_difference(
    const schema *s, const moment *expected, const moment *found, bo_arena *arena)
{
    BO_OWN_VALUE(bo_buf) out = {0};
    for (unsigned t = 0; t < s->count; t++) {
        const row_set *a = &expected->tables[t], *b = &found->tables[t];
        for (size_t i = 0, k = 0; i < a->count || k < b->count;) {
            int order = i == a->count   ? 1
                        : k == b->count ? -1
                                        : compare_rows(a->items[i], b->items[k]);
            if (order < 0)
                bo_buf_printf(&out, "%s expected %.300s\n", s->tables[t].name, a->items[i]->image);
            if (order > 0)
                bo_buf_printf(&out, "%s found    %.300s\n", s->tables[t].name, b->items[k]->image);
            i += order <= 0;
            k += order >= 0;
        }
    }
    return bo_arena_str(arena, bo_buf_str(&out));
}

/* ---- constraints ---- */

static bool text_same(bool folds, const char *a, const char *b)
{
    return (folds ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

/* False: a value is NULL, and the row has none.  `of`: the table of b. */
static bool values_equal(const table_def *of, const row *a, const unsigned *in_a, const row *b,
    const unsigned *in_b, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const char *x = a->values[in_a[i]], *y = b->values[in_b[i]];
        if (!x || !y || !text_same(of->columns[in_b[i]].kind->folds, x, y))
            return false;
    }
    return true;
}

bool row_equal_in(
    const table_def *t, const row *a, const row *b, const unsigned *columns, unsigned count)
{
    return values_equal(t, a, columns, b, columns, count);
}

static bool twice(const table_def *t, const row_set *set, const unsigned *columns, unsigned count)
{
    for (size_t i = 0; count && i < set->count; i++)
        for (size_t k = i + 1; k < set->count; k++)
            if (row_equal_in(t, set->items[i], set->items[k], columns, count))
                return true;
    return false;
}

static bool refers_to_nothing(
    const schema *s, const moment *rows, const link_def *l, const row *child)
{
    const row_set *parents = &rows->tables[l->parent];
    for (unsigned i = 0; i < l->count; i++)
        if (!child->values[l->columns[i]])
            return false;
    for (size_t i = 0; i < parents->count; i++)
        if (values_equal(&s->tables[l->parent], child, l->columns, parents->items[i],
                l->parent_columns, l->count))
            return false;
    return true;
}

const char *moment_violation(const schema *s, const moment *rows, bo_arena *arena)
{
    for (unsigned i = 0; i < s->count; i++) {
        const table_def *t = &s->tables[i];
        const row_set *set = &rows->tables[i];
        bool doubled = twice(t, set, t->key, t->key_count);
        for (unsigned u = 0; u < t->unique_count; u++)
            doubled = doubled || twice(t, set, t->uniques[u].columns, t->uniques[u].count);
        if (doubled)
            return bo_arena_printf(arena, "two rows of %s have one unique value", t->name);
        for (unsigned l = 0; l < t->link_count; l++)
            for (size_t r = 0; r < set->count; r++)
                if (refers_to_nothing(s, rows, &t->links[l], set->items[r]))
                    return bo_arena_printf(arena, "%s %s refers to a row of %s that is not there",
                        t->name, set->items[r]->key, s->tables[t->links[l].parent].name);
    }
    return "";
}
