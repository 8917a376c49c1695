/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/arena.c - blocks of memory that are freed together. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 4096 - 64 };

typedef struct block {
    struct block *next;
    size_t used, size;
    _Alignas(max_align_t) unsigned char bytes[];
} block;

struct bo_arena {
    block *blocks; /* the first one is the one with room */
};

bo_arena *bo_arena_create(void)
{
    return calloc(1, sizeof(bo_arena));
}

void bo_arena_free(bo_arena *arena)
{
    if (!arena)
        return;
    while (arena->blocks) {
        block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    free(arena);
}

/* A large object gets a block of its own, behind the one with room. */
static block *add_block(bo_arena *arena, size_t size)
{
    bool own = size > BLOCK_SIZE / 4;
    size_t capacity = own ? size : BLOCK_SIZE;
    block *made = calloc(1, sizeof *made + capacity);
    if (!made)
        return NULL;
    made->size = capacity;
    block **at = own && arena->blocks ? &arena->blocks->next : &arena->blocks;
    made->next = *at;
    *at = made;
    return made;
}

void *bo_arena_alloc(bo_arena *arena, size_t size)
{
    size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + align - 1) / align * align;
    block *from = arena->blocks;
    if (!from || size > from->size - from->used)
        from = add_block(arena, size);
    if (!from)
        return NULL;
    void *object = from->bytes + from->used;
    from->used += size;
    return object;
}

void *bo_arena_array(bo_arena *arena, size_t count, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : bo_arena_alloc(arena, total);
}

char *bo_arena_str(bo_arena *arena, const char *text)
{
    return text ? bo_arena_strn(arena, text, strlen(text)) : NULL;
}

char *bo_arena_strn(bo_arena *arena, const char *text, size_t size)
{
    char *copy = size < SIZE_MAX ? bo_arena_alloc(arena, size + 1) : NULL;
    if (copy && size > 0)
        memcpy(copy, text, size);
    return copy;
}

char *bo_arena_printf(bo_arena *arena, const char *format, ...)
{
    va_list args, measured;
    va_start(args, format);
    va_copy(measured, args);
    int size = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    char *text = size < 0 ? NULL : bo_arena_alloc(arena, (size_t)size + 1);
    if (text)
        vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return text;
}

void *bo_arena_grow(bo_arena *arena, void *items, size_t count, size_t size)
{
    if (count & (count - 1)) /* there is room up to the next power of two */
        return items;
    size_t capacity = count ? 2 * count : 1;
    if (capacity < count)
        return NULL;
    void *moved = bo_arena_array(arena, capacity, size);
    if (moved && count > 0)
        memcpy(moved, items, count * size);
    return moved;
}

bool bo_texts_have(const bo_texts *texts, const char *text, size_t size)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strncmp(texts->items[i], text, size) == 0 && texts->items[i][size] == '\0')
            return true;
    return false;
}

bo_status bo_texts_add(bo_texts *texts, const char *text, size_t size, bo_error *err)
{
    const char **items = bo_arena_grow(texts->arena, texts->items, texts->count, sizeof *items);
    char *copy = bo_arena_strn(texts->arena, text, size);
    if (!items || !copy)
        return bo_nomem(err);
    texts->items = items;
    items[texts->count++] = copy;
    return BO_OK;
}
