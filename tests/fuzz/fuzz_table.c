/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_table.c - a definition that is accepted is the same after JSON and back. */
#include "fuzz.h"

#include <stdlib.h>

#include "data/table.h"

static void check(const bo_table *table, bo_arena *arena)
{
    json_t *json = bo_table_to_json(table);
    const bo_table *again = NULL;
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    int *map = NULL;
    if (!json || bo_table_from_json(json, arena, &again, NULL) != BO_OK)
        abort();
    json_t *copy = bo_table_to_json(again);
    if (!json_equal(json, copy))
        abort();
    json_decref(json);
    json_decref(copy);
    if (bo_table_compare(table, again, arena, &changes, &count, NULL) != BO_OK ||
        bo_table_map(table, again, arena, &map, NULL) != BO_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        return 0;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const bo_table *table = NULL;
    if (arena && bo_table_from_json(json, arena, &table, NULL) == BO_OK)
        check(table, arena);
    json_decref(json);
    return 0;
}
