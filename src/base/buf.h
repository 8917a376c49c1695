/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/buf.h - a byte buffer that grows, and a borrowed run of bytes. */
#ifndef BO_BASE_BUF_H
#define BO_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** Borrowed bytes; `data` may be NULL only when `size` is 0. */
typedef struct bo_span {
    const uint8_t *data;
    size_t size;
} bo_span;

/**
 * A growing buffer; `{ 0 }` is an empty one.  A failed allocation sets `failed`, keeps what is
 * there and makes later additions do nothing, so a writer checks once, at the end, with
 * bo_buf_check().  After every text addition data[size] is 0, so `(char *)buf.data` is a C string
 * (an untouched buffer has data NULL: use bo_buf_str()).
 */
typedef struct bo_buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
} bo_buf;

void bo_buf_done(bo_buf *buf);  /* frees the memory; leaves an empty buffer */
void bo_buf_clear(bo_buf *buf); /* empties it, keeps the memory, forgets `failed` */
bool bo_buf_reserve(
    bo_buf *buf, size_t more); /* room for `more` bytes after `size`; false: no memory */
void bo_buf_add(bo_buf *buf, const void *data, size_t size);
void bo_buf_add_byte(bo_buf *buf, uint8_t byte);
void bo_buf_add_str(bo_buf *buf, const char *text);
void bo_buf_printf(bo_buf *buf, const char *format, ...) BO_PRINTF(2, 3);
void bo_buf_vprintf(bo_buf *buf, const char *format, va_list args) BO_PRINTF(2, 0);
const char *bo_buf_str(const bo_buf *buf); /* the text so far, "" when empty; borrowed */
char *bo_buf_take_str(
    bo_buf *buf); /* the text, malloc()ed; the buffer is empty after; NULL: no memory */
bo_status bo_buf_check(
    const bo_buf *buf, bo_error *err); /* BO_OK, or BO_NOMEM if an addition failed */

/* Big-endian integers, as in PostgreSQL's COPY BINARY and in our files. */
void bo_buf_add_u16(bo_buf *buf, uint16_t value);
void bo_buf_add_u32(bo_buf *buf, uint32_t value);
void bo_buf_add_u64(bo_buf *buf, uint64_t value);

static inline uint16_t bo_get_u16(const uint8_t *p)
{
    return (uint16_t)((uint16_t)(p[0] << 8) | p[1]);
}
static inline uint32_t bo_get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}
static inline uint64_t bo_get_u64(const uint8_t *p)
{
    return (uint64_t)bo_get_u32(p) << 32 | bo_get_u32(p + 4);
}
static inline void bo_put_u32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}
static inline void bo_put_u64(uint8_t *p, uint64_t value)
{
    bo_put_u32(p, (uint32_t)(value >> 32));
    bo_put_u32(p + 4, (uint32_t)value);
}

#endif
