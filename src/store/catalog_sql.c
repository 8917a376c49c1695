/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/catalog_sql.c - questions to the catalog, and values in and out of its SQL. */
#include "store/catalog_sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bo_status bo_catalog_query(bo_catalog *catalog, const char *sql, const bo_text_value *params,
    uint16_t count, bo_query_fn *each, void *ctx, uint64_t *rows_out, bo_error *err)
{
    return catalog->conn->driver->query(
        catalog->conn, sql, params, count, each, ctx, rows_out, err);
}

bo_text_value bo_bind_text(const char *text)
{
    return (bo_text_value){.data = text, .size = text ? strlen(text) : 0};
}

bo_text_value bo_bind_number(int64_t value, bo_digits *memory)
{
    (void)snprintf(memory->text, sizeof memory->text, "%" PRId64, value);
    return bo_bind_text(memory->text);
}

const char *bo_read_text(bo_arena *arena, bo_text_value value, bool *nomem)
{
    if (!value.data)
        return NULL;
    const char *copy = bo_arena_strn(arena, value.data, value.size);
    if (!copy)
        *nomem = true;
    return copy;
}

int64_t bo_read_number(bo_text_value value)
{
    char digits[24] = "";
    if (value.data && value.size < sizeof digits)
        memcpy(digits, value.data, value.size);
    return strtoll(digits, NULL, 10);
}

/* ---- backout_meta ---- */

struct meta {
    bo_buf *out;
    bool found;
};

static bo_status read_meta(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    struct meta *meta = ctx;
    meta->found = true;
    bo_buf_clear(meta->out);
    bo_buf_add(meta->out, values[0].data, values[0].size);
    bo_buf_add_str(meta->out, ""); /* ends it with a 0 */
    return bo_buf_check(meta->out, err);
}

bo_status bo_catalog_meta_get(
    bo_catalog *catalog, const char *key, bo_buf *out, bool *found_out, bo_error *err)
{
    struct meta meta = {.out = out};
    bo_buf_clear(out);
    const bo_text_value params[] = {bo_bind_text(key)};
    bo_status st = bo_catalog_query(catalog, "SELECT value FROM backout_meta WHERE key = $1",
        params, 1, read_meta, &meta, NULL, err);
    if (st == BO_OK)
        *found_out = meta.found;
    return st;
}

bo_status bo_catalog_meta_set(
    bo_catalog *catalog, const char *key, const char *value, bo_error *err)
{
    const bo_text_value params[] = {bo_bind_text(key), bo_bind_text(value)};
    return bo_catalog_query(catalog,
        "INSERT INTO backout_meta (key, value) VALUES ($1, $2)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        params, 2, NULL, NULL, NULL, err);
}
