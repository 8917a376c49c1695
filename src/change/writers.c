/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/writers.c - a rollback of what chosen writers did: a database user, a run, the
 * transactions that depend on the change.  The journals tell it, not the seal.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "change/diff.h"
#include "change/seal.h"
#include "change/undo.h"

bool bo_undo_by_writers(const bo_undo *undo)
{
    const bo_rollback_options *options = undo->options;
    return options->type == BO_ROLLBACK_PARTIAL &&
           (options->user || options->run || undo->transaction_count);
}

/* The change itself is what a user or a run did, not what was sealed. */
static bool is_chosen(const bo_undo *undo)
{
    const bo_rollback_options *options = undo->options;
    return options->type == BO_ROLLBACK_PARTIAL && (options->user || options->run);
}

bo_content *bo_undo_base(const bo_undo *undo)
{
    return undo->full || is_chosen(undo) ? undo->snapshot : undo->change;
}

bool bo_undo_is_captured(const bo_undo *undo)
{
    const bo_content *content = bo_undo_base(undo);
    for (uint32_t i = 0; i < content->part_count; i++)
        if (content->parts[i].captured && !content->parts[i].left_out)
            return true;
    return false;
}

bool bo_undo_reads_journal(const bo_undo *undo)
{
    return undo->full || bo_undo_by_writers(undo) || undo->options->mode == BO_BACKOUT_CASCADE ||
           bo_point_has_table(&undo->record, "kept");
}

bo_status bo_undo_open_journal(bo_undo *undo, bo_error *err)
{
    bo_content *content = bo_undo_base(undo);
    if (undo->journal || !bo_undo_is_captured(undo))
        return BO_OK;
    bo_status st = bo_journal_open(undo->target, &undo->record, content, &undo->journal, err);
    if (st == BO_OK && undo->full)
        st = bo_journal_use_unstored(content, undo->journal, err);
    return st;
}

/* ---- the intent of chosen writers ---- */

/* Only captured tables know who wrote. */
static bo_status leave_out_unknown(bo_undo *undo, bo_content *base, bo_error *err)
{
    bool any = false;
    const bo_capture_driver *capture = undo->target->conn->driver->capture;
    if (capture && !capture->tag)
        return bo_fail(
            err, BO_REFUSED, "%s does not tell who wrote", undo->target->identity.engine);
    for (uint32_t i = 0; i < base->part_count; i++) {
        bo_part *part = &base->parts[i];
        if (part->left_out)
            continue;
        const char *why = !part->captured ? "its changes were not captured"
                          : undo->journal ? undo->journal->broken[i]
                                          : NULL;
        if (why && (undo->options->table_count || undo->options->where_count)) /* it is named */
            return bo_fail(
                err, BO_REFUSED, "who wrote to table '%s' is not known\n%s", part->was->name, why);
        if (why)
            bo_buf_printf(&undo->notes, "%s is left alone: who wrote to it is not known (%s)\n",
                part->was->name, why);
        part->left_out = part->left_out || why;
        any = any || !part->left_out;
    }
    if (!any)
        return bo_fail(err, BO_REFUSED,
            "who wrote is not known of any table of '%s'\na point taken with --method capture or "
            "both knows it",
            undo->record.id);
    return bo_buf_check(&undo->notes, err);
}

bo_status bo_undo_writers_filter(const bo_undo *undo, bo_journal_filter *filter, bo_error *err)
{
    const bo_rollback_options *options = undo->options;
    *filter = (bo_journal_filter){.from = undo->journal->filter.from,
        .run = options->run,
        .user = options->user,
        .transactions = undo->transactions,
        .transaction_count = undo->transaction_count};
    if (options->user || options->run)
        return BO_OK;
    if (!undo->sealed)
        return bo_fail(err, BO_REFUSED, "point '%s' is not sealed", undo->record.id);
    filter->to = undo->journal->filter.to;
    filter->run = undo->journal->run;
    return BO_OK;
}

struct spool {
    bo_undo *undo;
    bo_draft *draft;
    const bool *sealed; /* of each part: it is in no journal, and taken from the sealed change */
    uint32_t next;      /* part up to which those are copied */
};

static bo_status copy_sealed(struct spool *spool, uint32_t end, bo_error *err)
{
    bo_status st = BO_OK;
    for (; st == BO_OK && spool->next < end; spool->next++) {
        if (!spool->sealed[spool->next])
            continue;
        bo_changes changes;
        st = bo_changes_open_at(&changes, spool->undo->change, spool->next, err);
        while (st == BO_OK) {
            st = bo_changes_next(&changes, err);
            if (st != BO_OK || changes.end || changes.table != spool->next)
                break;
            st = bo_draft_change(spool->draft, changes.table, changes.before, changes.after, err);
        }
        bo_changes_done(&changes);
    }
    return st;
}

static bo_status spool_change(
    void *ctx, uint32_t table, bo_image before, bo_image after, bo_error *err)
{
    struct spool *spool = ctx;
    bo_status st = copy_sealed(spool, table, err);
    return st == BO_OK ? bo_draft_change(spool->draft, table, before, after, err) : st;
}

/* Parts that are in no journal are not read again. */
static bo_status read_journals(bo_undo *undo, bo_content *base, const bo_journal_filter *filter,
    bo_draft *draft, bo_error *err)
{
    bool *sealed = bo_arena_array(undo->arena, (size_t)base->part_count + 1, sizeof *sealed);
    if (!sealed)
        return bo_nomem(err);
    for (uint32_t i = 0; i < base->part_count; i++) {
        bo_part *part = &base->parts[i];
        sealed[i] = !part->left_out && (!part->captured || undo->journal->broken[i]);
        part->journal = part->left_out || sealed[i] ? NULL : filter;
        part->left_out = part->left_out || sealed[i];
    }
    struct spool spool = {.undo = undo, .draft = draft, .sealed = sealed};
    bo_diff_result result = {.operation = "diff", .mixed = undo->mixed};
    bo_status st =
        bo_diff(undo->session, undo->target, base, 1, spool_change, &spool, &result, err);
    for (uint32_t i = 0; i < base->part_count; i++)
        base->parts[i].left_out = base->parts[i].left_out && !sealed[i];
    return st == BO_OK ? copy_sealed(&spool, base->part_count, err) : st;
}

/* A name that was mistyped looks like one whose writes are undone already. */
static void note_nothing(bo_undo *undo)
{
    const bo_rollback_options *options = undo->options;
    if (!is_chosen(undo) || bo_pack_frame_count(undo->intent->pack) > 0)
        return;
    bo_buf_printf(&undo->notes,
        "nothing that %s '%s' wrote since the point is there to be undone\n",
        options->user ? "user" : "run", options->user ? options->user : options->run);
}

bo_status bo_undo_intend_by_writers(bo_undo *undo, bo_error *err)
{
    bo_content *base = bo_undo_base(undo);
    bo_journal_filter *filter = bo_arena_alloc(base->arena, sizeof *filter);
    if (!filter)
        return bo_nomem(err);
    bo_status st = is_chosen(undo) ? leave_out_unknown(undo, base, err) : BO_OK;
    if (st == BO_OK)
        st = bo_undo_writers_filter(undo, filter, err);
    BO_OWN(bo_draft) *draft = NULL;
    if (st == BO_OK)
        st = bo_undo_spool_intent(undo, base->parts, base->part_count, &draft, err);
    if (st == BO_OK)
        st = read_journals(undo, base, filter, draft, err);
    if (st == BO_OK)
        st = bo_draft_commit(undo->session, draft, undo->intent_file, err);
    if (st == BO_OK)
        st = bo_content_open(undo->session, undo->intent_file, NULL, &undo->intent, err);
    for (uint32_t i = 0; st == BO_OK && i < base->part_count; i++) {
        undo->intent->parts[i].now = base->parts[i].now;
        undo->intent->parts[i].left_out = base->parts[i].left_out;
    }
    if (st == BO_OK)
        note_nothing(undo);
    undo->inverted = true;
    return st == BO_OK ? bo_buf_check(&undo->notes, err) : st;
}

/* ---- rows that others wrote between two writes of the sealed change ---- */

static bo_status read_keys(bo_undo *undo, uint32_t table, const json_t *keys, bo_error *err)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *hex = json_string_value(json_array_get(keys, i));
        BO_OWN_VALUE(bo_buf) key = {0};
        if (!hex || !bo_text_unhex(&key, hex, strlen(hex)))
            return bo_fail(
                err, BO_CORRUPT, "the catalog's record of '%s' cannot be read", undo->record.id);
        bo_status st =
            bo_mixed_add(&undo->mixed[table], undo->arena, (bo_span){key.data, key.size}, err);
        if (st != BO_OK)
            return st;
    }
    bo_mixed_sort(&undo->mixed[table]);
    return BO_OK;
}

bo_status bo_undo_read_mixed(bo_undo *undo, bo_error *err)
{
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++)
        st = read_keys(undo, i, json_object_get(bo_undo_recorded(undo, i), "mixed"), err);
    return st;
}
