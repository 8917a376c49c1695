/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/ahead.c - making missing tables before the transaction that fills them. */
#include "change/ahead.h"

bool bo_ahead_not_needed(const bo_undo *undo)
{
    return undo->target->conn->driver->caps & BO_CAP_TRANSACTIONAL_DDL;
}

bool bo_ahead_made(const bo_undo *undo, uint32_t table)
{
    return undo->ahead && undo->ahead[table];
}

bo_status bo_ahead_make(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    uint32_t count = undo->intent->part_count;
    bo_status st = BO_OK;
    if (bo_ahead_not_needed(undo))
        return BO_OK;
    undo->ahead = bo_arena_array(undo->arena, (size_t)count + 1, sizeof *undo->ahead);
    if (!undo->ahead)
        return bo_nomem(err);
    for (uint32_t i = 0; st == BO_OK && i < count; i++) {
        bo_part *part = &undo->intent->parts[i];
        if (part->left_out || part->now)
            continue;
        st = conn->driver->create(conn, part->was, err);
        undo->ahead[i] = part->fresh = st == BO_OK;
        if (st != BO_OK)
            st = bo_wrap(err, st, "cannot make table '%s'", part->was->name);
    }
    return st;
}

void bo_ahead_finish(bo_undo *undo)
{
    bo_conn *conn = undo->target->conn;
    for (uint32_t i = 0; undo->ahead && i < undo->intent->part_count; i++) {
        const bo_table *was = undo->intent->parts[i].was;
        bo_error error = {0};
        if (undo->ahead[i] && conn->driver->create_after(conn, was, &error) != BO_OK)
            bo_session_warn(undo->session,
                "the rows of table %s are back, but not all that belongs to it: %s", was->name,
                error.text);
    }
}

void bo_ahead_drop(bo_undo *undo)
{
    bo_conn *conn = undo->target->conn;
    for (uint32_t i = 0; undo->ahead && i < undo->intent->part_count; i++) {
        const bo_table *was = undo->intent->parts[i].was;
        bo_error error = {0};
        if (!undo->ahead[i])
            continue;
        bo_status st = conn ? conn->driver->drop_made(conn, was, &error)
                            : bo_fail(&error, BO_DATABASE, "the link to the database broke");
        if (st != BO_OK)
            bo_session_warn(undo->session,
                "table %s was made for the restore and is still there: %s", was->name, error.text);
    }
}
