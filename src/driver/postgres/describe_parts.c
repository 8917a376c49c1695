/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/describe_parts.c - what the files that describe a table share. */
#include "driver/postgres/describe.h"

const char *pg_cell(pg_description *about, const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return NULL;
    const char *copy = bo_arena_str(about->arena, PQgetvalue(result, row, column));
    if (!copy)
        about->failed = true;
    return copy;
}

bool pg_cell_true(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0] == 't';
}

char pg_cell_char(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0];
}

void *pg_room(pg_description *about, int count, size_t size)
{
    if (count == 0)
        return NULL;
    void *room = bo_arena_array(about->arena, (size_t)count, size);
    if (!room)
        about->failed = true;
    return room;
}

void pg_add_limit(pg_description *about, const char *sentence)
{
    bo_table *table = about->table;
    const char **limits =
        bo_arena_grow(about->arena, (void *)table->limits, table->limit_count, sizeof *limits);
    if (!limits || !sentence) {
        about->failed = true;
        return;
    }
    limits[table->limit_count++] = sentence;
    table->limits = limits;
}
