/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/fill.h - a table's rows from a snapshot into the database, in one stream. */
#ifndef BO_CHANGE_FILL_H
#define BO_CHANGE_FILL_H

#include "base/crew.h"
#include "change/content.h"

/**
 * Appends every row of part `table` of a snapshot to the table of now.  Frames are read, checked
 * and decompressed by a thread of their own while the database takes the rows of the one before.
 */
bo_status bo_fill_table(bo_content *content, uint32_t table, bo_conn *conn, bo_meter *meter,
    uint64_t *rows_out, bo_error *err);

/** The same into `now`, of the frames that this worker takes: with one queue of all frames of
 * the content, all connections that fill a table end at the same time. */
bo_status bo_fill_from(bo_content *content, uint32_t table, const bo_table *now, bo_worker *worker,
    bo_conn *conn, bo_meter *meter, uint64_t *rows_out, bo_error *err);

/** Calls `each` with every row of part `table` of a snapshot. */
bo_status bo_content_rows(
    bo_content *content, uint32_t table, bo_image_fn *each, void *ctx, bo_error *err);

#endif
