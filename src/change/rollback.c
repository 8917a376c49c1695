/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/rollback.c - executing a rollback, in the order of docs/design/rollback.md: plan under
 * locks, refuse or protect, apply, prove, commit with a marker, record.  Every step is in the
 * catalog before it is acted on.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/step.h"
#include "change/undo.h"

static bo_status check_point(bo_undo *undo, bo_error *err)
{
    const bo_point_record *record = &undo->record;
    bool usable = record->status == BO_POINT_READY || record->status == BO_POINT_SEALED ||
                  record->status == BO_POINT_ROLLED_BACK;
    if (!usable)
        return bo_fail(err, BO_REFUSED, "point '%s' is %s and cannot be used", record->id,
            bo_point_status_name(record->status));
    if (strcmp(record->kind, "dry-run") == 0 && !undo->options->dry_run)
        return bo_fail(err, BO_REFUSED,
            "point '%s' is of a dry run: it can be rehearsed with --dry-run only", record->id);
    undo->sealed = record->change_file && record->change_file[0];
    undo->full = undo->options->type == BO_ROLLBACK_FULL && record->file && record->file[0];
    if (!undo->full && !undo->sealed)
        return bo_fail(err, BO_REFUSED,
            "point '%s' is not sealed\nwhat the change did is not known, so it cannot be told from "
            "later writes",
            record->id);
    if (undo->full && !undo->sealed)
        bo_buf_add_str(
            &undo->notes, "the point is not sealed: everything since counts as the change\n");
    return BO_OK;
}

static bo_status allocate(bo_undo *undo, bo_error *err)
{
    const bo_content *content = undo->full ? undo->snapshot : undo->change;
    size_t parts = (size_t)content->part_count + 1;
    undo->now = bo_arena_array(undo->arena, parts, sizeof *undo->now);
    undo->now_known = bo_arena_array(undo->arena, parts, sizeof *undo->now_known);
    undo->fates = bo_arena_array(undo->arena, parts, sizeof *undo->fates);
    undo->going = bo_arena_array(undo->arena, parts, sizeof *undo->going);
    undo->coming = bo_arena_array(undo->arena, parts, sizeof *undo->coming);
    undo->conflicts_of = bo_arena_array(undo->arena, parts, sizeof *undo->conflicts_of);
    undo->lost_of = bo_arena_array(undo->arena, parts, sizeof *undo->lost_of);
    undo->planned = bo_arena_array(undo->arena, parts, sizeof *undo->planned);
    undo->applied = bo_arena_array(undo->arena, parts, sizeof *undo->applied);
    undo->proofs = bo_arena_array(undo->arena, parts, sizeof *undo->proofs);
    bool all = undo->now && undo->now_known && undo->fates && undo->going && undo->coming &&
               undo->conflicts_of && undo->lost_of && undo->planned && undo->applied &&
               undo->proofs;
    return all ? BO_OK : bo_nomem(err);
}

/* A table without key is proved as a whole, so its digest must be known from before. */
static bo_status read_keyless(bo_undo *undo, bo_error *err)
{
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        if (undo->now_known[i] || undo->staged[i] == UINT32_MAX ||
            undo->intent->parts[i].was->row_key)
            continue;
        bo_status st = bo_undo_read_digest(undo, i, &undo->now[i], err);
        if (st != BO_OK)
            return st;
        undo->now_known[i] = true;
    }
    return BO_OK;
}

static bo_status plan(bo_undo *undo, bo_error *err)
{
    bo_status st = bo_undo_prepare(undo, err);
    if (st == BO_OK)
        st = allocate(undo, err);
    if (st == BO_OK)
        st = bo_undo_intend(undo, err);
    if (st == BO_OK)
        st = bo_undo_find_conflicts(undo, err);
    if (st == BO_OK && undo->full && undo->sealed)
        st = bo_undo_find_lost(undo, err);
    if (st == BO_OK && !undo->options->dry_run)
        st = read_keyless(undo, err);
    return st;
}

/* Why this plan may not be carried out; BO_OK when it may. */
static bo_status decide(const bo_undo *undo, bo_error *err)
{
    const bo_rollback_options *options = undo->options;
    unsigned long long conflicts = undo->conflict_count;
    if (options->type == BO_ROLLBACK_FULL && !options->discard_later && undo->lost_rows)
        return bo_fail(err, BO_REFUSED,
            "%llu rows were written by others after the change, and type full would discard them",
            (unsigned long long)undo->lost_rows);
    if (conflicts == 0 || options->on_conflict == BO_ON_CONFLICT_SKIP)
        return BO_OK;
    if (options->on_conflict == BO_ON_CONFLICT_REFUSE)
        return bo_fail(err, BO_CONFLICT, "%llu row%s changed since the change", conflicts,
            conflicts == 1 ? " was" : "s were");
    for (size_t i = 0; i < undo->listed; i++)
        if (undo->conflicts[i].conflict_class >= BO_CLASS_CONSTRAINT)
            return bo_fail(err, BO_CONFLICT, "a conflict of class %s cannot be replaced",
                bo_conflict_class_name(undo->conflicts[i].conflict_class));
    return BO_OK;
}

static bo_status step(bo_undo *undo, const char *name, const char *token, bo_error *err)
{
    BO_OWN(json_ref) *details = json_pack("{s:s, s:s}", "undo_point", undo->undo_id, "type",
        bo_rollback_type_name(undo->options->type));
    BO_OWN_MEM char *text = details ? json_dumps(details, JSON_COMPACT) : NULL;
    if (!text)
        return bo_nomem(err);
    return bo_catalog_run_step(undo->session->catalog, undo->run, name, token, text, err);
}

static bo_status apply(bo_undo *undo, bo_error *err)
{
    if (!undo->stage)
        return BO_OK;
    bo_applied *counts = bo_arena_array(undo->arena, undo->stage_count, sizeof *counts);
    if (!counts)
        return bo_nomem(err);
    bo_status st = undo->target->conn->driver->stage_apply(undo->stage, counts, err);
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

static bo_status prove(bo_undo *undo, bo_error *err)
{
    bool match = false;
    bo_status st = bo_undo_prove(undo, &match, err);
    if (st != BO_OK || match)
        return st;
    return bo_fail(
        err, BO_MISMATCH, "the rows read back are not what they should be; nothing was changed");
}

static bo_status commit(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    BO_OWN_VALUE(bo_buf) token = {0};
    bo_status st = conn->driver->mark(conn, undo->undo_id, &token, err);
    if (st == BO_OK)
        st = step(undo, "committing", bo_buf_str(&token), err);
    if (st != BO_OK)
        return st;
    conn->driver->stage_close(undo->stage);
    undo->stage = NULL;
    st = conn->driver->commit(conn, err);
    bo_step("rollback.commit-answered");
    return st;
}

static bo_status carry_out(bo_undo *undo, bo_error *err)
{
    bo_status st = step(undo, "protecting", NULL, err);
    if (st == BO_OK)
        st = bo_undo_export_lost(undo, err);
    if (st == BO_OK)
        st = bo_undo_protect(undo, err);
    if (st == BO_OK)
        st = step(undo, "applying", NULL, err);
    if (st == BO_OK)
        st = bo_interrupt_check(err);
    if (st == BO_OK)
        st = apply(undo, err);
    if (st == BO_OK)
        st = step(undo, "proving", NULL, err);
    if (st == BO_OK)
        st = prove(undo, err);
    if (st == BO_OK)
        st = bo_interrupt_check(err);
    return st == BO_OK ? commit(undo, err) : st;
}

/* After the commit: nothing here may fail the rollback any more; what fails is said and done again
 * by recovery. */
static void finish(bo_undo *undo)
{
    bo_error error = {0};
    bo_status st = step(undo, "committed", NULL, &error);
    if (st == BO_OK)
        st = bo_undo_sequences(undo, &error);
    if (st == BO_OK)
        st = bo_undo_settle(undo->session, &undo->record, undo->undo_id, true, &error);
    if (st == BO_OK)
        st = undo->target->conn->driver->unmark(undo->target->conn, undo->undo_id, &error);
    if (st == BO_OK)
        st = bo_catalog_run_end(undo->session->catalog, undo->run, "done", NULL, &error);
    if (st == BO_OK)
        return;
    bo_session_warn(
        undo->session, "the rollback is committed, but not all was recorded: %s", error.text);
}

static json_t *audit_details(const bo_undo *undo)
{
    uint64_t inserted = 0, updated = 0, deleted = 0;
    for (uint32_t i = 0; undo->planned && undo->intent && i < undo->intent->part_count; i++) {
        inserted += undo->planned[i].inserted;
        updated += undo->planned[i].updated;
        deleted += undo->planned[i].deleted;
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "type",
        bo_rollback_type_name(undo->options->type), "undo_point", undo->undo_id, "plan",
        undo->plan_digest, "inserted", (json_int_t)inserted, "updated", (json_int_t)updated,
        "deleted", (json_int_t)deleted, "conflicts", (json_int_t)undo->conflict_count, "lost",
        (json_int_t)undo->lost_rows);
}

static bo_status execute_locked(bo_undo *undo, bool *planned_out, bo_error *err)
{
    bo_status st = bo_catalog_run_begin(
        undo->session->catalog, "rollback", undo->record.id, undo->session->actor, undo->run, err);
    if (st == BO_OK)
        st = bo_undo_recover(undo->session, undo->target, undo->record.id, err);
    if (st == BO_OK)
        st = bo_point_new_id(undo->session, "undo", false, undo->undo_id, err);
    if (st == BO_OK)
        st = bo_session_audit(
            undo->session, "rollback.execute", undo->record.id, "begun", NULL, err);
    if (st == BO_OK)
        st = step(undo, "planning", NULL, err);
    if (st == BO_OK)
        st = plan(undo, err);
    *planned_out = st == BO_OK;
    if (st == BO_OK)
        st = decide(undo, err);
    return st == BO_OK ? carry_out(undo, err) : st;
}

/* The link broke during COMMIT: a new connection asks the marker. */
static bo_status ask_marker(bo_undo *undo, bo_error *err)
{
    bo_error second = {0};
    bo_conn_free(undo->target->conn);
    undo->target->conn = NULL;
    bo_status st = bo_target_connect(undo->target->database, NULL, &undo->target->conn, &second);
    bool committed = false;
    if (st == BO_OK)
        st = bo_undo_was_committed(undo->session, undo->target, undo->run, &committed, &second);
    if (st != BO_OK)
        return bo_detail(err, BO_UNKNOWN, "whether the rollback was committed is not known yet: %s",
            second.text);
    if (committed)
        return BO_OK;
    return bo_fail(
        err, BO_DATABASE, "the link to the database broke before the commit; nothing was changed");
}

static const char *status_word(bo_status st, bool planned)
{
    if (st == BO_OK)
        return "done";
    if (st == BO_UNKNOWN)
        return "unknown";
    return planned && bo_status_exit_code(st) == 3 ? "refused" : "failed";
}

/* Ends the records of a rollback that was not committed, and makes its report while the plan can
 * still be read. */
static bo_status give_up(
    bo_undo *undo, bo_status st, bool planned, double seconds, bo_rollback **out, bo_error *err)
{
    bo_error second = {0};
    bool report = planned && (st == BO_CONFLICT || st == BO_REFUSED || st == BO_MISMATCH);
    if (report && bo_undo_outcome(undo, status_word(st, planned), seconds, out, &second) != BO_OK)
        bo_session_warn(undo->session, "the report could not be made: %s", second.text);
    bo_stage_free(BO_TAKE(undo->stage));
    if (undo->target->conn)
        undo->target->conn->driver->rollback(undo->target->conn);
    if (bo_undo_settle(undo->session, &undo->record, undo->undo_id, false, &second) != BO_OK ||
        (undo->run[0] && bo_catalog_run_end(undo->session->catalog, undo->run, bo_outcome_name(st),
                             NULL, &second) != BO_OK))
        bo_session_warn(undo->session, "the outcome could not be recorded: %s", second.text);
    return bo_session_audit_end(
        undo->session, "rollback.execute", undo->record.id, st, audit_details(undo), err);
}

static bo_status execute(bo_undo *undo, bo_rollback **out, bo_error *err)
{
    int64_t started = bo_clock_monotonic_us();
    bool planned = false;
    bo_status st = execute_locked(undo, &planned, err);
    if (st == BO_UNKNOWN)
        st = ask_marker(undo, err);
    double seconds = (double)(bo_clock_monotonic_us() - started) / 1e6;
    if (st == BO_UNKNOWN) { /* the next rollback of this point asks the marker again */
        bo_error second = {0};
        if (bo_catalog_run_end(undo->session->catalog, undo->run, "unknown", NULL, &second) !=
            BO_OK)
            bo_session_warn(undo->session, "the outcome could not be recorded: %s", second.text);
    }
    if (st == BO_UNKNOWN)
        return bo_session_audit_end(
            undo->session, "rollback.execute", undo->record.id, st, audit_details(undo), err);
    if (st != BO_OK)
        return give_up(undo, st, planned, seconds, out, err);
    finish(undo);
    st = bo_session_audit_end(
        undo->session, "rollback.execute", undo->record.id, BO_OK, audit_details(undo), err);
    if (st == BO_OK)
        st = bo_undo_outcome(undo, "done", seconds, out, err);
    if (st == BO_OK && undo->conflict_count)
        return bo_fail(err, BO_MISMATCH, "done, and %llu conflicts were skipped",
            (unsigned long long)undo->conflict_count);
    return st;
}

static bo_status rehearse(bo_undo *undo, bo_rollback **out, bo_error *err)
{
    int64_t started = bo_clock_monotonic_us();
    bo_status st = plan(undo, err);
    if (st == BO_OK)
        st = bo_undo_protect(undo, err);
    double seconds = (double)(bo_clock_monotonic_us() - started) / 1e6;
    if (st == BO_OK)
        st = bo_undo_outcome(undo, "planned", seconds, out, err);
    bo_stage_free(BO_TAKE(undo->stage));
    undo->target->conn->driver->rollback(undo->target->conn);
    return st;
}

static void undo_done(bo_undo *undo)
{
    bo_error ignored = {0};
    bo_stage_free(undo->stage);
    bo_draft_free(undo->lost);
    if (undo->intent && undo->intent != undo->change)
        bo_content_free(undo->intent);
    if (undo->intent_file[0]) /* a spooled diff that stays is a stray file, which prune removes */
        (void)bo_repository_remove(undo->session->repository, undo->intent_file, &ignored);
    bo_content_free(undo->snapshot);
    bo_content_free(undo->change);
    bo_target_free(undo->target);
    bo_buf_done(&undo->notes);
    bo_arena_free(undo->arena);
}

bo_status bo_rollback_execute(bo_session *session, const bo_database *database, const char *id,
    const bo_rollback_options *options, bo_rollback **out, bo_error *err)
{
    bo_undo undo = {.session = session, .options = options, .arena = bo_arena_create()};
    if (!undo.arena)
        return bo_nomem(err);
    bo_status st = bo_catalog_point_find(session->catalog, id, undo.arena, &undo.record, err);
    if (st == BO_OK && options->type == BO_ROLLBACK_BACKUP) {
        st = bo_restore(session, database, undo.record.id, options->tables, options->table_count,
            options->dry_run, out, err);
        undo_done(&undo);
        return st;
    }
    if (st == BO_OK)
        st = check_point(&undo, err);
    if (st == BO_OK)
        st = bo_target_open(database, &undo.target, err);
    if (st == BO_OK)
        st = bo_target_check_server(undo.target, undo.record.server, err);
    bool begun = st == BO_OK;
    if (begun)
        st = options->dry_run ? rehearse(&undo, out, err) : execute(&undo, out, err);
    else if (!options->dry_run)
        st = bo_session_audit_end(session, "rollback.execute", id, st, NULL, err);
    if (st != BO_OK && st != BO_MISMATCH)
        st = bo_wrap(err, st, "cannot roll back to '%s'", id);
    undo_done(&undo);
    return st;
}
