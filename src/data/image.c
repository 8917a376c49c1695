/* SPDX-License-Identifier: Apache-2.0 */
/* src/data/image.c - writing, checking and taking apart the image of a row. */
#include "data/image.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"

enum { COUNT_SIZE = 2, LENGTH_SIZE = 4 };

void bo_image_begin(bo_buf *out, uint16_t count)
{
    assert(count <= BO_COLUMNS_MAX);
    bo_buf_add_u16(out, count);
}

void bo_image_add(bo_buf *out, const void *data, int32_t size)
{
    assert(size >= 0);
    bo_buf_add_u32(out, (uint32_t)size);
    if (size > 0)
        bo_buf_add(out, data, (size_t)size);
}

void bo_image_add_null(bo_buf *out)
{
    bo_buf_add_u32(out, UINT32_MAX);
}

bo_status bo_image_measure(bo_span bytes, size_t *size_out, bo_error *err)
{
    if (bytes.size < COUNT_SIZE)
        return bo_fail(err, BO_CORRUPT, "an image is cut short");
    unsigned count = bo_get_u16(bytes.data);
    if (count > BO_COLUMNS_MAX)
        return bo_fail(err, BO_CORRUPT, "an image has %u values, more than %u", count,
            (unsigned)BO_COLUMNS_MAX);

    size_t at = COUNT_SIZE;
    for (unsigned i = 0; i < count; i++) {
        if (bytes.size - at < LENGTH_SIZE)
            return bo_fail(err, BO_CORRUPT, "an image is cut short before value %u", i + 1);
        uint32_t length = bo_get_u32(bytes.data + at);
        at += LENGTH_SIZE;
        if (length == UINT32_MAX)
            continue;
        if (length > INT32_MAX)
            return bo_fail(err, BO_CORRUPT, "value %u of an image has a negative length", i + 1);
        if (bytes.size - at < length)
            return bo_fail(err, BO_CORRUPT, "an image is cut short in value %u", i + 1);
        at += length;
    }
    *size_out = at;
    return BO_OK;
}

uint16_t bo_image_count(bo_image image)
{
    return bo_get_u16(image.data);
}

/** The value at *at, which moves behind it. */
static inline bo_value take_value(const uint8_t *data, size_t *at)
{
    bo_value value = {data + *at + LENGTH_SIZE, (int32_t)bo_get_u32(data + *at)};
    *at += LENGTH_SIZE + (value.size > 0 ? (size_t)value.size : 0);
    return value;
}

void bo_image_values(bo_image image, bo_value *values)
{
    size_t at = COUNT_SIZE;
    uint16_t count = bo_image_count(image);
    for (uint16_t i = 0; i < count; i++)
        values[i] = take_value(image.data, &at);
}

bo_value bo_image_value(bo_image image, uint16_t column)
{
    assert(column < bo_image_count(image));
    size_t at = COUNT_SIZE;
    for (uint16_t i = 0; i < column; i++)
        (void)take_value(image.data, &at);
    return take_value(image.data, &at);
}

bool bo_image_equal(bo_image a, bo_image b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool bo_value_equal(bo_value a, bo_value b)
{
    return a.size == b.size && (a.size <= 0 || memcmp(a.data, b.data, (size_t)a.size) == 0);
}

int bo_span_compare(bo_span a, bo_span b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

void bo_image_project(bo_buf *out, bo_image image, const uint16_t *columns, uint16_t count)
{
    bo_image_begin(out, count);
    for (uint16_t i = 0; i < count; i++) {
        bo_value value = bo_image_value(image, columns[i]);
        if (value.size < 0)
            bo_image_add_null(out);
        else
            bo_image_add(out, value.data, value.size);
    }
}

bo_status bo_span_keep(bo_arena *arena, bo_span from, bo_span *out, bo_error *err)
{
    uint8_t *bytes = bo_arena_alloc(arena, from.size + 1);
    if (!bytes)
        return bo_nomem(err);
    memcpy(bytes, from.data, from.size);
    *out = (bo_span){bytes, from.size};
    return BO_OK;
}
