/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/walk.c - the entries of an intent in the order of their ids, alone or beside the rows
 * of now. */
#include "change/undo.h"

bool bo_fate_dropped(const bo_fate *fate, uint64_t id)
{
    return fate->dropped[id / 8] >> (id % 8) & 1;
}

void bo_fate_drop(bo_fate *fate, uint64_t id)
{
    fate->dropped[id / 8] = (uint8_t)(fate->dropped[id / 8] | 1u << (id % 8));
}

bo_status bo_walk_open(bo_walk *walk, bo_undo *undo, uint32_t table, bool all, bo_error *err)
{
    *walk = (bo_walk){.undo = undo, .table = table, .all = all};
    return bo_changes_open_at(&walk->changes, undo->intent, table, err);
}

void bo_walk_done(bo_walk *walk)
{
    bo_changes_done(&walk->changes);
}

bo_status bo_walk_next(bo_walk *walk, bo_error *err)
{
    do {
        bo_status st = bo_changes_next(&walk->changes, err);
        if (st != BO_OK)
            return st;
        if (walk->changes.end || walk->changes.table != walk->table) {
            walk->end = true;
            return BO_OK;
        }
        walk->id++;
    } while (!walk->all && bo_fate_dropped(&walk->undo->fates[walk->table], walk->id));
    bool inverted = walk->undo->inverted;
    walk->expected = inverted ? walk->changes.after : walk->changes.before;
    walk->target = inverted ? walk->changes.before : walk->changes.after;
    return BO_OK;
}

bo_status bo_walk_stage(void *ctx, bo_stage_entry *entry_out, bool *end_out, bo_error *err)
{
    bo_walk *walk = ctx;
    bo_status st = bo_walk_next(walk, err);
    if (st != BO_OK)
        return st;
    *end_out = walk->end;
    *entry_out = (bo_stage_entry){.id = walk->id,
        .has_target = walk->target.data != NULL,
        .row = walk->target.data ? walk->target : walk->expected};
    return BO_OK;
}

/* ---- beside the rows of now ---- */

struct meeting {
    bo_walk walk;
    bo_meet_fn *each;
    void *ctx;
};

static bo_status meet_entry(struct meeting *meeting, bo_image now, bo_error *err)
{
    bo_status st = meeting->each(meeting->ctx, &meeting->walk, now, err);
    return st == BO_OK ? bo_walk_next(&meeting->walk, err) : st;
}

/* Rows arrive by ascending id; entries that are passed on the way have no row now. */
static bo_status meet_row(void *ctx, uint64_t id, bo_image row, bo_error *err)
{
    struct meeting *meeting = ctx;
    bo_status st = BO_OK;
    while (st == BO_OK && !meeting->walk.end && meeting->walk.id < id)
        st = meet_entry(meeting, (bo_image){0}, err);
    if (st == BO_OK && (meeting->walk.end || meeting->walk.id != id))
        return bo_fail(err, BO_DATABASE, "a row was found for an entry that was not asked for");
    return st == BO_OK ? meet_entry(meeting, row, err) : st;
}

bo_status bo_walk_meet(bo_undo *undo, uint32_t table, bo_stage *stage, unsigned position,
    bo_stage_find *find, bo_meet_fn *each, void *ctx, bo_error *err)
{
    struct meeting meeting = {.each = each, .ctx = ctx};
    bo_status st = bo_walk_open(&meeting.walk, undo, table, false, err);
    if (st == BO_OK)
        st = bo_walk_next(&meeting.walk, err);
    if (st == BO_OK && stage)
        st = find(stage, position, meet_row, &meeting, err);
    while (st == BO_OK && !meeting.walk.end)
        st = meet_entry(&meeting, (bo_image){0}, err);
    bo_walk_done(&meeting.walk);
    return st;
}
