/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/fill.h - a table's rows from a snapshot into the database, in one stream. */
#ifndef BO_CHANGE_FILL_H
#define BO_CHANGE_FILL_H

#include "change/content.h"

/**
 * Appends every row of part `table` of a snapshot to the table of now.  Frames are read, checked
 * and decompressed by a thread of their own while the database takes the rows of the one before.
 */
bo_status bo_fill_table(bo_content *content, uint32_t table, bo_conn *conn, bo_meter *meter,
    uint64_t *rows_out, bo_error *err);

/** One of `of` equal shares of a part's frames. */
typedef struct bo_share {
    uint32_t table, number, of;
} bo_share;
/** The same for a share, into part->now. */
bo_status bo_fill_share(bo_content *content, const bo_part *part, bo_share share, bo_conn *conn,
    bo_meter *meter, uint64_t *rows_out, bo_error *err);

/** Calls `each` with every row of part `table` of a snapshot. */
bo_status bo_content_rows(
    bo_content *content, uint32_t table, bo_image_fn *each, void *ctx, bo_error *err);

#endif
