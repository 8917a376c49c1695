/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/json.c - mutants of JSON that are JSON. */
#include <jansson.h>
#include <stdlib.h>

#include "fuzz.h"

enum { TEXT_MORE = 16 };

static json_t *mutated_string(const json_t *string)
{
    bo_buf text = {0};
    bo_buf_add(&text, json_string_value(string), json_string_length(string));
    fuzz_mutate(&text, TEXT_MORE);
    json_t *made = json_stringn((const char *)text.data, text.size); /* NULL: not UTF-8 */
    bo_buf_done(&text);
    return made;
}

/** Something else in the place of `value`. */
static json_t *other_value(const json_t *value, uint64_t *random)
{
    static const json_int_t edges[] = {
        0, 1, -1, 2, 255, 4095, 4096, 65535, 65536, 0x7fffffff, 0xffffffffLL, INT64_MAX, INT64_MIN};
    if (json_is_string(value) && fuzz_below(random, 2))
        return mutated_string(value);
    switch (fuzz_below(random, 8)) {
    case 0:
        return json_null();
    case 1:
        return json_true();
    case 2:
        return json_false();
    case 3:
        return json_array();
    case 4:
        return json_object();
    case 5:
        return json_string("");
    default:
        return json_integer(edges[fuzz_below(random, sizeof edges / sizeof *edges)]);
    }
}

static void change_array(json_t *array, size_t at, uint64_t *random)
{
    json_t *value = json_array_get(array, at);
    switch (fuzz_below(random, 4)) {
    case 0:
        (void)json_array_remove(array, at);
        break;
    case 1:
        (void)json_array_insert_new(array, at, json_deep_copy(value));
        break;
    case 2: /* two change places */
        (void)json_array_append(array, value);
        (void)json_array_remove(array, at);
        break;
    default:
        (void)json_array_set_new(array, at, other_value(value, random));
    }
}

static void change_object(json_t *object, const char *key, uint64_t *random)
{
    if (fuzz_below(random, 4) == 0)
        (void)json_object_del(object, key);
    else
        (void)json_object_set_new(object, key, other_value(json_object_get(object, key), random));
}

/** Goes down from `top` by chance, and changes something where it ends. */
static void change_below(json_t *top, uint64_t *random)
{
    size_t size = json_is_array(top) ? json_array_size(top) : json_object_size(top);
    size_t at = fuzz_below(random, size);
    if (size == 0)
        return;
    void *place = json_object_iter(top);
    for (size_t i = 0; place && i < at; i++)
        place = json_object_iter_next(top, place);
    json_t *child = place ? json_object_iter_value(place) : json_array_get(top, at);
    size_t inside = json_array_size(child) + json_object_size(child);
    if (inside > 0 && fuzz_below(random, 8) > 0)
        change_below(child, random);
    else if (place)
        change_object(top, json_object_iter_key(place), random);
    else
        change_array(top, at, random);
}

static int add_text(const char *text, size_t size, void *out)
{
    bo_buf_add(out, text, size);
    return 0;
}

bool fuzz_mutate_json(bo_buf *text, uint64_t *random)
{
    json_t *json = json_loadb((const char *)text->data, text->size, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        return false;
    change_below(json, random);
    bo_buf_clear(text);
    (void)json_dump_callback(json, add_text, text, JSON_COMPACT);
    json_decref(json);
    return true;
}
