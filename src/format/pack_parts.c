/* SPDX-License-Identifier: Apache-2.0 */
/* src/format/pack_parts.c - what a pack is made of, for writer and reader alike. */
#include <string.h>

#include "base/json.h"
#include "format/pack_internal.h"

static void put_le32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_le32(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

void bo_skip_put(uint8_t at[BO_SKIP_SIZE], unsigned digit, uint32_t size)
{
    put_le32(at, BO_SKIP_MAGIC + digit);
    put_le32(at + 4, size);
}

bool bo_skip_get(const uint8_t at[BO_SKIP_SIZE], unsigned digit, uint32_t *size_out)
{
    if (get_le32(at) != BO_SKIP_MAGIC + digit)
        return false;
    *size_out = get_le32(at + 4);
    return true;
}

bool bo_buf_resize(bo_buf *buf, size_t size)
{
    bo_buf_clear(buf);
    if (!bo_buf_reserve(buf, size))
        return false;
    buf->size = size;
    buf->data[size] = 0;
    return true;
}

void bo_pack_root_of(bo_span header, bo_span index, uint8_t out[BO_ROOT_SIZE])
{
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, BO_ROOT_SIZE);
    (void)crypto_generichash_update(&state, header.data, header.size);
    (void)crypto_generichash_update(&state, index.data, index.size);
    (void)crypto_generichash_final(&state, out, BO_ROOT_SIZE);
}

/* ---- JSON ---- */

enum { CONTAINERS_FREE = 4096, BYTES_PER_CONTAINER = 8 };

/** Whether parsing `text` costs little more than its size: "{}" takes 200 bytes of memory. */
static bool is_frugal(bo_span text)
{
    size_t containers = 0;
    for (size_t i = 0; i < text.size; i++)
        containers += text.data[i] == '{' || text.data[i] == '[';
    return containers <= CONTAINERS_FREE + text.size / BYTES_PER_CONTAINER;
}

static int add_text(const char *text, size_t size, void *out)
{
    bo_buf_add(out, text, size);
    return 0;
}

bo_status bo_pack_json_write(const json_t *json, const char *part, bo_buf *out, bo_error *err)
{
    size_t before = out->size;
    int failed = json_dump_callback(json, add_text, out, JSON_COMPACT);
    if (out->failed)
        return bo_nomem(err);
    if (failed)
        return bo_fail(err, BO_INVALID, "the %s cannot be written as JSON", part);
    size_t size = out->size - before;
    if (size > BO_PACK_META_MAX)
        return bo_fail(
            err, BO_UNSUPPORTED, "the %s is larger than %u MiB", part, BO_PACK_META_MAX >> 20);
    if (!is_frugal((bo_span){out->data + before, size}))
        return bo_fail(
            err, BO_UNSUPPORTED, "the %s has more '{' and '[' than a reader takes", part);
    return BO_OK;
}

bo_status bo_pack_json_read(bo_span text, const char *part, json_t **out, bo_error *err)
{
    json_error_t why;
    if (text.size > BO_PACK_META_MAX || !is_frugal(text))
        return bo_fail(err, BO_CORRUPT, "%s: larger than any that is written", part);
    json_t *json = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &why);
    if (!json && bo_json_no_memory(&why))
        return bo_nomem(err);
    if (!json_is_object(json)) {
        json_decref(json);
        return bo_fail(err, BO_CORRUPT, "%s: not a JSON object", part);
    }
    *out = json;
    return BO_OK;
}
