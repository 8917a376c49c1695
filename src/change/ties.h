/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/ties.h - values by which a row of one table stands or falls with a row of another:
 * foreign keys and unique keys, between the parts of a point.
 */
#ifndef BO_CHANGE_TIES_H
#define BO_CHANGE_TIES_H

#include "change/content.h"

typedef enum bo_tie_kind {
    BO_TIE_REFERS, /* rows of `to` refer to what goes from `from` when the change is undone */
    BO_TIE_NEEDED, /* rows of `to` went that what comes back to `from` refers to */
    BO_TIE_UNIQUE, /* rows of `to` took a unique value of what comes back to `from`, itself */
} bo_tie_kind;

typedef struct bo_tie {
    bo_tie_kind kind;
    uint32_t from, to; /* parts: whose rows are undone, whose rows stand in the way */
    uint16_t count;
    const uint16_t *from_columns, *to_columns; /* positions in the images */
    const char *name;                          /* of the key */
} bo_tie;

/** The table in whose shape the changes of a part are read. */
const bo_table *bo_part_shape(const bo_part *part);

/** All ties between parts that are there and not left out, in `arena`. */
bo_status bo_ties_of(
    const bo_content *content, bo_arena *arena, bo_tie **out, size_t *count_out, bo_error *err);

/**
 * The values of the tie that are undone with a member's change (`from`), or that a change of
 * somebody else has in their way: an image of them in `out`, the same bytes on both sides.
 * *there_out false: there are none.
 */
bo_status bo_tie_of_member(const bo_tie *tie, const bo_content *content, bo_image before,
    bo_image after, bo_buf *out, bool *there_out, bo_error *err);
bo_status bo_tie_of_other(const bo_tie *tie, const bo_content *content, bo_image before,
    bo_image after, bo_buf *out, bool *there_out, bo_error *err);

#endif
