/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/marks.h - what is known of many rows, by a hash of their names: 40 bytes for each, and
 * none of their own. */
#ifndef BO_CHANGE_MARKS_H
#define BO_CHANGE_MARKS_H

#include "base/buf.h"

/** What the fields but the hash say is up to their user; a new mark has zeros in them. */
typedef struct bo_mark {
    uint64_t low, high; /* XXH3-128 of the name and its space */
    uint64_t first, second;
    uint32_t node;
    uint32_t flags;
} bo_mark;

/** `{ 0 }` is an empty set. */
typedef struct bo_marks {
    bo_mark *slots;
    size_t size, used;
} bo_marks;

void bo_marks_done(bo_marks *marks);
void bo_marks_clear(bo_marks *marks); /* keeps the memory */

/** The same bytes in another `space` are another name. */
bo_mark *bo_marks_find(const bo_marks *marks, uint32_t space, bo_span name); /* or NULL */
/** Finds or makes it; valid until the next one is made.  NULL: no memory. */
bo_mark *bo_marks_put(bo_marks *marks, uint32_t space, bo_span name);
/** The same by the hash, which bo_marks_find() and bo_marks_put() made of a name. */
bo_mark *bo_marks_find_hash(const bo_marks *marks, uint64_t low, uint64_t high);
bo_mark *bo_marks_put_hash(bo_marks *marks, uint64_t low, uint64_t high);

/** 64 bits that tell bytes apart; never 0. */
uint64_t bo_marks_hash(bo_span bytes);

#endif
