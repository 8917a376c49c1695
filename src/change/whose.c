/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/whose.c - what the dependents are looked for: mode cascade undoes them, and conflicts
 * say whose they are. */
#include <string.h>

#include "change/dependents.h"

static void note_unknown(bo_undo *undo)
{
    const bo_content *content = bo_undo_base(undo);
    if (!undo->journal)
        bo_buf_add_str(&undo->notes,
            "nothing of this point is captured: dependent transactions cannot be told\n");
    for (uint32_t i = 0; undo->journal && i < content->part_count; i++)
        if (undo->journal->broken[i])
            bo_buf_printf(&undo->notes, "%s: dependent transactions cannot be told: %s\n",
                content->parts[i].was->name, undo->journal->broken[i]);
}

bo_status bo_undo_follow_dependents(bo_undo *undo, bo_error *err)
{
    note_unknown(undo);
    bo_status st = bo_undo_find_dependents(undo, err);
    if (st != BO_OK || undo->dependents->count == 1)
        return st;
    undo->transactions = undo->dependents->transactions;
    undo->transaction_count = undo->dependents->count - 1;
    bo_buf_add_str(&undo->notes,
        "dependent transactions are undone in the captured tables of the point; what they wrote "
        "elsewhere stays\n");
    return bo_buf_check(&undo->notes, err);
}

/* ---- whose the conflicts are ---- */

static bo_status name_conflict(bo_undo *undo, bo_undo_conflict *conflict, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) key = {0};
    bo_image row = {conflict->image, conflict->image_size};
    bo_status st = bo_row_key(undo->intent->parts[conflict->table].was, row, &key, err);
    if (st != BO_OK)
        return st;
    const bo_mark *used =
        bo_marks_find(&undo->dependents->used, conflict->table, (bo_span){key.data, key.size});
    if (!used)
        return BO_OK;
    const char *name = bo_dependent_name(&undo->dependents->nodes[used->node], undo->arena);
    bool tied = conflict->conflict_class >= BO_CLASS_CONSTRAINT;
    if (name && name[0])
        name = bo_arena_printf(
            undo->arena, "%s, %sby %s", conflict->because, tied ? "written " : "", name);
    if (!name)
        return bo_nomem(err);
    conflict->because = name[0] ? name : conflict->because;
    return BO_OK;
}

static bo_status name_conflicts(bo_undo *undo, bo_error *err)
{
    bo_status st = bo_undo_open_journal(undo, err);
    if (st == BO_OK && !undo->dependents)
        st = bo_undo_find_dependents(undo, err);
    for (size_t i = 0; st == BO_OK && i < undo->listed; i++)
        st = name_conflict(undo, &undo->conflicts[i], err);
    return st;
}

/* What fails in here is undone: the transaction goes on without it. */
bo_status bo_undo_name_dependents(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    if (undo->full || undo->conflict_count == 0 || !bo_undo_is_captured(undo))
        return BO_OK;
    bo_status st = conn->driver->exec(conn, "SAVEPOINT backout_dependents", err);
    if (st != BO_OK)
        return st;
    bo_error unknown = {0};
    bo_status found = name_conflicts(undo, &unknown);
    if (found == BO_INTERRUPTED) {
        if (err)
            *err = unknown;
        return found;
    }
    if (found != BO_OK) {
        bo_dependents_done(undo->dependents);
        undo->dependents = NULL;
        bo_buf_printf(&undo->notes, "whose the conflicts are is not known: %.*s\n",
            (int)strcspn(unknown.text, "\n"), unknown.text);
        st = conn->driver->exec(conn, "ROLLBACK TO SAVEPOINT backout_dependents", err);
    }
    if (st == BO_OK)
        st = conn->driver->exec(conn, "RELEASE SAVEPOINT backout_dependents", err);
    return st == BO_OK ? bo_buf_check(&undo->notes, err) : st;
}
