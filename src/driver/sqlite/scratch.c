/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/scratch.c - a test restore: the whole table made and filled in an empty file.
 */
#include "driver/sqlite/sqlite.h"

bo_status sq_scratch_restore(bo_conn *conn, const bo_table *was, bo_next_fn *next, void *next_ctx,
    bo_image_fn *each, void *ctx, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    const bo_table *now = NULL;
    uint64_t rows = 0;
    bo_status st = sq_create(conn, was, err);
    if (st == BO_OK)
        st = sq_describe(conn, was->name, arena, &now, err);
    if (st == BO_OK)
        st = sq_load(conn, was, now, next, next_ctx, &rows, err);
    if (st == BO_OK)
        st = sq_create_after(conn, was, err);
    const bo_scan all = {.table = now, .shape = was};
    return st == BO_OK ? sq_scan(conn, &all, each, ctx, err) : st;
}
