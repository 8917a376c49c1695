/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/result.h - what a call gives back: one object with an arena of its own. */
#ifndef BO_CHANGE_RESULT_H
#define BO_CHANGE_RESULT_H

#include "base/arena.h"

/**
 * A result of `size` zeroed bytes; bo_result_free() frees it with all that is in its arena.  NULL:
 * no memory.
 */
void *bo_result_create(size_t size, bo_arena **arena_out);
void bo_result_free(void *result); /* NULL is ignored */

#endif
