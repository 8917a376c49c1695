/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/residue.h - within one range: which rows are on one side only. */
#ifndef BO_CHANGE_RESIDUE_H
#define BO_CHANGE_RESIDUE_H

#include "data/digest.h"
#include "data/table.h"

/** The rows of one range as they are now, by hash. Reused from range to range; `{ 0 }` is an empty
 * one. */
typedef struct bo_residue {
    struct bo_residue_row {
        uint64_t low, high; /* hash of its values */
        uint32_t offset;    /* in `rows` */
        uint32_t size;
    } * items;
    size_t count, capacity;
    uint64_t left;    /* rows that are not matched yet */
    bo_buf rows;      /* their images, while they fit BO_RESIDUE_KEEP */
    bool overflow;    /* rows were too many to keep: read the range again to have them */
    bool too_many;    /* more rows than BO_RESIDUE_ROWS: hashes are not kept either */
    bo_digest stored; /* of all, hints too: comparable with what a snapshot says of its range */
    bo_digest digest; /* of all, hints apart */
    struct bo_residue_slot {
        uint32_t row;  /* position + 1 of the first row with this hash; 0: free */
        uint32_t left; /* equal rows that are not matched yet */
    } * slots;
    size_t slot_count;
} bo_residue;

#define BO_RESIDUE_KEEP (8u << 20)
#define BO_RESIDUE_ROWS (160u << 10)

void bo_residue_clear(bo_residue *residue);
void bo_residue_done(bo_residue *residue);
bo_status bo_residue_add(bo_residue *residue, const bo_table *table, bo_image row, bo_error *err);
/** Prepares matching. */
bo_status bo_residue_index(bo_residue *residue, bo_error *err);
/** True when an equal row is left here; one less is left then. */
bool bo_residue_take(bo_residue *residue, const bo_table *table, bo_image row);
/** Calls `each` with the kept rows that are left; none is left then.  Only without `overflow`. */
bo_status bo_residue_rest(bo_residue *residue,
    bo_status (*each)(void *ctx, bo_image row, bo_error *err), void *ctx, bo_error *err);

#endif
