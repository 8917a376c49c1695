/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/buf.c - a byte buffer that grows. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void bo_buf_done(bo_buf *buf)
{
    free(buf->data);
    *buf = (bo_buf){0};
}

void bo_buf_clear(bo_buf *buf)
{
    buf->size = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = 0;
}

bool bo_buf_reserve(bo_buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (buf->data && more < buf->capacity - buf->size) /* one byte stays for the 0 at the end */
        return true;
    if (more >= SIZE_MAX / 2 - buf->size) {
        buf->failed = true;
        return false;
    }
    size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
    while (capacity <= buf->size + more)
        capacity *= 2;
    uint8_t *data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    data[buf->size] = 0;
    return true;
}

void bo_buf_add(bo_buf *buf, const void *data, size_t size)
{
    if (!bo_buf_reserve(buf, size))
        return;
    if (size > 0)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = 0;
}

void bo_buf_add_byte(bo_buf *buf, uint8_t byte)
{
    bo_buf_add(buf, &byte, 1);
}

void bo_buf_add_str(bo_buf *buf, const char *text)
{
    bo_buf_add(buf, text, strlen(text));
}

void bo_buf_printf(bo_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bo_buf_vprintf(buf, format, args);
    va_end(args);
}

void bo_buf_vprintf(bo_buf *buf, const char *format, va_list args)
{
    va_list measured;
    va_copy(measured, args);
    int size = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    if (size < 0)
        buf->failed = true;
    if (!bo_buf_reserve(buf, size < 0 ? 0 : (size_t)size))
        return;
    vsnprintf((char *)buf->data + buf->size, (size_t)size + 1, format, args);
    buf->size += (size_t)size;
}

const char *bo_buf_str(const bo_buf *buf)
{
    return buf->data ? (const char *)buf->data : "";
}

char *bo_buf_take_str(bo_buf *buf)
{
    bo_buf_reserve(buf, 0); /* an empty text needs memory too */
    char *text = buf->failed ? NULL : (char *)buf->data;
    if (text)
        buf->data = NULL;
    bo_buf_done(buf);
    return text;
}

bo_status bo_buf_check(const bo_buf *buf, bo_error *err)
{
    return buf->failed ? bo_nomem(err) : BO_OK;
}

void bo_buf_add_u16(bo_buf *buf, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    bo_buf_add(buf, bytes, sizeof bytes);
}

void bo_buf_add_u32(bo_buf *buf, uint32_t value)
{
    uint8_t bytes[4];
    bo_put_u32(bytes, value);
    bo_buf_add(buf, bytes, sizeof bytes);
}

void bo_buf_add_u64(bo_buf *buf, uint64_t value)
{
    uint8_t bytes[8];
    bo_put_u64(bytes, value);
    bo_buf_add(buf, bytes, sizeof bytes);
}
