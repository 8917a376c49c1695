/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/outcome.c - a rollback as its callers see it. */
#include <string.h>

#include "change/dependents.h"
#include "change/result.h"
#include "change/seal.h"
#include "change/shown.h"

void bo_rollback_free(bo_rollback *rollback)
{
    bo_result_free(rollback);
}

const char *bo_rollback_type_name(bo_rollback_type type)
{
    static const char *const names[] = {"full", "partial", "backup"};
    return names[type];
}

/* ---- keys as text ---- */

static bo_status name_conflicts(
    bo_undo *undo, bo_arena *arena, bo_conflict *conflicts, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    bo_named_row *named = bo_arena_array(undo->arena, undo->listed + 1, sizeof *named);
    if (!named)
        return bo_nomem(err);
    for (size_t i = 0; i < undo->listed; i++) {
        const bo_undo_conflict *from = &undo->conflicts[i];
        named[i] = (bo_named_row){.table = from->table, .row = {from->image, from->image_size}};
        const char **columns = bo_arena_array(arena, from->column_count + 1, sizeof *columns);
        if (!columns)
            return bo_nomem(err);
        for (size_t c = 0; c < from->column_count; c++)
            columns[c] = bo_arena_str(arena, from->columns[c]);
        conflicts[i] =
            (bo_conflict){.table = bo_arena_str(arena, undo->intent->parts[from->table].was->name),
                .key = "?",
                .conflict_class = bo_conflict_class_name(from->conflict_class),
                .because = bo_arena_str(arena, from->because),
                .column_count = from->column_count,
                .columns = columns};
    }
    if (!conn || !undo->intent)
        return BO_OK;
    bo_status st = bo_name_rows(conn, undo->intent, arena, named, undo->listed, err);
    for (size_t i = 0; st == BO_OK && i < undo->listed; i++)
        conflicts[i].key = named[i].key;
    return st;
}

/* ---- the whole ---- */

static bool has_view(const bo_table *table, const char *name)
{
    for (uint16_t i = 0; i < table->view_count; i++)
        if (strcmp(table->views[i], name) == 0)
            return true;
    return false;
}

/* Views went with a table or column that was dropped; no rollback makes them again. */
static void note_views(bo_undo *undo)
{
    for (uint32_t i = 0; undo->intent && i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        for (uint16_t v = 0; !part->left_out && part->now && v < part->was->view_count; v++)
            if (!has_view(part->now, part->was->views[v]))
                bo_buf_printf(&undo->notes,
                    "%s: view '%s', which read it, is gone and is not made again\n",
                    part->was->name, part->was->views[v]);
    }
}

static bool is_part(const bo_undo *undo, const char *name)
{
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        if (!part->left_out && part->now && strcmp(part->now->name, name) == 0)
            return true;
    }
    return false;
}

static bool is_touched(const bo_undo *undo, uint32_t i, bool done)
{
    const bo_applied *counts = done ? &undo->applied[i] : &undo->planned[i];
    return counts->inserted + counts->updated + counts->deleted > 0;
}

/* What triggers keep elsewhere, as an index for searches, no longer fits the rows. */
static void note_kept(bo_undo *undo, bool done)
{
    for (uint32_t i = 0; undo->intent && i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        if (part->left_out || !part->now || !is_touched(undo, i, done))
            continue;
        for (uint16_t k = 0; k < part->now->kept_count; k++)
            if (!is_part(undo, part->now->kept[k]))
                bo_buf_printf(&undo->notes,
                    "%s: none of its triggers %s: what they keep in %s, which is not in the point, "
                    "is to be rebuilt\n",
                    part->was->name, done ? "fired" : "fires", part->now->kept[k]);
    }
}

/* Tables that are made again.  The undo point has their rows, not that they were not there. */
static void note_made_again(bo_undo *undo, bool done)
{
    const bool restored = undo->options->type == BO_ROLLBACK_BACKUP;
    const char *undone = undo->nothing_kept ? ""
                         : restored         ? "; the undo point leaves it as it is"
                                            : "; the undo point leaves it there, empty";
    for (uint32_t i = 0; undo->full && undo->intent && i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        if (part->left_out || (part->now && !part->fresh))
            continue;
        bo_buf_printf(&undo->notes, "%s: the table %s not there, and %s made again",
            part->was->name, done ? "was" : "is", done ? "was" : "will be");
        if (done)
            bo_buf_add_str(&undo->notes, undone);
        else if (!bo_point_is_open(undo->details, i)) /* the change did not do it */
            bo_buf_add_str(
                &undo->notes, "; if it was renamed, rename it back first instead: it has the rows");
        bo_buf_add_str(&undo->notes, "\n");
    }
}

static bo_status list_notes(bo_undo *undo, bo_arena *arena, bo_rollback *out, bo_error *err)
{
    note_made_again(undo, strcmp(out->status, "done") == 0);
    note_views(undo);
    note_kept(undo, strcmp(out->status, "done") == 0);
    bo_status st = bo_buf_check(&undo->notes, err);
    if (st != BO_OK)
        return st;
    bo_texts notes = {.arena = arena};
    for (const char *line = bo_buf_str(&undo->notes); st == BO_OK && *line;) {
        size_t size = strcspn(line, "\n");
        st = bo_texts_add(&notes, line, size, err);
        line += size + (line[size] == '\n');
    }
    out->notes = notes.items;
    out->note_count = notes.count;
    return st;
}

static bo_status list_tables(
    bo_undo *undo, bo_arena *arena, const char *status, bo_rollback *out, bo_error *err)
{
    bool done = strcmp(status, "done") == 0;
    bool counts = done || strcmp(status, "planned") == 0; /* else nothing was applied */
    uint32_t parts = undo->intent ? undo->intent->part_count : 0;
    bo_rollback_table *tables = bo_arena_array(arena, (size_t)parts + 1, sizeof *tables);
    if (!tables)
        return bo_nomem(err);
    for (uint32_t i = 0; i < parts; i++) {
        if (undo->intent->parts[i].left_out)
            continue;
        const bo_applied *applied = done ? &undo->applied[i] : &undo->planned[i];
        tables[out->table_count++] = (bo_rollback_table){
            .name = bo_arena_str(arena, undo->intent->parts[i].was->name),
            .inserted = applied->inserted,
            .updated = applied->updated,
            .deleted = applied->deleted,
            .conflicts = undo->conflicts_of[i],
            .lost = undo->lost_of[i],
            .proof = undo->proofs[i] ? undo->proofs[i] : "",
        };
        if (!counts)
            continue;
        out->inserted += applied->inserted;
        out->updated += applied->updated;
        out->deleted += applied->deleted;
    }
    out->tables = tables;
    return BO_OK;
}

static const char *whole_proof(const bo_undo *undo)
{
    const char *worst = "";
    for (uint32_t i = 0; undo->intent && i < undo->intent->part_count; i++) {
        const char *proof = undo->proofs[i];
        if (!proof)
            continue;
        if (strcmp(proof, "mismatch") == 0)
            return "mismatch";
        if (strcmp(worst, "inconclusive") != 0)
            worst = proof;
    }
    return worst;
}

bo_status bo_undo_outcome(
    bo_undo *undo, const char *status, double seconds, bo_rollback **out, bo_error *err)
{
    bo_arena *arena = NULL;
    BO_OWN(bo_rollback) *owned = bo_result_create(sizeof *owned, &arena);
    if (!owned)
        return bo_nomem(err);
    bo_conflict *conflicts = bo_arena_array(arena, undo->listed + 1, sizeof *conflicts);
    if (!conflicts)
        return bo_nomem(err);
    *owned = (bo_rollback){.id = bo_arena_str(arena, undo->record.id),
        .type = bo_rollback_type_name(undo->options->type),
        .status = status,
        .conflict_count = undo->conflict_count,
        .conflict_listed = undo->listed,
        .conflicts = conflicts,
        .lost_rows = undo->lost_rows,
        .lost_unclear = undo->lost_unclear,
        .lost_export = bo_arena_str(arena, undo->lost_export),
        .proof = whole_proof(undo),
        .undo_point = strcmp(status, "done") == 0 && undo->undo_id[0] && !undo->nothing_kept
                          ? bo_arena_str(arena, undo->undo_id)
                          : NULL,
        .plan_digest = bo_arena_str(arena, undo->plan_digest),
        .duration_s = seconds,
        .recommended = "",
        .because = ""};
    bo_status st = list_tables(undo, arena, status, owned, err);
    if (st == BO_OK)
        st = name_conflicts(undo, arena, conflicts, err);
    bo_error unknown = {0};
    if (st == BO_OK && bo_undo_list_dependents(undo, arena, owned, &unknown) != BO_OK)
        bo_buf_printf(&undo->notes, "the dependents cannot be listed: %.*s\n",
            (int)strcspn(unknown.text, "\n"), unknown.text);
    if (st == BO_OK)
        st = list_notes(undo, arena, owned, err);
    if (st == BO_OK)
        *out = BO_TAKE(owned);
    return st;
}
