/* SPDX-License-Identifier: Apache-2.0 */
/* src/data/table_write.c - a table's definition as JSON. */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "data/table_shape.h"

static json_t *write_object(const shape *of, const void *object);

/** A JSON string, or {"hex": "..."} for bytes that are not UTF-8. */
static json_t *write_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *plain = json_string(text);
    if (plain)
        return plain;
    BO_OWN_VALUE(bo_buf) hex = {0};
    bo_text_hex(&hex, text, strlen(text));
    return hex.failed ? NULL : json_pack("{s:s}", "hex", bo_buf_str(&hex));
}

static json_t *write_char(char value)
{
    return json_stringn(&value, value ? 1 : 0);
}

static json_t *write_element(const member *m, const void *elements, uint16_t index)
{
    switch (m->kind) {
    case MEMBER_POSITIONS:
        return json_integer(((const uint16_t *)elements)[index]);
    case MEMBER_TEXTS:
        assert(((const char *const *)elements)[index]);
        return write_text(((const char *const *)elements)[index]);
    default:
        return write_object(m->objects, (const char *)elements + m->objects->size * index);
    }
}

static json_t *write_array(const member *m, const char *object)
{
    uint16_t count;
    const void *elements;
    memcpy(&count, object + m->count_offset, sizeof count);
    memcpy(&elements, object + m->offset, sizeof elements);

    json_t *array = json_array();
    for (uint16_t i = 0; array && i < count; i++) {
        if (json_array_append_new(array, write_element(m, elements, i)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *write_word(const member *m, const char *at)
{
    unsigned value;
    memcpy(&value, at, sizeof value);
    return json_string(m->words[value]);
}

static json_t *write_member(const member *m, const char *object)
{
    const char *at = object + m->offset;
    switch (m->kind) {
    case MEMBER_TEXT:
    case MEMBER_TEXT_NULL: {
        const char *text = *(const char *const *)(const void *)at;
        assert(text || m->kind == MEMBER_TEXT_NULL);
        return write_text(text);
    }
    case MEMBER_BOOL:
        return json_boolean(*(const bool *)at);
    case MEMBER_CHAR:
        return write_char(*at);
    case MEMBER_U32:
        return json_integer(*(const uint32_t *)(const void *)at);
    case MEMBER_I64:
        return json_integer(*(const int64_t *)(const void *)at);
    case MEMBER_ENUM:
        return write_word(m, at);
    default:
        return write_array(m, object);
    }
}

static json_t *write_object(const shape *of, const void *object)
{
    json_t *json = json_object();
    for (const member *m = of->members; json && m->name; m++) {
        if (json_object_set_new(json, m->name, write_member(m, object)) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

json_t *bo_table_to_json(const bo_table *table)
{
    json_t *json = write_object(&bo_table_shape, table);
    if (!json)
        return NULL;
    json_t *row_key = json_null();
    if (table->row_key) {
        assert(table->row_key >= table->keys && table->row_key < table->keys + table->key_count);
        row_key = json_integer(table->row_key - table->keys);
    }
    if (json_object_set_new(json, "row_key", row_key) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}
