/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/columns.c - conflicts by column: a row that others changed in columns the change did
 * not touch keeps their values and gets its own back.  The intent is rewritten: such a row is
 * expected as it is now, and its target is the row of now with the before-image's values in the
 * columns of the change.
 */
#include <string.h>

#include "change/undo.h"

struct merging {
    bo_undo *undo;
    uint32_t table;
    bo_draft *draft;
    bo_buf merged;
};

/* Columns that belong together by a unique or foreign key must not come from two writers. */
static bool key_spans(const bo_table *was, const uint16_t *columns, uint16_t count,
    const bool *ours, const bool *theirs)
{
    bool has_ours = false, has_theirs = false;
    for (uint16_t i = 0; i < count; i++) {
        int at = bo_table_image_position(was, columns[i]);
        has_ours = has_ours || (at >= 0 && ours[at]);
        has_theirs = has_theirs || (at >= 0 && theirs[at]);
    }
    return has_ours && has_theirs;
}

static bool foreign_key_spans(
    const bo_table *was, const bo_foreign_key *key, const bool *ours, const bool *theirs)
{
    uint16_t columns[64];
    uint16_t count = 0;
    for (uint16_t i = 0; i < key->count && i < 64; i++) {
        int column = bo_table_column(was, key->child_columns[i]);
        if (column >= 0)
            columns[count++] = (uint16_t)column;
    }
    return key_spans(was, columns, count, ours, theirs);
}

static bool can_merge(const bo_table *was, const bool *ours, const bool *theirs)
{
    for (uint16_t i = 0; i < was->image_count; i++)
        if (ours[i] && theirs[i])
            return false;
    for (uint16_t i = 0; i < was->key_count; i++)
        if (key_spans(was, was->keys[i].columns, was->keys[i].count, ours, theirs))
            return false;
    for (uint16_t i = 0; i < was->foreign_key_count; i++)
        if (foreign_key_spans(was, &was->foreign_keys[i], ours, theirs))
            return false;
    return true;
}

/* Writes the entry: merged when both wrote to different columns, otherwise as it was. */
static bo_status write_entry(void *ctx, const bo_walk *walk, bo_image now, bo_error *err)
{
    struct merging *merging = ctx;
    const bo_table *was = merging->undo->intent->parts[merging->table].was;
    bo_image expected = walk->expected, target = walk->target;
    if (!now.data || !expected.data || !target.data || bo_row_equal(was, now, expected))
        return bo_draft_change(merging->draft, merging->table, expected, target, err);
    bool ours[BO_COLUMNS_MAX], theirs[BO_COLUMNS_MAX];
    for (uint16_t i = 0; i < was->image_count; i++) {
        ours[i] = !bo_value_equal(bo_image_value(expected, i), bo_image_value(target, i));
        theirs[i] = !bo_value_equal(bo_image_value(expected, i), bo_image_value(now, i));
    }
    if (!can_merge(was, ours, theirs))
        return bo_draft_change(merging->draft, merging->table, expected, target, err);
    bo_buf_clear(&merging->merged);
    uint16_t count = bo_image_count(now);
    bo_image_begin(&merging->merged, count);
    for (uint16_t i = 0; i < count; i++) {
        bo_value value = bo_image_value(i < was->image_count && ours[i] ? target : now, i);
        if (value.size < 0)
            bo_image_add_null(&merging->merged);
        else
            bo_image_add(&merging->merged, value.data, value.size);
    }
    bo_status st = bo_buf_check(&merging->merged, err);
    bo_image merged = {merging->merged.data, merging->merged.size};
    return st == BO_OK ? bo_draft_change(merging->draft, merging->table, now, merged, err) : st;
}

static bo_status merge_table(struct merging *merging, bo_error *err)
{
    bo_undo *undo = merging->undo;
    bo_conn *conn = undo->target->conn;
    const bo_part *part = &undo->intent->parts[merging->table];
    bo_stage_table staged = {part->was, part->now};
    BO_OWN(bo_stage) *stage = NULL;
    bo_walk walk;
    bo_status st = conn->driver->stage_open(conn, &staged, 1, &stage, err);
    if (st != BO_OK)
        return st;
    st = bo_walk_open(&walk, undo, merging->table, false, err);
    if (st == BO_OK)
        st = conn->driver->stage_fill(stage, 0, bo_walk_stage, &walk, err);
    bo_walk_done(&walk);
    return st == BO_OK ? bo_walk_meet(undo, merging->table, stage, 0, conn->driver->stage_locate,
                             write_entry, merging, err)
                       : st;
}

static bo_status write_intent(struct merging *merging, bo_error *err)
{
    bo_undo *undo = merging->undo;
    bo_status st = bo_undo_spool_intent(
        undo, undo->intent->parts, undo->intent->part_count, &merging->draft, err);
    for (merging->table = 0; st == BO_OK && merging->table < undo->intent->part_count;
         merging->table++)
        if (undo->fates[merging->table].entries && undo->intent->parts[merging->table].now)
            st = merge_table(merging, err);
    return st == BO_OK ? bo_draft_commit(undo->session, merging->draft, undo->intent_file, err)
                       : st;
}

/* The intent that was rewritten: the sealed change stays open, what was spooled for it goes. */
static void drop_intent(bo_undo *undo, const char *file)
{
    bo_error ignored = {0}; /* a file that stays is a stray one, which prune removes */
    if (undo->intent == undo->change)
        return;
    bo_content_free(undo->intent);
    (void)bo_repository_remove(undo->session->repository, file, &ignored);
}

bo_status bo_undo_merge_columns(bo_undo *undo, bo_error *err)
{
    struct merging merging = {.undo = undo};
    char before[sizeof undo->intent_file];
    BO_OWN(bo_content) *intent = NULL;
    memcpy(before, undo->intent_file, sizeof before);
    bo_status st = write_intent(&merging, err);
    bo_draft_free(merging.draft);
    bo_buf_done(&merging.merged);
    if (st == BO_OK)
        st = bo_content_open(undo->session, undo->intent_file, NULL, &intent, err);
    if (st != BO_OK) {
        memcpy(undo->intent_file, before, sizeof before);
        return st;
    }
    for (uint32_t i = 0; i < intent->part_count; i++) {
        intent->parts[i].now = undo->intent->parts[i].now;
        intent->parts[i].left_out = undo->intent->parts[i].left_out;
        undo->fates[i] = (bo_fate){0};
    }
    drop_intent(undo, before);
    undo->intent = BO_TAKE(intent);
    undo->inverted = false;
    return BO_OK;
}
