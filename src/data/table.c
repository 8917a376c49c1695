/* SPDX-License-Identifier: Apache-2.0 */
/* src/data/table.c - finding columns by name and position. */
#include "data/table.h"

#include <string.h>

#include "base/error.h"

bool bo_column_is_array(const bo_column *column)
{
    const size_t size = strlen(column->type);
    return size > 2 && strcmp(column->type + size - 2, "[]") == 0;
}

int bo_table_column(const bo_table *table, const char *name)
{
    for (uint16_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    return -1;
}

bool bo_table_has_partition(const bo_table *table, const char *name)
{
    for (uint16_t i = 0; i < table->partition_count; i++)
        if (strcmp(table->partitions[i], name) == 0)
            return true;
    return false;
}

/* Only those that hold rows are listed: with one of its own all of a partition is inside. */
bool bo_table_is_inside(const bo_table *inner, const bo_table *table)
{
    return inner != table && table->kind == 'p' && /* of others the partitions are no tables */
           inner->partition_count <= table->partition_count &&
           bo_table_has_partition(
               table, inner->partition_count ? inner->partitions[0] : inner->name);
}

int bo_table_image_position(const bo_table *table, uint16_t position)
{
    for (uint16_t i = 0; i < table->image_count; i++)
        if (table->image_columns[i] == position)
            return i;
    return -1;
}

uint16_t bo_table_key_positions(const bo_table *table, uint16_t *out)
{
    const bo_key *key = table->row_key;
    if (!key)
        return 0;
    for (uint16_t i = 0; i < key->count; i++) {
        int position = bo_table_image_position(table, key->columns[i]);
        if (position < 0)
            return 0; /* a generated column in the key: images do not have it */
        out[i] = (uint16_t)position;
    }
    return key->count;
}

bo_status bo_table_map(
    const bo_table *was, const bo_table *now, bo_arena *arena, int **map_out, bo_error *err)
{
    int *map = bo_arena_array(arena, was->image_count ? was->image_count : 1, sizeof *map);
    if (!map)
        return bo_nomem(err);
    for (uint16_t i = 0; i < was->image_count; i++) {
        int position = bo_table_column(now, was->columns[was->image_columns[i]].name);
        map[i] = position >= 0 && now->columns[position].in_image ? position : -1;
    }
    *map_out = map;
    return BO_OK;
}

/* The hint is the last value: i32 length, storage class, i64. */
#define HINT_SIZE (4u + 1u + 8u)

/* An image too short for a hint, of a forged file, is compared whole. */
bo_span bo_row_values(const bo_table *table, bo_image row)
{
    bool hint = table->row_hint && row.size > HINT_SIZE;
    return (bo_span){row.data, hint ? row.size - HINT_SIZE : row.size};
}

bool bo_row_equal(const bo_table *table, bo_image a, bo_image b)
{
    return bo_image_equal(bo_row_values(table, a), bo_row_values(table, b));
}

bool bo_row_same(const bo_table *table, bo_image a, bo_image b)
{
    return a.data && b.data ? bo_row_equal(table, a, b) : !a.data && !b.data;
}

bo_status bo_table_given(const bo_table *was, const bo_table *now, bo_arena *arena,
    const int **map_out, const bool **given_out, bo_error *err)
{
    int *map = NULL;
    bo_status st = bo_table_map(was, now, arena, &map, err);
    if (st != BO_OK)
        return st;
    bool *given = bo_arena_array(arena, now->column_count + 1u, sizeof *given);
    if (!given)
        return bo_nomem(err);
    for (uint16_t i = 0; i < was->image_count; i++) {
        if (map[i] >= 0)
            given[map[i]] = true;
    }
    *map_out = map;
    *given_out = given;
    return BO_OK;
}

const bo_key *bo_table_same_key(const bo_table *was, const bo_table *now)
{
    for (uint16_t k = 0; k < now->key_count; k++) {
        const bo_key *key = &now->keys[k];
        bool same = key->is_row_key && key->count == was->row_key->count;
        for (uint16_t i = 0; same && i < key->count; i++) {
            const char *name = now->columns[key->columns[i]].name;
            bool found = false;
            for (uint16_t j = 0; j < key->count; j++)
                found |= strcmp(name, was->columns[was->row_key->columns[j]].name) == 0;
            same = found;
        }
        if (same)
            return key;
    }
    return NULL;
}
