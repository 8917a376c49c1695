/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/shape.h - what DDL since the point means for the rows of the point. */
#ifndef BO_CHANGE_SHAPE_H
#define BO_CHANGE_SHAPE_H

#include "change/content.h"

typedef enum bo_shape {
    BO_SHAPE_SAME, /* rows fit; column additions, keys and the like may have changed (notes say so)
                    */
    BO_SHAPE_DROPPED, /* the table is gone */
    BO_SHAPE_COLUMNS, /* recorded columns are gone: type full makes them again */
    BO_SHAPE_BLOCKED, /* rows of the point cannot be put into the table as it is, or it is another
                         one: part->called */
} bo_shape;

/**
 * Compares the definition then and now.
 * @param notes  gets one line for each difference: "orders: column 'note' was dropped since the
 * point".
 */
bo_status bo_shape_of(
    const bo_part *part, bo_arena *arena, bo_shape *out, bo_buf *notes, bo_error *err);

/** Fails with BO_REFUSED: the table is gone, it is another one, or one line for each difference
 * that keeps the rows of the point out of it. */
bo_status bo_shape_refuse(const bo_part *part, bo_arena *arena, bo_error *err);

/** Fails with BO_REFUSED where one of the tables that are to be put back is, as it is now, a
 * partition of another one of them. */
bo_status bo_shape_refuse_twice(const bo_content *content, bo_error *err);

/** Makes dropped columns again (BO_SHAPE_COLUMNS), inside the open transaction; part->now is
 * described anew. */
bo_status bo_shape_restore_columns(bo_conn *conn, bo_part *part, bo_arena *arena, bo_error *err);

/** Once the rows are back: a table that was made again (part->fresh) gets its keys and all else it
 * had; a column that was, its NOT NULL, default and the like.  part->now is described anew. */
bo_status bo_shape_finish(bo_conn *conn, bo_part *part, bo_arena *arena, bo_error *err);

/** A dry run: makes the tables that are gone, whole and empty, to know that nothing stands in the
 * way.  The open transaction is fit for rolling back only. */
bo_status bo_shape_try(bo_conn *conn, const bo_content *content, bo_error *err);

#endif
