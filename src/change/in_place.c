/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/in_place.c - type partial where the rows are: the seal kept what the change did in the
 * database, so undoing it needs no row to travel.
 *
 * It is tried while planning, like bulk.c, inside the transaction: it takes only rows that are as
 * the change left them and reads back what it wrote; when it meets anything else, or a right
 * is missing for it, it is undone and the rollback goes the longer way, which names the conflicts.
 */
#include <string.h>

#include "base/step.h"
#include "change/undo.h"

/* The whole sealed change, nothing chosen, nobody's row in between.  What a seal that failed has
 * kept is not what was sealed. */
static bool is_whole(const bo_undo *undo)
{
    const bo_rollback_options *options = undo->options;
    if (undo->full || options->dry_run || options->table_count || options->where_count ||
        options->only_added || options->by_column || options->type != BO_ROLLBACK_PARTIAL ||
        bo_undo_by_writers(undo) || !undo->journal)
        return false;
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        if (undo->fates[i].entries == 0)
            continue;
        if (!part->captured || part->left_out || !part->now || undo->journal->broken[i] ||
            undo->mixed[i].count ||
            !json_is_true(json_object_get(bo_undo_recorded(undo, i), "kept")))
            return false;
    }
    return true;
}

static bo_applied inverse_of_change(const json_t *table)
{
    return (bo_applied){
        .inserted = (uint64_t)json_integer_value(json_object_get(table, "deleted")),
        .updated = (uint64_t)json_integer_value(json_object_get(table, "updated")),
        .deleted = (uint64_t)json_integer_value(json_object_get(table, "inserted")),
    };
}

static void note_done(bo_undo *undo, const bo_applied *done)
{
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        if (undo->fates[i].entries == 0)
            continue;
        undo->applied[i] = *done++;
        undo->proofs[i] = "match";
    }
    undo->in_place = true;
}

bo_status bo_undo_try_in_place(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    const bo_capture_driver *capture = conn->driver->capture;
    if (!capture || !capture->undo_kept)
        return BO_OK;
    if (!is_whole(undo))
        return BO_OK;
    size_t parts = (size_t)undo->intent->part_count + 1;
    const bo_table **tables = bo_arena_array(undo->arena, parts, sizeof *tables);
    bo_applied *wanted = bo_arena_array(undo->arena, parts, sizeof *wanted);
    if (!tables || !wanted)
        return bo_nomem(err);
    unsigned count = 0;
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        if (undo->fates[i].entries == 0)
            continue;
        tables[count] = undo->intent->parts[i].now;
        wanted[count++] = inverse_of_change(bo_undo_recorded(undo, i));
    }
    if (count == 0)
        return BO_OK;
    bo_error longer = {0};
    bo_status st = capture->undo_kept(conn, tables, count, undo->record.id, wanted, &longer);
    if (st == BO_CONFLICT || st == BO_UNSUPPORTED || st == BO_DENIED)
        return BO_OK; /* not after BO_BUSY: the longer way would wait for the same rows again */
    if (st != BO_OK) {
        if (err)
            *err = longer;
        return st;
    }
    bo_step("rollback.undone-in-place");
    note_done(undo, wanted);
    return BO_OK;
}
