/* SPDX-License-Identifier: Apache-2.0 */
/* src/data/table_read.c - a table's definition from JSON that may be hostile. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "data/image.h"
#include "data/table_shape.h"

typedef struct reading {
    bo_arena *arena;
    bo_error *err;
} reading;

static bo_status read_object(reading *r, const shape *of, const json_t *json, void *object);

static bo_status wrong(reading *r, const char *name)
{
    return bo_fail(r->err, BO_CORRUPT, "member '%s' is missing or wrong", name);
}

/** Reads what write_text() wrote; a NUL in it would cut a name short and so is refused. */
static bo_status read_text(
    reading *r, const char *name, const json_t *json, bool null_too, const char **out)
{
    if (null_too && json_is_null(json)) {
        *out = NULL;
        return BO_OK;
    }
    const json_t *hex = json_object_get(json, "hex");
    const json_t *string = hex ? hex : json;
    if (!json_is_string(string))
        return wrong(r, name);
    BO_OWN_VALUE(bo_buf) bytes = {0};
    const char *text = json_string_value(string);
    size_t size = json_string_length(string);
    if (hex) {
        if (!bo_text_unhex(&bytes, text, size))
            return wrong(r, name);
        if (bytes.failed)
            return bo_nomem(r->err);
        text = (const char *)bytes.data;
        size = bytes.size;
    }
    if (size > 0 && memchr(text, 0, size))
        return wrong(r, name);
    *out = bo_arena_strn(r->arena, size ? text : "", size);
    return *out ? BO_OK : bo_nomem(r->err);
}

static bo_status read_integer(
    reading *r, const char *name, const json_t *json, int64_t low, int64_t high, int64_t *out)
{
    if (!json_is_integer(json) || json_integer_value(json) < low || json_integer_value(json) > high)
        return wrong(r, name);
    *out = json_integer_value(json);
    return BO_OK;
}

static bo_status read_word(reading *r, const member *m, const json_t *json, char *at)
{
    const char *word = json_string_value(json);
    for (unsigned i = 0; word && m->words[i]; i++) {
        if (m->words[i][0] && strcmp(m->words[i], word) == 0) {
            memcpy(at, &i, sizeof i);
            return BO_OK;
        }
    }
    return wrong(r, m->name);
}

static bo_status read_char(reading *r, const member *m, const json_t *json, char *at)
{
    if (!json_is_string(json) || json_string_length(json) > 1)
        return wrong(r, m->name);
    *at = json_string_value(json)[0];
    return BO_OK;
}

static bo_status read_element(
    reading *r, const member *m, const json_t *json, void *elements, size_t index)
{
    int64_t position = 0;
    bo_status st;
    switch (m->kind) {
    case MEMBER_POSITIONS:
        st = read_integer(r, m->name, json, 0, BO_COLUMNS_MAX - 1, &position);
        ((uint16_t *)elements)[index] = (uint16_t)position;
        return st;
    case MEMBER_TEXTS:
        return read_text(r, m->name, json, false, &((const char **)elements)[index]);
    default:
        return read_object(r, m->objects, json, (char *)elements + m->objects->size * index);
    }
}

static size_t element_size(const member *m)
{
    switch (m->kind) {
    case MEMBER_POSITIONS:
        return sizeof(uint16_t);
    case MEMBER_TEXTS:
        return sizeof(const char *);
    default:
        return m->objects->size;
    }
}

static bo_status read_array(reading *r, const member *m, const json_t *json, char *object)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > UINT16_MAX)
        return wrong(r, m->name);
    uint16_t known;
    memcpy(&known, object + m->count_offset, sizeof known);
    if (m->paired && known != count)
        return wrong(r, m->name);

    void *elements = bo_arena_array(r->arena, count ? count : 1, element_size(m));
    if (!elements)
        return bo_nomem(r->err);
    for (size_t i = 0; i < count; i++) {
        bo_status st = read_element(r, m, json_array_get(json, i), elements, i);
        if (st != BO_OK)
            return bo_wrap(r->err, st, "cannot read '%s'[%zu]", m->name, i);
    }
    known = (uint16_t)count;
    memcpy(object + m->count_offset, &known, sizeof known);
    memcpy(object + m->offset, &elements, sizeof elements);
    return BO_OK;
}

static bo_status read_member(reading *r, const member *m, const json_t *json, char *object)
{
    char *at = object + m->offset;
    int64_t number = 0;
    bo_status st;
    switch (m->kind) {
    case MEMBER_TEXT:
    case MEMBER_TEXT_NULL:
        return read_text(r, m->name, json, m->kind == MEMBER_TEXT_NULL, (const char **)(void *)at);
    case MEMBER_BOOL:
        if (!json_is_boolean(json))
            return wrong(r, m->name);
        *(bool *)at = json_is_true(json);
        return BO_OK;
    case MEMBER_CHAR:
        return read_char(r, m, json, at);
    case MEMBER_U32:
        st = read_integer(r, m->name, json, 0, UINT32_MAX, &number);
        *(uint32_t *)(void *)at = (uint32_t)number;
        return st;
    case MEMBER_I64:
        return read_integer(r, m->name, json, INT64_MIN, INT64_MAX, (int64_t *)(void *)at);
    case MEMBER_ENUM:
        return read_word(r, m, json, at);
    default:
        return read_array(r, m, json, object);
    }
}

static bo_status read_object(reading *r, const shape *of, const json_t *json, void *object)
{
    for (const member *m = of->members; m->name; m++) {
        bo_status st = read_member(r, m, json_object_get(json, m->name), object);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

/** Every position leads to a column, and an image has exactly the columns marked so, once. */
static bo_status check_positions(reading *r, const bo_table *table)
{
    if (table->column_count > BO_COLUMNS_MAX)
        return wrong(r, "columns");
    uint16_t marked = 0;
    for (uint16_t i = 0; i < table->column_count; i++)
        marked = (uint16_t)(marked + table->columns[i].in_image);
    if (marked != table->image_count)
        return wrong(r, "image_columns");

    bool seen[BO_COLUMNS_MAX] = {false};
    for (uint16_t i = 0; i < table->image_count; i++) {
        uint16_t position = table->image_columns[i];
        if (position >= table->column_count || !table->columns[position].in_image || seen[position])
            return wrong(r, "image_columns");
        seen[position] = true;
    }
    for (uint16_t k = 0; k < table->key_count; k++)
        for (uint16_t i = 0; i < table->keys[k].count; i++)
            if (table->keys[k].columns[i] >= table->column_count)
                return wrong(r, "keys");
    return BO_OK;
}

static bo_status read_row_key(reading *r, const json_t *json, bo_table *table)
{
    int64_t position = 0;
    if (json_is_null(json))
        return BO_OK;
    bo_status st = read_integer(r, "row_key", json, 0, (int64_t)table->key_count - 1, &position);
    if (st != BO_OK)
        return st;
    table->row_key = &table->keys[position];
    return table->row_key->count > 0 ? BO_OK : wrong(r, "row_key");
}

bo_status bo_table_from_json(
    const json_t *json, bo_arena *arena, const bo_table **out, bo_error *err)
{
    reading r = {arena, err};
    bo_table *table = bo_arena_alloc(arena, sizeof *table);
    if (!table)
        return bo_nomem(err);
    bo_status st = read_object(&r, &bo_table_shape, json, table);
    if (st == BO_OK)
        st = check_positions(&r, table);
    if (st == BO_OK)
        st = read_row_key(&r, json_object_get(json, "row_key"), table);
    if (st != BO_OK)
        return bo_wrap(err, st, "the definition of a table is not what was written");
    *out = table;
    return BO_OK;
}
