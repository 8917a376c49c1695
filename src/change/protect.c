/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/protect.c - the state before a rollback becomes a point: nothing goes before it is
 * durable. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "change/undo.h"

struct protecting {
    bo_undo *undo;
    uint32_t table;
    bo_draft *draft; /* NULL: only counting */
};

static bo_status keep(void *ctx, const bo_walk *walk, bo_image now, bo_error *err)
{
    struct protecting *protecting = ctx;
    bo_undo *undo = protecting->undo;
    uint32_t table = protecting->table;
    bo_applied *planned = &undo->planned[table];
    if (now.data && walk->target.data)
        planned->updated++;
    else if (now.data)
        planned->deleted++;
    else if (walk->target.data)
        planned->inserted++;
    const bo_table *was = undo->intent->parts[table].was;
    if (now.data)
        bo_digest_add(&undo->going[table], bo_row_values(was, now));
    if (walk->target.data)
        bo_digest_add(&undo->coming[table], bo_row_values(was, walk->target));
    if (!protecting->draft || (!now.data && !walk->target.data))
        return BO_OK;
    return bo_draft_change(protecting->draft, table, now, walk->target, err);
}

/* Undone in place: every row was as the change had left it. */
static bo_status keep_expected(struct protecting *protecting, bo_error *err)
{
    bo_walk walk;
    bo_status st = bo_walk_open(&walk, protecting->undo, protecting->table, false, err);
    while (st == BO_OK) {
        st = bo_walk_next(&walk, err);
        if (st != BO_OK || walk.end)
            break;
        st = keep(protecting, &walk, walk.expected, err);
    }
    bo_walk_done(&walk);
    return st;
}

static bo_status keep_table(struct protecting *protecting, bo_error *err)
{
    if (protecting->undo->in_place)
        return keep_expected(protecting, err);
    bo_undo *undo = protecting->undo;
    uint32_t table = protecting->table;
    const bo_driver *driver = undo->target->conn->driver;
    bool staged = undo->staged[table] != UINT32_MAX;
    /* without a key an equal row that stays is not the row of an entry that comes: only those that
     * were located go */
    bool keyless = !undo->intent->parts[table].was->row_key;
    return bo_walk_meet(undo, table, staged ? undo->stage : NULL, undo->staged[table],
        keyless ? driver->stage_locate : driver->stage_readback, keep, protecting, err);
}

bo_point_record bo_undo_point_record(
    const bo_undo *undo, const char *description, const char *details)
{
    return (bo_point_record){.id = undo->undo_id,
        .kind = "undo",
        .migration = "undo",
        .description = description,
        .database = bo_target_name(undo->target),
        .url = undo->target->url,
        .server = undo->target->identity.server,
        .engine = undo->target->identity.engine,
        .method = "snapshot",
        .status = BO_POINT_CREATING,
        .created_us = bo_clock_now_us(),
        .root = "",
        .change_root = "",
        .parent = undo->record.id,
        .run = undo->run,
        .entities = "{}",
        .details = details};
}

static bo_status record_point(bo_undo *undo, const bo_draft *draft, const char *file, bo_error *err)
{
    BO_OWN(json_ref) *details =
        bo_point_details(undo->intent->parts, undo->intent->part_count, NULL, draft, 0);
    if (details && undo->lost_export &&
        json_object_set_new(details, "lost_root", json_string(undo->lost->root_hex)) != 0)
        return bo_nomem(err);
    BO_OWN_MEM char *text = details ? bo_json_dump(details, JSON_COMPACT) : NULL;
    char *description =
        bo_arena_printf(undo->arena, "state before the rollback of %s", undo->record.id);
    if (!text || !description)
        return bo_nomem(err);
    bo_point_record record = bo_undo_point_record(undo, description, text);
    record.change_file = file;
    record.change_root = draft->root_hex;
    return bo_catalog_point_add(undo->session->catalog, &record, err);
}

/* The rows keep the shape of the point; the table itself and its sequences are those of now, which
 * the undo point goes back to. */
static bo_part *parts_of_now(bo_undo *undo)
{
    const bo_content *intent = undo->intent;
    bo_part *parts = bo_arena_array(undo->arena, (size_t)intent->part_count + 1, sizeof *parts);
    for (uint32_t i = 0; parts && i < intent->part_count; i++) {
        parts[i] = intent->parts[i];
        parts[i].captured = parts[i].unstored = false; /* nothing is captured for an undo point */
        bo_table *was = bo_arena_alloc(undo->arena, sizeof *was);
        if (!was)
            return NULL;
        *was = *parts[i].was;
        if (parts[i].now) {
            was->id = parts[i].now->id;
            was->sequences = parts[i].now->sequences;
            was->sequence_count = parts[i].now->sequence_count;
        }
        parts[i].was = was;
    }
    return parts;
}

bo_status bo_undo_protect(bo_undo *undo, bo_error *err)
{
    struct protecting protecting = {.undo = undo};
    BO_OWN(bo_draft) *draft = NULL;
    char file[BO_ID_SIZE + 16];
    snprintf(file, sizeof file, "%s.change", undo->undo_id);
    bo_part *parts = parts_of_now(undo);
    bo_status st = parts ? BO_OK : bo_nomem(err);
    if (st == BO_OK && !undo->options->dry_run)
        st = bo_draft_create(undo->session, BO_PACK_CHANGESET, file, undo->undo_id,
            &undo->target->identity, parts, undo->intent->part_count, &draft, err);
    protecting.draft = draft;
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++) {
        protecting.table = i;
        st = undo->intent->parts[i].bulk ? bo_undo_keep_bulk(undo, i, draft, err)
                                         : keep_table(&protecting, err);
    }
    if (st != BO_OK || !draft)
        return st;
    st = bo_draft_commit(undo->session, draft, file, err);
    memcpy(undo->plan_digest, draft->root_hex, sizeof undo->plan_digest);
    if (st == BO_OK)
        st = record_point(undo, draft, file, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "the state before the rollback cannot be kept");
}
