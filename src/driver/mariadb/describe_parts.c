/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/describe_parts.c - what the files that describe a table share. */
#include "driver/mariadb/describe.h"

#include <string.h>

const char *my_cell(my_description *about, const char *value)
{
    if (!value)
        return NULL;
    const char *copy = bo_arena_str(about->arena, value);
    if (!copy)
        about->failed = true;
    return copy;
}

void *my_grow(my_description *about, const void *items, size_t count, size_t size)
{
    char *room = count < UINT16_MAX
                     ? bo_arena_grow(about->arena, (void *)(uintptr_t)items, count, size)
                     : NULL;
    if (room)
        memset(room + count * size, 0, size);
    else
        about->failed = true;
    return room;
}

static void add_text(
    my_description *about, const char *const **list, uint16_t *count, const char *text)
{
    const char **items = my_grow(about, (const void *)*list, *count, sizeof *items);
    if (!items || !text) {
        about->failed = true;
        return;
    }
    items[(*count)++] = text;
    *list = items;
}

void my_add_limit(my_description *about, const char *sentence)
{
    add_text(about, &about->table->limits, &about->table->limit_count, sentence);
}

void my_add_after(my_description *about, const char *sql)
{
    add_text(about, &about->table->after, &about->table->definition_count, sql);
}

void my_where_table(bo_buf *out, const char *prefix, const char *schema, const char *local)
{
    bo_buf_printf(out, " WHERE %s_SCHEMA = ", prefix);
    my_quote_literal(out, schema);
    bo_buf_printf(
        out, " AND %s_%s = ", prefix, strcmp(prefix, "EVENT_OBJECT") == 0 ? "TABLE" : "NAME");
    my_quote_literal(out, local);
}
