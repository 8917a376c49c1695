/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/result.c - results stand in their own arena, behind its address. */
#include "change/result.h"

#include <stddef.h>

struct result {
    bo_arena *arena;
    _Alignas(max_align_t) unsigned char bytes[];
};

void *bo_result_create(size_t size, bo_arena **arena_out)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    struct result *result = arena ? bo_arena_alloc(arena, sizeof *result + size) : NULL;
    if (!result)
        return NULL;
    result->arena = *arena_out = BO_TAKE(arena);
    return result->bytes;
}

void bo_result_free(void *result)
{
    if (result)
        bo_arena_free(((struct result *)((char *)result - offsetof(struct result, bytes)))->arena);
}
