/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/rollback.c - executing a rollback, in the order of docs/design/undo.md: plan under
 * locks, refuse or protect, apply, prove.  The rest is in road.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/step.h"
#include "change/dependents.h"
#include "change/road.h"
#include "change/seal.h"
#include "change/shape.h"
#include "change/stored.h"

/* Two conditions of a table could mean both or either. */
static bo_status check_where(const bo_rollback_options *options, bo_error *err)
{
    for (size_t i = 0; i < options->where_count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(options->where[i].table, options->where[k].table) == 0)
                return bo_fail(
                    err, BO_INVALID, "table '%s' has two conditions", options->where[i].table);
    return BO_OK;
}

/* Dependents are undone as a whole, or not at all. */
static bo_status check_mode(const bo_rollback_options *options, bo_error *err)
{
    bool chosen = options->table_count || options->where_count || options->only_added;
    if (options->mode != BO_BACKOUT_NO_CASCADE && options->type != BO_ROLLBACK_PARTIAL)
        return bo_fail(err, BO_INVALID, "dependent transactions matter to type partial only");
    if (options->mode == BO_BACKOUT_CASCADE && chosen)
        return bo_fail(err, BO_INVALID,
            "mode cascade undoes whole transactions: tables and rows cannot be chosen with it");
    bool by_row = options->where_count || options->only_added || options->by_column ||
                  options->on_conflict != BO_ON_CONFLICT_REFUSE;
    if (options->type == BO_ROLLBACK_BACKUP && by_row)
        return bo_fail(err, BO_INVALID,
            "type backup makes whole tables as they were: rows cannot be chosen with it, and there "
            "are no conflicts");
    return check_where(options, err);
}

static bool is_backup(const bo_undo *undo)
{
    return strcmp(undo->record.kind, "backup") == 0;
}

static bo_status check_point(bo_undo *undo, bo_error *err)
{
    const bo_point_record *record = &undo->record;
    bo_status st = bo_point_check_whole(record, err);
    if (st == BO_OK)
        st = bo_undo_check_real(undo, err);
    if (st != BO_OK)
        return st;
    if (is_backup(undo) && undo->options->type == BO_ROLLBACK_PARTIAL)
        return bo_fail(err, BO_REFUSED,
            "'%s' is a backup: it belongs to no change, so there is nothing to tell from later "
            "writes",
            record->id);
    st = bo_undo_read_details(undo, err);
    if (st != BO_OK)
        return st;
    undo->sealed = record->change_file && record->change_file[0];
    undo->full = undo->options->type == BO_ROLLBACK_FULL && record->file && record->file[0];
    if (bo_undo_by_writers(undo) && !(record->file && record->file[0]))
        return bo_fail(err, BO_REFUSED, "who wrote is not known of '%s'", record->id);
    if (!undo->full && !undo->sealed && !bo_undo_by_writers(undo))
        return bo_point_check_sealed(record,
            "what the change did is not known, so it cannot be told from later writes", err);
    if (undo->full && !undo->sealed)
        bo_buf_add_str(&undo->notes,
            is_backup(undo) ? "a backup belongs to no change: everything since counts as others'\n"
                            : "the point is not sealed: everything since counts as the change\n");
    return BO_OK;
}

/* A table without key is proved as a whole, so its digest must be known from before. */
static bo_status read_keyless(bo_undo *undo, bo_error *err)
{
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        if (undo->now_known[i] || undo->staged[i] == UINT32_MAX ||
            undo->intent->parts[i].was->row_key)
            continue;
        bo_status st = bo_undo_read_digest(undo, i, false, &undo->now[i], err);
        if (st != BO_OK)
            return st;
        undo->now_known[i] = true;
    }
    return BO_OK;
}

/* Under the run nobody else seals, prunes or rolls back this point: its record holds from here on.
 */
static bo_status read_again(bo_undo *undo, bo_error *err)
{
    const char *id = undo->record.id;
    bo_status st =
        bo_catalog_point_find(undo->session->catalog, id, undo->arena, &undo->record, err);
    bo_buf_clear(&undo->notes);
    return st == BO_OK ? check_point(undo, err) : st;
}

/* The names of a record's tables, to look one up; NULL: no memory. */
static json_t *names_of(const json_t *details)
{
    BO_OWN(json_ref) *names = json_object();
    size_t i;
    const json_t *table;
    json_array_foreach(json_object_get(details, "tables"), i, table)
    {
        const char *name = json_string_value(json_object_get(table, "name"));
        if (name && json_object_set_new(names, name, json_true()) != 0)
            return NULL;
    }
    return BO_TAKE(names);
}

/* A table that both points have, or NULL. */
static const char *shared_table(const json_t *ours, const json_t *details)
{
    size_t i;
    const json_t *table;
    json_array_foreach(json_object_get(details, "tables"), i, table)
    {
        const char *name = json_string_value(json_object_get(table, "name"));
        if (name && json_object_get(ours, name))
            return name;
    }
    return NULL;
}

/* Of a point that is not sealed all since counts as its change; what is known to be another's is
 * named, for it goes as well. */
static bo_status note_later_changes(bo_undo *undo, bo_error *err)
{
    const bo_point_filter here = {.database = undo->record.database};
    bo_point_record *points = NULL;
    size_t count = 0;
    if (!undo->full || undo->sealed || is_backup(undo))
        return BO_OK;
    BO_OWN(json_ref) *ours = names_of(undo->details);
    bo_status st =
        ours ? bo_catalog_points(undo->session->catalog, &here, undo->arena, &points, &count, err)
             : bo_nomem(err);
    for (size_t i = 0; st == BO_OK && i < count; i++) { /* newest first */
        if (strcmp(points[i].id, undo->record.id) == 0)
            break;
        if (points[i].status != BO_POINT_SEALED || strcmp(points[i].kind, "point") != 0)
            continue;
        BO_OWN(json_ref) *theirs = json_loads(points[i].details, 0, NULL);
        const char *table = shared_table(ours, theirs);
        if (table)
            bo_buf_printf(
                &undo->notes, "%s: the later change of %s goes, too\n", table, points[i].id);
    }
    return st == BO_OK ? bo_buf_check(&undo->notes, err) : st;
}

static bo_status plan(bo_undo *undo, bo_error *err)
{
    bo_status st = undo->options->dry_run ? BO_OK : read_again(undo, err);
    if (st == BO_OK)
        st = note_later_changes(undo, err);
    if (st == BO_OK)
        st = bo_undo_prepare(undo, err);
    if (st == BO_OK && undo->options->mode == BO_BACKOUT_CASCADE)
        st = bo_undo_follow_dependents(undo, err);
    if (st == BO_OK)
        st = bo_undo_allocate(undo, bo_undo_base(undo)->part_count, err);
    if (st == BO_OK)
        st = bo_undo_intend(undo, err);
    if (st == BO_OK)
        st = bo_undo_try_in_place(undo, err);
    if (st == BO_OK && undo->in_place)
        return BO_OK;
    if (st == BO_OK)
        st = bo_undo_find_conflicts(undo, err);
    if (st == BO_OK)
        st = bo_undo_name_dependents(undo, err);
    if (st == BO_OK && undo->full && (undo->sealed || is_backup(undo)))
        st = bo_undo_find_lost(undo, err);
    if (st == BO_OK)
        st = undo->options->dry_run ? bo_undo_protect(undo, err) : read_keyless(undo, err);
    if (st == BO_OK && undo->options->dry_run)
        st = bo_shape_try(undo->target->conn, undo->intent, err);
    return st;
}

/* Others' rows stay with type partial, but not where it cannot be had. */
static bo_status name_gone(const bo_undo *undo, bo_error *err)
{
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        const bool gone = !part->left_out && (part->fresh || !part->now);
        if (gone || part->made_again)
            return bo_detail(err, BO_REFUSED, "%s '%s' is gone, and type partial makes none again",
                gone ? "table" : "a column of", part->was->name);
    }
    return BO_REFUSED;
}

static bo_status refuse_unclear(const bo_undo *undo, bo_error *err)
{
    bool by_change = false;
    for (uint32_t i = 0; i < undo->intent->part_count; i++)
        by_change = by_change || (undo->lost_of[i] && bo_point_is_open(undo->details, i));
    (void)bo_fail(err, BO_REFUSED, "%s\nwhether others wrote them since is not known",
        by_change ? "type full would discard rows of a table whose shape the change altered"
                  : "type full would discard rows of a table whose shape was altered since");
    return by_change ? BO_REFUSED : name_gone(undo, err);
}

static bo_status refuse_loss(const bo_undo *undo, bo_error *err)
{
    const char *were = undo->lost_rows == 1 ? " was" : "s were";
    (void)bo_fail(err, BO_REFUSED,
        is_backup(undo) ? "%llu row%s written after the backup, and type full would discard %s"
        : undo->lost_early
            ? "%llu row%s written by others after the point, and type full would discard %s"
            : "%llu row%s written by others after the change, and type full would discard %s",
        (unsigned long long)undo->lost_rows, were, undo->lost_rows == 1 ? "it" : "them");
    return is_backup(undo) ? BO_REFUSED : name_gone(undo, err);
}

/* Why this plan may not be carried out; BO_OK when it may. */
static bo_status decide(const bo_undo *undo, bo_error *err)
{
    const bo_rollback_options *options = undo->options;
    unsigned long long conflicts = undo->conflict_count;
    if (options->type == BO_ROLLBACK_FULL && !options->discard_later && undo->lost_unclear)
        return refuse_unclear(undo, err);
    if (options->type == BO_ROLLBACK_FULL && !options->discard_later && undo->lost_rows)
        return refuse_loss(undo, err);
    if (conflicts == 0 || options->on_conflict == BO_ON_CONFLICT_SKIP)
        return BO_OK;
    if (options->on_conflict == BO_ON_CONFLICT_REFUSE && conflicts > undo->blocked_count)
        return bo_fail(err, BO_CONFLICT, "%llu row%s changed since the change", conflicts,
            conflicts == 1 ? " was" : "s were");
    if (undo->blocked_count && options->on_conflict == BO_ON_CONFLICT_REFUSE &&
        bo_undo_may_dangle(undo))
        return bo_fail(err, BO_CONFLICT,
            "%llu conflict%s of class constraint or foreign-key\nreferences that lead nowhere, as "
            "the state before the rollback may have had, come back with --on-conflict replace",
            (unsigned long long)undo->blocked_count, undo->blocked_count == 1 ? " is" : "s are");
    if (undo->blocked_count)
        return bo_fail(err, BO_CONFLICT,
            "%llu conflict%s of class constraint or foreign-key, which cannot be replaced",
            (unsigned long long)undo->blocked_count, undo->blocked_count == 1 ? " is" : "s are");
    return BO_OK;
}

static bo_status apply(bo_undo *undo, bo_error *err)
{
    for (uint32_t i = 0; undo->in_place && i < undo->intent->part_count; i++) {
        const bo_applied *done = &undo->applied[i], *planned = &undo->planned[i];
        if (memcmp(done, planned, sizeof *done) != 0)
            return bo_fail(err, BO_CONFLICT,
                "table '%s': the database changed another number of rows than planned",
                undo->intent->parts[i].was->name);
    }
    if (!undo->stage)
        return BO_OK;
    bo_applied *counts = bo_arena_array(undo->arena, undo->stage_count, sizeof *counts);
    if (!counts)
        return bo_nomem(err);
    uint64_t broken = 0;
    bo_status st = bo_undo_count_computed(undo, &broken, NULL, err);
    if (st == BO_OK)
        st = undo->target->conn->driver->stage_apply(undo->stage, counts, err);
    if (st == BO_OK)
        st = bo_undo_check_computed(undo, broken, err);
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++) {
        if (undo->staged[i] == UINT32_MAX)
            continue;
        const bo_applied *done = &counts[undo->staged[i]], *planned = &undo->planned[i];
        undo->applied[i] = *done;
        if (done->inserted != planned->inserted || done->updated != planned->updated ||
            done->deleted != planned->deleted)
            st = bo_fail(err, BO_CONFLICT,
                "table '%s': the database changed another number of rows than planned",
                undo->intent->parts[i].was->name);
    }
    return st;
}

/* What was made again gets what it had besides rows. */
static bo_status finish_shapes(bo_undo *undo, bo_error *err)
{
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++)
        st = bo_shape_finish(undo->target->conn, &undo->intent->parts[i], undo->arena, err);
    return st;
}

static bo_status prove(bo_undo *undo, bo_error *err)
{
    if (undo->in_place) /* read back where it was done */
        return BO_OK;
    bool match = false;
    bo_status st = bo_undo_prove(undo, &match, err);
    if (st != BO_OK || match)
        return st;
    return bo_fail(
        err, BO_MISMATCH, "the rows read back are not what they should be; nothing was changed");
}

static bo_status carry_out(bo_undo *undo, bo_error *err)
{
    bo_status st = bo_undo_step(undo, "protecting", NULL, err);
    if (st == BO_OK)
        st = bo_undo_export_lost(undo, err);
    if (st == BO_OK)
        st = bo_undo_protect(undo, err);
    if (st == BO_OK)
        st = bo_undo_step(undo, "applying", NULL, err);
    if (st == BO_OK)
        st = bo_interrupt_check(err);
    if (st == BO_OK)
        st = apply(undo, err);
    if (st == BO_OK)
        st = bo_undo_check_bulk(undo, err);
    if (st == BO_OK)
        st = finish_shapes(undo, err);
    if (st == BO_OK)
        st = bo_undo_step(undo, "proving", NULL, err);
    if (st == BO_OK)
        st = prove(undo, err);
    if (st == BO_OK)
        st = bo_interrupt_check(err);
    return st;
}

static const bo_road rollback_road = {
    .kind = "rollback",
    .event = "rollback.execute",
    .plan = plan,
    .decide = decide,
    .carry_out = carry_out,
};

bo_status bo_rollback_follow(bo_session *session, const bo_database *database, const char *id,
    const char *run, const bo_rollback_options *options, bo_rollback **out, bo_error *err)
{
    bo_rollback_options chosen = *options;
    if (chosen.mode == BO_BACKOUT_NON_CONFLICT_ONLY)
        chosen.on_conflict = BO_ON_CONFLICT_SKIP;
    bo_undo undo = {
        .session = session, .options = &chosen, .follows = run, .arena = bo_arena_create()};
    if (!undo.arena)
        return bo_nomem(err);
    bo_status st = check_mode(options, err);
    if (st == BO_OK)
        st = bo_catalog_point_find(session->catalog, id, undo.arena, &undo.record, err);
    if (st == BO_OK && options->type != BO_ROLLBACK_BACKUP)
        st = check_point(&undo, err);
    if (st == BO_OK)
        st = bo_target_open(database, &undo.target, err);
    if (st == BO_OK)
        st = bo_target_check_server(undo.target, undo.record.server, err);
    if (st == BO_OK && options->type == BO_ROLLBACK_BACKUP) {
        st = bo_restore_over(session, BO_TAKE(undo.target), undo.record.id, options, out, err);
        bo_undo_done(&undo);
        return st;
    }
    bool begun = st == BO_OK;
    if (begun)
        st = options->dry_run ? bo_undo_rehearse(&undo, &rollback_road, out, err)
                              : bo_undo_execute(&undo, &rollback_road, out, err);
    else if (!options->dry_run)
        st = bo_session_audit_end(session, "rollback.execute", id, st, NULL, err);
    if (st != BO_OK && st != BO_MISMATCH && !undo.committed)
        st = bo_wrap(err, st, "cannot roll back to '%s'", id);
    bo_undo_done(&undo);
    return st;
}

bo_status bo_rollback_execute(bo_session *session, const bo_database *database, const char *id,
    const bo_rollback_options *options, bo_rollback **out, bo_error *err)
{
    return bo_rollback_follow(session, database, id, NULL, options, out, err);
}
