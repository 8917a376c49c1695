/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/arena.h - many small objects with one life: a table definition, a plan. */
#ifndef BO_BASE_ARENA_H
#define BO_BASE_ARENA_H

#include <stddef.h>

#include "base/buf.h"
#include "base/scope.h"

typedef struct bo_arena bo_arena;

bo_arena *bo_arena_create(void);     /* NULL: no memory */
void bo_arena_free(bo_arena *arena); /* frees every object in it; NULL is ignored */
BO_DEFINE_SCOPE(bo_arena);

/** Zeroed memory aligned for any type, or NULL: no memory.  Lives until bo_arena_free(). */
void *bo_arena_alloc(bo_arena *arena, size_t size);
void *bo_arena_array(
    bo_arena *arena, size_t count, size_t size);       /* NULL too when count * size overflows */
char *bo_arena_str(bo_arena *arena, const char *text); /* a copy; NULL for NULL or no memory */
char *bo_arena_strn(bo_arena *arena, const char *text, size_t size);
char *bo_arena_printf(bo_arena *arena, const char *format, ...) BO_PRINTF(2, 3);

/**
 * Makes room for one more element in an arena-owned array: returns the array (moved and doubled
 * when `count` is a power of two or 0), or NULL: no memory.  items = bo_arena_grow(a, items, n,
 * sizeof *items);
 */
void *bo_arena_grow(bo_arena *arena, void *items, size_t count, size_t size);

/** Texts in the order in which they came; `arena` owns them and the array. */
typedef struct bo_texts {
    bo_arena *arena;
    const char **items;
    size_t count;
} bo_texts;

/** Is one of them the first `size` bytes of `text`? */
bool bo_texts_have(const bo_texts *texts, const char *text, size_t size);
/** Adds a copy of the first `size` bytes of `text`.  BO_NOMEM: they are as they were. */
bo_status bo_texts_add(bo_texts *texts, const char *text, size_t size, bo_error *err);

#endif
