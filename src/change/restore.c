/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/restore.c - whole tables straight from a snapshot: existing rows become a point, the
 * tables are emptied and filled, and their digests are the snapshot's before anything is committed.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "change/ahead.h"
#include "change/aside.h"
#include "change/fill.h"
#include "change/road.h"
#include "change/shape.h"
#include "change/snapshot.h"

/* ---- planning ---- */

static bo_status check_point(bo_undo *undo, bo_error *err)
{
    const bo_point_record *record = &undo->record;
    if (!record->file || !record->file[0])
        return bo_fail(err, BO_REFUSED,
            "'%s' holds changes, not whole tables; roll it back with type full or partial",
            record->id);
    if (record->status == BO_POINT_PRUNED)
        return bo_fail(err, BO_REFUSED, "the files of '%s' were removed by prune", record->id);
    if (record->status == BO_POINT_CREATING || record->status == BO_POINT_FAILED)
        return bo_fail(err, BO_REFUSED, "point '%s' is %s and cannot be used", record->id,
            bo_point_status_name(record->status));
    bo_status st = bo_undo_check_real(undo, err);
    return st == BO_OK ? bo_undo_read_details(undo, err) : st;
}

/* Under the run nobody else seals, prunes or rolls back this point: its record holds from here on.
 * Its snapshot, which is open, is never written again. */
static bo_status read_again(bo_undo *undo, bo_error *err)
{
    const char *id = undo->record.id;
    if (!undo->record.kind) /* a file has no record */
        return BO_OK;
    bo_status st =
        bo_catalog_point_find(undo->session->catalog, id, undo->arena, &undo->record, err);
    return st == BO_OK ? check_point(undo, err) : st;
}

static bo_status check_parts(bo_undo *undo, bo_error *err)
{
    bo_content *content = undo->intent;
    for (size_t i = 0; i < undo->options->table_count; i++)
        if (bo_content_find(content, undo->options->tables[i]) < 0)
            return bo_fail(
                err, BO_NOTFOUND, "table '%s' is not in the snapshot", undo->options->tables[i]);
    for (uint32_t i = 0; i < content->part_count; i++) {
        bo_part *part = &content->parts[i];
        part->left_out = !bo_undo_table_chosen(undo->options, part->was->name);
        if (!part->left_out && part->predicate)
            return bo_fail(err, BO_REFUSED,
                "the snapshot holds only chosen rows of '%s'\nemptying the table would lose the "
                "others; use type full or partial",
                part->was->name);
    }
    return BO_OK;
}

static bo_status lock_existing(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    const bo_table *const *tables = NULL;
    unsigned count = 0;
    bo_status st = bo_content_tables(undo->intent, false, undo->arena, &tables, &count, err);
    if (st == BO_OK && count)
        st = conn->driver->lock(conn, tables, count, err);
    return st == BO_OK && count && conn->driver->lock_referring
               ? conn->driver->lock_referring(conn, tables, count, err)
               : st;
}

static bo_status count_now(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        bo_digest digest = {0};
        if (part->left_out)
            continue;
        if (part->now) {
            bo_status st =
                conn->driver->count(conn, part->now, NULL, &undo->planned[i].deleted, err);
            if (st != BO_OK)
                return st;
        }
        bo_pack_table_digest(undo->intent->pack, i, &digest);
        undo->planned[i].inserted = digest.rows;
    }
    return BO_OK;
}

/* All rows of the table are put anew, with the columns that the point has. */
static void note_added_columns(bo_buf *notes, const bo_part *part)
{
    for (uint16_t i = 0; part->now && i < part->now->column_count; i++) {
        const bo_column *column = &part->now->columns[i];
        if (!column->generated && bo_table_column(part->was, column->name) < 0)
            bo_buf_printf(notes,
                "%s: column '%s' gets its default in every row; what it holds now is in the undo "
                "point\n",
                part->was->name, column->name);
    }
}

static bo_status check_shapes(bo_undo *undo, bo_error *err)
{
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        bo_shape shape = BO_SHAPE_SAME;
        if (part->left_out)
            continue;
        if (part->called)
            bo_buf_printf(&undo->notes,
                "%s: the table of the point is called '%s' now, and stays as it is; the rows go "
                "into the one that has its name\n",
                part->was->name, part->called);
        const bo_part seen = {.was = part->was, .now = part->fresh ? NULL : part->now};
        BO_OWN_VALUE(bo_buf) none = {0};
        bo_status st =
            bo_shape_of(&seen, undo->arena, &shape, seen.now ? &undo->notes : &none, err);
        if (st != BO_OK)
            return st;
        note_added_columns(&undo->notes, &seen);
        if (shape == BO_SHAPE_COLUMNS && !bo_ahead_not_needed(undo))
            return bo_fail(err, BO_REFUSED,
                "this database cannot make columns of '%s' again inside a transaction\n"
                "add them by hand; their values come back",
                part->was->name);
        if (shape == BO_SHAPE_BLOCKED)
            return bo_shape_refuse(&seen, undo->arena, err);
    }
    return BO_OK;
}

/* A table that came into being while others were filled aside has its name already. */
static bo_status check_still_missing(bo_undo *undo, bo_error *err)
{
    for (uint32_t i = 0; i < undo->intent->part_count; i++)
        if (undo->intent->parts[i].aside && undo->intent->parts[i].now)
            return bo_fail(err, BO_CONFLICT, "table '%s' was made by others in the meantime",
                undo->intent->parts[i].was->name);
    return BO_OK;
}

static bo_status plan(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    bo_status st = undo->options->dry_run ? BO_OK : read_again(undo, err);
    if (st == BO_OK)
        st = check_parts(undo, err);
    if (st == BO_OK)
        st = bo_undo_allocate(undo, undo->intent->part_count, err);
    if (st == BO_OK)
        st = bo_content_describe(undo->intent, conn, err);
    if (st == BO_OK && !undo->options->dry_run)
        bo_aside_make(undo);
    if (st == BO_OK)
        st = bo_content_verify(undo->session, undo->intent, false, err);
    if (st == BO_OK && !undo->options->dry_run)
        st = bo_ahead_make(undo, err);
    if (st == BO_OK && !undo->options->dry_run)
        st = bo_aside_fill(undo, err);
    if (st == BO_OK)
        st = conn->driver->begin(conn, BO_TX_WRITE, err);
    if (st == BO_OK && !undo->options->dry_run)
        st = lock_existing(undo, err);
    if (st == BO_OK)
        st = bo_content_describe(undo->intent, conn, err);
    if (st == BO_OK)
        st = check_still_missing(undo, err);
    if (st == BO_OK)
        st = bo_shape_refuse_twice(undo->intent, err);
    if (st == BO_OK)
        st = check_shapes(undo, err);
    if (st == BO_OK)
        st = count_now(undo, err);
    return st == BO_OK && undo->options->dry_run ? bo_shape_try(conn, undo->intent, err) : st;
}

static bo_status decide(const bo_undo *undo, bo_error *err)
{
    (void)undo;
    (void)err;
    return BO_OK;
}

/* ---- the state before becomes a point ---- */

struct existing {
    bo_part *parts;
    uint32_t count;
    bo_extent *extents;
};

static bo_status list_existing(bo_undo *undo, struct existing *existing, bo_error *err)
{
    size_t room = (size_t)undo->intent->part_count + 1;
    existing->parts = bo_arena_array(undo->arena, room, sizeof *existing->parts);
    existing->extents = bo_arena_array(undo->arena, room, sizeof *existing->extents);
    if (!existing->parts || !existing->extents)
        return bo_nomem(err);
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        if (part->now && !part->left_out && !part->fresh)
            existing->parts[existing->count++] = (bo_part){.was = part->now, .now = part->now};
    }
    return BO_OK;
}

static bo_status protect(bo_undo *undo, bo_error *err)
{
    struct existing existing = {0};
    char file[BO_ID_SIZE + 16], root[65] = "";
    snprintf(file, sizeof file, "%s.snapshot", undo->undo_id);
    bo_status st = list_existing(undo, &existing, err);
    if (st != BO_OK)
        return st;
    if (existing.count == 0) { /* nothing is there that could be lost */
        undo->nothing_kept = true;
        return BO_OK;
    }
    st = bo_snapshot_write(undo->session, undo->target, existing.parts, existing.count,
        bo_target_workers(undo->target), file, undo->undo_id, existing.extents, root, err);
    BO_OWN(json_ref) *details =
        st == BO_OK ? bo_point_details(existing.parts, existing.count, existing.extents, NULL, 0)
                    : NULL;
    BO_OWN_MEM char *text = details ? bo_json_dump(details, JSON_COMPACT) : NULL;
    if (st != BO_OK || !text)
        return st == BO_OK ? bo_nomem(err)
                           : bo_wrap(err, st, "the state before the restore cannot be kept");
    bo_point_record record = bo_undo_point_record(undo, "state before a restore", text);
    record.file = file;
    record.root = root;
    return bo_catalog_point_add(undo->session->catalog, &record, err);
}

/* ---- emptying and filling ---- */

/* Parents before children; tables of a cycle keep the order they came in. */
static void visit(
    const bo_content *content, uint32_t table, uint8_t *seen, uint32_t *order, uint32_t *count)
{
    if (seen[table])
        return;
    seen[table] = 1;
    const bo_table *was = content->parts[table].was;
    for (uint16_t i = 0; i < was->foreign_key_count; i++) {
        int parent = bo_content_find(content, was->foreign_keys[i].parent);
        if (parent >= 0)
            visit(content, (uint32_t)parent, seen, order, count);
    }
    order[(*count)++] = table;
}

static bo_status make_tables(bo_undo *undo, const uint32_t *order, uint32_t count, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < count; i++) {
        bo_part *part = &undo->intent->parts[order[i]];
        if (part->left_out)
            continue;
        part->fresh = part->fresh || part->now == NULL || part->aside;
        if (part->fresh && !part->now) {
            st = conn->driver->create(conn, part->was, err);
            if (st == BO_OK)
                st = conn->driver->describe(conn, part->was->name, undo->arena, &part->now, err);
        } else if (!part->fresh && bo_ahead_not_needed(undo)) {
            st = bo_shape_restore_columns(conn, part, undo->arena, err);
        }
        if (st != BO_OK)
            st = bo_wrap(err, st, "cannot make table '%s'", part->was->name);
    }
    return st;
}

static bo_status empty_tables(bo_undo *undo, const uint32_t *order, uint32_t count, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    for (uint32_t i = count; i-- > 0;) { /* children first */
        const bo_part *part = &undo->intent->parts[order[i]];
        if (part->left_out || part->fresh || undo->planned[order[i]].deleted == 0)
            continue;
        bo_status st = conn->driver->clear(conn, part->now, &undo->applied[order[i]].deleted, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot empty table '%s'", part->was->name);
    }
    return BO_OK;
}

static bo_status fill_tables(bo_undo *undo, const uint32_t *order, uint32_t count, bo_error *err)
{
    bo_meter meter;
    bo_meter_start(&meter, undo->session, "restore", 0);
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < count; i++)
        if (!undo->intent->parts[order[i]].left_out && !undo->intent->parts[order[i]].aside)
            st = bo_fill_table(undo->intent, order[i], undo->target->conn, &meter,
                &undo->applied[order[i]].inserted, err);
    for (uint32_t i = 0; st == BO_OK && i < count; i++)
        if (!bo_ahead_made(undo, order[i]))
            st = bo_shape_finish(
                undo->target->conn, &undo->intent->parts[order[i]], undo->arena, err);
    return st;
}

static bo_status violations(bo_undo *undo, uint64_t *count_out, bo_buf *example, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    const bo_table *const *tables = NULL;
    unsigned count = 0;
    *count_out = 0;
    bo_status st = bo_content_referring(undo->intent, false, undo->arena, &tables, &count, err);
    if (st != BO_OK || count == 0)
        return st;
    return conn->driver->check_references(conn, tables, count, count_out, example, err);
}

static bo_status prove(bo_undo *undo, bo_error *err)
{
    bool all = true;
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        bo_digest then = {0}, now = {0};
        if (undo->intent->parts[i].left_out || undo->intent->parts[i].aside) /* proved already */
            continue;
        bo_status st = bo_undo_read_digest(undo, i, true, &now, err);
        if (st != BO_OK)
            return st;
        bo_pack_table_digest(undo->intent->pack, i, &then);
        bool match = bo_digest_equal(&then, &now);
        undo->proofs[i] = match ? "match" : "mismatch";
        all = all && match;
    }
    return all ? BO_OK
               : bo_fail(err, BO_MISMATCH,
                     "the rows read back are not those of the snapshot; nothing was changed");
}

static bo_status replace_rows(bo_undo *undo, bo_error *err)
{
    uint32_t parts = undo->intent->part_count, count = 0;
    uint32_t *order = bo_arena_array(undo->arena, (size_t)parts + 1, sizeof *order);
    uint8_t *seen = bo_arena_alloc(undo->arena, (size_t)parts + 1);
    BO_OWN_VALUE(bo_buf) example = {0};
    uint64_t before = 0, after = 0;
    if (!order || !seen)
        return bo_nomem(err);
    for (uint32_t i = 0; i < parts; i++)
        visit(undo->intent, i, seen, order, &count);
    bo_status st = violations(undo, &before, &example, err);
    if (st == BO_OK)
        st = bo_aside_bring(undo, err);
    if (st == BO_OK)
        st = make_tables(undo, order, count, err);
    if (st == BO_OK)
        st = empty_tables(undo, order, count, err);
    if (st == BO_OK)
        st = fill_tables(undo, order, count, err);
    bo_buf_clear(&example);
    if (st == BO_OK)
        st = violations(undo, &after, &example, err);
    if (st == BO_OK && after > before)
        return bo_fail(err, BO_CONFLICT,
            "rows that stay refer to rows that the snapshot does not have\n%s",
            bo_buf_str(&example));
    return st;
}

static bo_status carry_out(bo_undo *undo, bo_error *err)
{
    bo_status st = bo_undo_step(undo, "protecting", NULL, err);
    if (st == BO_OK)
        st = protect(undo, err);
    if (st == BO_OK)
        st = bo_undo_step(undo, "applying", NULL, err);
    if (st == BO_OK)
        st = replace_rows(undo, err);
    if (st == BO_OK)
        st = bo_undo_step(undo, "proving", NULL, err);
    return st == BO_OK ? prove(undo, err) : st;
}

static const bo_road restore_road = {
    .kind = "restore",
    .event = "restore.execute",
    .plan = plan,
    .decide = decide,
    .carry_out = carry_out,
};

/* ---- from a point's id or from a file ---- */

static bo_status open_snapshot(bo_undo *undo, const char *what, bo_error *err)
{
    bo_session *session = undo->session;
    bo_error unknown = {0};
    bo_status st =
        bo_catalog_point_find(session->catalog, what, undo->arena, &undo->record, &unknown);
    if (st == BO_OK) {
        st = check_point(undo, err);
        return st == BO_OK ? bo_content_open_of(session, &undo->record, false, &undo->intent, err)
                           : st;
    }
    if (access(what, F_OK) != 0) {
        if (err)
            *err = unknown;
        return bo_wrap(err, st, "'%s' is neither a point nor a file", what);
    }
    st = bo_content_open_file(session, what, &undo->intent, err);
    if (st == BO_OK && bo_pack_get_kind(undo->intent->pack) != BO_PACK_SNAPSHOT)
        return bo_fail(err, BO_REFUSED, "'%s' holds changes, not whole tables", what);
    undo->record = (bo_point_record){.id = bo_arena_str(undo->arena, what), .details = "{}"};
    return st;
}

/* Rows of a table that is only captured are nowhere but in its journal. */
static bo_status check_stored(const bo_undo *undo, bo_error *err)
{
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        if (part->unstored && bo_undo_table_chosen(undo->options, part->was->name))
            return bo_fail(err, BO_REFUSED,
                "the rows of '%s' are not stored in '%s'\nits changes were captured: type partial "
                "undoes them, and type full while they still are",
                part->was->name, undo->record.id);
    }
    return BO_OK;
}

/* @param target  open and taken over, or NULL: `database` is opened. */
static bo_status restore(bo_session *session, const bo_database *database, bo_target *target,
    const char *what, const char *const *tables, size_t table_count, bool dry_run,
    bo_rollback **out, bo_error *err)
{
    bo_rollback_options options = {.type = BO_ROLLBACK_BACKUP,
        .tables = tables,
        .table_count = table_count,
        .discard_later = true,
        .dry_run = dry_run};
    bo_undo undo = {.session = session,
        .target = target,
        .options = &options,
        .full = true,
        .arena = bo_arena_create()};
    bo_status st = undo.arena ? open_snapshot(&undo, what, err) : bo_nomem(err);
    if (st == BO_OK)
        st = check_stored(&undo, err);
    if (st == BO_OK && !target)
        st = bo_target_open(database, &undo.target, err);
    if (st != BO_OK)
        st = bo_session_audit_end(session, restore_road.event, what, st, NULL, err);
    else
        st = dry_run ? bo_undo_rehearse(&undo, &restore_road, out, err)
                     : bo_undo_execute(&undo, &restore_road, out, err);
    if (st != BO_OK)
        st = bo_wrap(err, st, "cannot restore '%s'", what);
    bo_undo_done(&undo);
    return st;
}

bo_status bo_restore(bo_session *session, const bo_database *database, const char *what,
    const char *const *tables, size_t table_count, bool dry_run, bo_rollback **out, bo_error *err)
{
    return restore(session, database, NULL, what, tables, table_count, dry_run, out, err);
}

bo_status bo_restore_over(bo_session *session, bo_target *target, const char *what,
    const bo_rollback_options *options, bo_rollback **out, bo_error *err)
{
    return restore(session, target->database, target, what, options->tables, options->table_count,
        options->dry_run, out, err);
}
