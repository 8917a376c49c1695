/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/intent.c - what a rollback means to do, entry by entry, before it looks at the rows of
 * now. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "change/seal.h"
#include "change/shape.h"
#include "change/undo.h"

bool bo_undo_table_chosen(const bo_rollback_options *options, const char *name)
{
    bool chosen = options->table_count + options->where_count == 0;
    for (size_t i = 0; i < options->table_count; i++)
        chosen = chosen || strcmp(options->tables[i], name) == 0;
    for (size_t i = 0; i < options->where_count; i++)
        chosen = chosen || strcmp(options->where[i].table, name) == 0;
    return chosen;
}

static bo_status check_names(const bo_undo *undo, const bo_content *content, bo_error *err)
{
    const bo_rollback_options *options = undo->options;
    for (size_t i = 0; i < options->table_count; i++)
        if (bo_content_find(content, options->tables[i]) < 0)
            return bo_fail(err, BO_NOTFOUND, "table '%s' is not in the point", options->tables[i]);
    for (size_t i = 0; i < options->where_count; i++)
        if (bo_content_find(content, options->where[i].table) < 0)
            return bo_fail(
                err, BO_NOTFOUND, "table '%s' is not in the point", options->where[i].table);
    return BO_OK;
}

static bo_status check_part(bo_undo *undo, bo_part *part, uint32_t table, bo_error *err)
{
    bo_shape shape = BO_SHAPE_SAME;
    BO_OWN_VALUE(bo_buf) none = {0}; /* what becomes of a table that is gone is said in the end */
    bo_status st = bo_shape_of(part, undo->arena, &shape, part->now ? &undo->notes : &none, err);
    if (st != BO_OK)
        return st;
    if (part->called)
        return bo_shape_refuse(part, undo->arena, err);
    if (undo->full && part->unstored && shape != BO_SHAPE_SAME)
        return bo_fail(err, BO_REFUSED,
            "table '%s' changed its shape, and its rows at the point are not stored\nits changes "
            "were captured, which ends where the table is dropped or altered",
            part->was->name);
    if (!undo->full && !bo_undo_by_writers(undo) && bo_point_is_open(undo->details, table))
        return bo_fail(err, BO_REFUSED,
            "table '%s' had changed its shape%s when the point was sealed\nwhat the change did to "
            "its rows is not known",
            part->was->name, part->captured ? ", or its capture was broken," : "");
    if (shape == BO_SHAPE_SAME || (undo->full && shape == BO_SHAPE_COLUMNS))
        return BO_OK;
    bool some = part->predicate || undo->options->only_added ||
                bo_undo_predicate(undo->options, part->was->name);
    if (undo->full && shape == BO_SHAPE_DROPPED && some)
        return bo_fail(err, BO_REFUSED,
            "table '%s' is not there, and only some of its rows were asked for", part->was->name);
    if (undo->full && shape == BO_SHAPE_DROPPED)
        return BO_OK;
    const char *file = undo->record.file;
    if (shape == BO_SHAPE_DROPPED && (part->unstored || !file || !file[0]))
        return bo_fail(err, BO_REFUSED,
            "table '%s' is not there, and '%s' has not its rows to make it again", part->was->name,
            undo->record.id);
    return bo_shape_refuse(part, undo->arena, err);
}

/* Type full makes dropped tables and columns again, from the definition in the snapshot.  A table
 * gets its keys, and others their foreign keys to it, when all rows are back. */
static bo_status make_again(bo_undo *undo, bo_part *part, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    bo_shape shape = BO_SHAPE_SAME;
    BO_OWN_VALUE(bo_buf) notes = {0};
    bo_status st = bo_shape_of(part, undo->arena, &shape, &notes, err);
    if (st != BO_OK || shape == BO_SHAPE_SAME)
        return st;
    if (!(conn->driver->caps & BO_CAP_TRANSACTIONAL_DDL))
        return bo_fail(err, BO_REFUSED, "this database cannot make '%s' again inside a transaction",
            part->was->name);
    if (shape == BO_SHAPE_COLUMNS)
        return bo_shape_restore_columns(conn, part, undo->arena, err);
    part->bulk = true; /* nothing is there that others could have written */
    if (undo->options->dry_run)
        return BO_OK;
    st = conn->driver->create(conn, part->was, err);
    if (st == BO_OK)
        st = conn->driver->describe(conn, part->was->name, undo->arena, &part->now, err);
    part->fresh = true;
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot make table '%s' again", part->was->name);
}

static bo_status lock_parts(bo_undo *undo, bo_content *content, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    const bo_table *const *tables = NULL;
    unsigned count = 0;
    bo_status st = bo_content_tables(content, false, undo->arena, &tables, &count, err);
    return st == BO_OK && count ? conn->driver->lock(conn, tables, count, err) : st;
}

static bo_status open_files(bo_undo *undo, bo_error *err)
{
    bo_session *session = undo->session;
    const bo_point_record *record = &undo->record;
    bo_status st = BO_OK;
    if (undo->full || bo_undo_by_writers(undo))
        st = bo_content_open_of(session, record, false, &undo->snapshot, err);
    if (st == BO_OK && undo->sealed)
        st = bo_content_open_of(session, record, true, &undo->change, err);
    if (st == BO_OK && undo->sealed)
        st = bo_content_verify(session, undo->change, false, err);
    return st;
}

/* The rows of the point cannot be read.  Where the change is whole, it can be undone without them.
 */
static bo_status offer_partial(bo_undo *undo, bo_status st, bo_error *err)
{
    bo_error ignored = {0};
    if ((st != BO_CORRUPT && st != BO_NOTFOUND) || !undo->full || !undo->sealed ||
        bo_point_has_table(&undo->record, "open"))
        return st;
    if (!undo->change &&
        bo_content_open_of(undo->session, &undo->record, true, &undo->change, &ignored) != BO_OK)
        return st;
    if (bo_content_verify(undo->session, undo->change, false, &ignored) != BO_OK)
        return st;
    return bo_detail(
        err, st, "the change itself is whole: type partial undoes it without this file");
}

/* Locks come before the first read, then the definitions are read again: nothing can change in
 * between. */
static bo_status lock_and_describe(bo_undo *undo, bo_content *content, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    bo_status st = bo_content_describe(content, conn, err);
    if (st != BO_OK)
        return st;
    for (uint32_t i = 0; i < content->part_count; i++)
        content->parts[i].left_out =
            !bo_undo_table_chosen(undo->options, content->parts[i].was->name);
    st = bo_undo_leave_out_undone(undo, content, err);
    if (st == BO_OK)
        st = conn->driver->begin(conn, BO_TX_WRITE, err);
    if (st == BO_OK && !undo->options->dry_run)
        st = lock_parts(undo, content, err);
    return st == BO_OK ? bo_content_describe(content, conn, err) : st;
}

bo_status bo_undo_prepare(bo_undo *undo, bo_error *err)
{
    bo_status st = open_files(undo, err);
    if (st != BO_OK)
        return offer_partial(undo, st, err);
    bo_content *content = bo_undo_base(undo);
    st = check_names(undo, content, err);
    if (st == BO_OK)
        st = lock_and_describe(undo, content, err);
    if (st == BO_OK)
        st = bo_shape_refuse_twice(content, err);
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++) {
        if (content->parts[i].left_out)
            continue;
        st = check_part(undo, &content->parts[i], i, err);
        if (st == BO_OK && undo->full)
            st = make_again(undo, &content->parts[i], err);
    }
    return st == BO_OK && bo_undo_reads_journal(undo) ? bo_undo_open_journal(undo, err) : st;
}

bo_status bo_undo_spool_intent(
    bo_undo *undo, const bo_part *parts, uint32_t count, bo_draft **out, bo_error *err)
{
    char random[17];
    bo_random_hex(random, 8);
    (void)snprintf(undo->intent_file, sizeof undo->intent_file, "intent_%s.change", random);
    return bo_draft_create(undo->session, BO_PACK_CHANGESET, undo->intent_file, undo->record.id,
        &undo->target->identity, parts, count, out, err);
}

static bo_status count_entries(bo_undo *undo, bo_error *err)
{
    bo_content *intent = undo->intent;
    for (uint32_t i = 0; i < bo_pack_frame_count(intent->pack); i++) {
        const bo_frame *frame = bo_pack_get_frame(intent->pack, i);
        undo->fates[frame->table].entries += frame->rows;
    }
    for (uint32_t i = 0; i < intent->part_count; i++) {
        bo_fate *fate = &undo->fates[i];
        fate->dropped = bo_arena_alloc(undo->arena, fate->entries / 8 + 1);
        fate->listed = bo_arena_alloc(undo->arena, fate->entries / 8 + 1);
        if (!fate->dropped || !fate->listed)
            return bo_nomem(err);
    }
    return BO_OK;
}

bo_status bo_undo_intend(bo_undo *undo, bo_error *err)
{
    bo_status st = BO_OK;
    if (undo->full) {
        st = offer_partial(undo, bo_undo_diff(undo, err), err);
    } else if (bo_undo_by_writers(undo)) {
        st = bo_undo_intend_by_writers(undo, err);
    } else {
        undo->intent = undo->change;
        undo->inverted = true;
        st = bo_undo_read_mixed(undo, err);
    }
    if (st == BO_OK)
        st = count_entries(undo, err);
    if (st == BO_OK)
        st = bo_undo_choose(undo, err);
    if (st == BO_OK && undo->options->by_column && !undo->full) {
        st = bo_undo_merge_columns(undo, err);
        if (st == BO_OK)
            st = count_entries(undo, err);
    }
    return st;
}
