/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/snapshot.h - the before-images of tables, from one instant, into a pack. */
#ifndef BO_CHANGE_SNAPSHOT_H
#define BO_CHANGE_SNAPSHOT_H

#include "change/content.h"

/** What was read of one table. */
typedef struct bo_extent {
    bo_digest digest;
    uint64_t bytes;
} bo_extent;

/**
 * Reads the parts inside the target's open transaction into `draft`, range by range, over `workers`
 * connections.
 * @param extents  one per part; filled.
 */
bo_status bo_snapshot_read(bo_session *session, bo_target *target, const bo_part *parts,
    uint32_t count, uint32_t workers, bo_draft *draft, bo_extent *extents, bo_error *err);

/** The estimated size of a snapshot of the parts must fit the repository's disk (A9). */
bo_status bo_snapshot_check_space(bo_session *session, bo_target *target, const bo_part *parts,
    uint32_t count, uint64_t *rows_out, bo_error *err);

/** Writes, commits and reads back a whole snapshot `name` of parts in the open transaction;
 * root_hex as in bo_draft. */
bo_status bo_snapshot_write(bo_session *session, bo_target *target, const bo_part *parts,
    uint32_t count, uint32_t workers, const char *name, const char *point, bo_extent *extents,
    char root_hex[65], bo_error *err);

#endif
