/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/road.c - the road that every rollback and restore takes: one live run per point, what
 * died before is settled, every step is in the catalog before it is acted on, the commit has a
 * marker, every attempt is audited.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/step.h"
#include "change/ahead.h"
#include "change/aside.h"
#include "change/dependents.h"
#include "change/road.h"
#include "change/seal.h"
#include "change/watch.h"
#include "store/live.h"

bo_status bo_undo_check_real(const bo_undo *undo, bo_error *err)
{
    const bo_point_record *record = &undo->record;
    if (strcmp(record->kind, "dry-run") != 0 || undo->options->dry_run)
        return BO_OK;
    return bo_fail(err, BO_REFUSED,
        "point '%s' is of a dry run: it can be rehearsed with --dry-run only", record->id);
}

bo_status bo_undo_read_details(bo_undo *undo, bo_error *err)
{
    json_decref(undo->details);
    undo->details = NULL;
    return bo_point_details_read(&undo->record, &undo->details, err);
}

const json_t *bo_undo_recorded(const bo_undo *undo, uint32_t table)
{
    return json_array_get(json_object_get(undo->details, "tables"), table);
}

bo_status bo_undo_allocate(bo_undo *undo, size_t part_count, bo_error *err)
{
    size_t parts = part_count + 1;
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
    undo->mixed = bo_arena_array(undo->arena, parts, sizeof *undo->mixed);
    bool all = undo->mixed && undo->now && undo->now_known && undo->fates && undo->going &&
               undo->coming && undo->conflicts_of && undo->lost_of && undo->planned &&
               undo->applied && undo->proofs;
    return all ? BO_OK : bo_nomem(err);
}

/* Rows that the plan touches, as far as they are counted. */
static uint64_t planned_rows(const bo_undo *undo)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; undo->planned && undo->intent && i < undo->intent->part_count; i++)
        rows += undo->planned[i].inserted + undo->planned[i].updated + undo->planned[i].deleted;
    return rows;
}

bo_status bo_undo_step(bo_undo *undo, const char *name, const char *token, bo_error *err)
{
    bo_pace_step(&undo->pace, name);
    BO_OWN(json_ref) *details = json_pack("{s:s, s:s, s:s, s:o}", "undo_point", undo->undo_id,
        "type", bo_rollback_type_name(undo->options->type), "server", undo->target->identity.server,
        "pace", bo_pace_json(&undo->pace, planned_rows(undo)));
    if (undo->ahead && json_object_set_new(details, "made", bo_ahead_names(undo)) != 0)
        return bo_nomem(err);
    BO_OWN_MEM char *text = details ? bo_json_dump(details, JSON_COMPACT) : NULL;
    if (!text)
        return bo_nomem(err);
    return bo_catalog_run_step(undo->session->catalog, undo->run, name, token, text, err);
}

static bo_status commit(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    BO_OWN_VALUE(bo_buf) token = {0};
    bo_status st = conn->driver->mark(conn, undo->undo_id, &token, err);
    if (st == BO_OK)
        st = bo_undo_step(undo, "committing", bo_buf_str(&token), err);
    if (st != BO_OK)
        return st;
    conn->driver->stage_close(undo->stage);
    undo->stage = NULL;
    undo->commit_sent = true;
    st = conn->driver->commit(conn, err);
    bo_step("rollback.commit-answered");
    return st;
}

/* After the commit: nothing here may fail the rollback any more.  What cannot be recorded is said,
 * and recorded by the next command (recover.c). */
static void finish(bo_undo *undo)
{
    bo_error error = {0};
    undo->committed = true;
    bo_ahead_finish(undo);
    bo_status st = bo_undo_step(undo, "committed", NULL, &error);
    if (st == BO_OK)
        st = bo_undo_settle(undo->session, &undo->record, undo->undo_id,
            undo->target->identity.server, true, &error);
    bo_error second = {0};
    if (bo_undo_sequences(undo, &second) != BO_OK)
        bo_session_warn(undo->session,
            "it is committed, but not all sequences are where they belong: %s", second.text);
    if (st == BO_OK)
        st = undo->target->conn->driver->unmark(undo->target->conn, undo->undo_id, &error);
    if (st == BO_OK)
        st = bo_catalog_run_end(undo->session->catalog, undo->run, "done", NULL, &error);
    if (st == BO_OK)
        return;
    bo_live_remove(undo->run); /* whoever comes next may settle it, this process too */
    bo_session_warn(
        undo->session, "it is committed, but not all of it was recorded: %s", error.text);
}

static json_t *audit_details(const bo_undo *undo)
{
    uint64_t inserted = 0, updated = 0, deleted = 0;
    for (uint32_t i = 0; undo->planned && undo->intent && i < undo->intent->part_count; i++) {
        inserted += undo->planned[i].inserted;
        updated += undo->planned[i].updated;
        deleted += undo->planned[i].deleted;
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "type",
        bo_rollback_type_name(undo->options->type), "undo_point", undo->undo_id, "plan",
        undo->plan_digest, "inserted", (json_int_t)inserted, "updated", (json_int_t)updated,
        "deleted", (json_int_t)deleted, "conflicts", (json_int_t)undo->conflict_count, "lost",
        (json_int_t)undo->lost_rows, "dependents", (json_int_t)undo->transaction_count);
}

/* What an interrupt can stop: all but the commit and what is recorded around it. */
static bo_status work(bo_undo *undo, const bo_road *road, bool *planned_out, bo_error *err)
{
    bo_watch watch;
    bo_watch_begin(&watch, undo->target->conn);
    bo_status st = road->plan(undo, err);
    *planned_out = st == BO_OK;
    if (st == BO_OK)
        st = road->decide(undo, err);
    if (st == BO_OK)
        st = road->carry_out(undo, err);
    st = bo_watch_end(&watch, st, err);
    return st == BO_OK ? bo_interrupt_check(err) : st;
}

/* "run_20261120_041739_ab12" makes "rb_undo_20261120_041739_43794": a run's id is nobody else's,
 * and so is what it stores, in the catalog, the repository and the database. */
static void name_undo_point(bo_undo *undo)
{
    const char *time = undo->run + strlen("run_");
    const char *number = strrchr(undo->run, '_') + 1;
    (void)snprintf(undo->undo_id, sizeof undo->undo_id, "rb_undo_%.*s_%05lu",
        (int)(number - 1 - time), time, strtoul(number, NULL, 16));
}

static bo_status begin_run(bo_undo *undo, const bo_road *road, bo_error *err)
{
    bo_catalog *catalog = undo->session->catalog;
    const char *actor = undo->session->actor;
    bo_status st = undo->follows ? bo_catalog_run_follow(catalog, undo->follows, "failed",
                                       road->kind, undo->record.id, actor, undo->run, err)
                                 : bo_catalog_run_begin(
                                       catalog, road->kind, undo->record.id, actor, undo->run, err);
    if (st == BO_OK)
        name_undo_point(undo);
    return st;
}

static bo_status travel(bo_undo *undo, const bo_road *road, bool *planned_out, bo_error *err)
{
    bo_status st = begin_run(undo, road, err);
    if (st == BO_OK)
        st = bo_undo_recover(undo->session, undo->target, undo->record.id, err);
    if (st == BO_OK)
        st = bo_session_audit(undo->session, road->event, undo->record.id, "begun", NULL, err);
    if (st == BO_OK)
        st = bo_undo_step(undo, "planning", NULL, err);
    if (st == BO_OK)
        st = work(undo, road, planned_out, err);
    return st == BO_OK ? commit(undo, err) : st;
}

/* The link or the disk failed during COMMIT: a new connection asks the marker. */
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
        return bo_detail(
            err, BO_UNKNOWN, "whether it was committed is not known yet: %s", second.text);
    if (committed)
        return BO_OK;
    return bo_wrap(err, BO_DATABASE, "it was not committed");
}

static const char *status_word(bo_status st, bool planned)
{
    if (st == BO_OK)
        return "done";
    if (st == BO_UNKNOWN)
        return "unknown";
    return planned && bo_status_exit_code(st) == 3 ? "refused" : "failed";
}

/* False: tables that were filled aside may still be there; the next attempt drops them. */
static bool drop_aside(bo_undo *undo)
{
    bo_error error = {0};
    if (!undo->aside)
        return true;
    bo_status st =
        undo->target->conn ? bo_aside_drop(undo->target->conn, undo->run, &error) : BO_DATABASE;
    if (st != BO_OK)
        bo_session_warn(undo->session, "tables that were filled aside may still be there: %s",
            error.text[0] ? error.text : "the link to the database broke");
    return st == BO_OK;
}

/* Ends the records of a rollback that was not committed, and makes its report while the plan can
 * still be read. */
static bo_status give_up(bo_undo *undo, const bo_road *road, bo_status st, bool planned,
    double seconds, bo_rollback **out, bo_error *err)
{
    bo_error second = {0};
    bool report = planned && (st == BO_CONFLICT || st == BO_REFUSED || st == BO_MISMATCH);
    if (report && bo_undo_outcome(undo, status_word(st, planned), seconds, out, &second) != BO_OK)
        bo_session_warn(undo->session, "the report could not be made: %s", second.text);
    bo_stage_free(BO_TAKE(undo->stage));
    if (undo->target->conn)
        undo->target->conn->driver->rollback(undo->target->conn);
    bo_ahead_drop(undo);
    undo->lost_export = NULL; /* nothing is lost, and its file goes */
    if (st == BO_EXISTS)      /* a file of that name is not ours to remove */
        undo->undo_id[0] = '\0';
    const char *outcome = drop_aside(undo) ? bo_outcome_name(st) : "unknown";
    if (bo_undo_settle(undo->session, &undo->record, undo->undo_id, undo->target->identity.server,
            false, &second) != BO_OK ||
        (undo->run[0] && bo_catalog_run_end(
                             undo->session->catalog, undo->run, outcome, NULL, &second) != BO_OK)) {
        bo_live_remove(undo->run);
        bo_session_warn(undo->session, "the outcome could not be recorded: %s", second.text);
    }
    int exit_code = bo_status_exit_code(st); /* what 3 and 4 say here says it already */
    if (exit_code == 1 || exit_code == 130)
        (void)bo_detail(err, st, "the %s changed nothing", road->kind);
    return bo_session_audit_end(
        undo->session, road->event, undo->record.id, st, audit_details(undo), err);
}

static bo_status tell_outcome(bo_undo *undo, double seconds, bo_rollback **out, bo_error *err)
{
    bo_status st = bo_undo_outcome(undo, "done", seconds, out, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "done, but its report could not be made");
}

bo_status bo_undo_execute(bo_undo *undo, const bo_road *road, bo_rollback **out, bo_error *err)
{
    int64_t started = bo_clock_monotonic_us();
    bool planned = false;
    bo_status st = travel(undo, road, &planned, err);
    if (st == BO_UNKNOWN && undo->commit_sent)
        st = ask_marker(undo, err);
    double seconds = (double)(bo_clock_monotonic_us() - started) / 1e6;
    if (st == BO_UNKNOWN &&
        undo->commit_sent) { /* the next rollback of this point asks the marker again */
        bo_error second = {0};
        if (bo_catalog_run_end(undo->session->catalog, undo->run, "unknown", NULL, &second) !=
            BO_OK)
            bo_session_warn(undo->session, "the outcome could not be recorded: %s", second.text);
    }
    if (st == BO_UNKNOWN && undo->commit_sent)
        return bo_session_audit_end(
            undo->session, road->event, undo->record.id, st, audit_details(undo), err);
    if (st != BO_OK)
        return give_up(undo, road, st, planned, seconds, out, err);
    finish(undo);
    bo_error second = {0};
    if (bo_session_audit_end(undo->session, road->event, undo->record.id, BO_OK,
            audit_details(undo), &second) != BO_OK)
        bo_session_warn(undo->session, "the %s is %s", road->kind, second.text);
    st = tell_outcome(undo, seconds, out, err);
    if (st == BO_OK && undo->conflict_count && undo->options->on_conflict == BO_ON_CONFLICT_SKIP)
        return bo_fail(err, BO_MISMATCH, "done, and %llu conflict%s skipped",
            (unsigned long long)undo->conflict_count,
            undo->conflict_count == 1 ? " was" : "s were");
    return st;
}

bo_status bo_undo_rehearse(bo_undo *undo, const bo_road *road, bo_rollback **out, bo_error *err)
{
    int64_t started = bo_clock_monotonic_us();
    bo_status st = road->plan(undo, err);
    double seconds = (double)(bo_clock_monotonic_us() - started) / 1e6;
    if (st == BO_OK)
        st = bo_undo_outcome(undo, "planned", seconds, out, err);
    bo_stage_free(BO_TAKE(undo->stage));
    undo->target->conn->driver->rollback(undo->target->conn);
    return st;
}

void bo_undo_done(bo_undo *undo)
{
    bo_error ignored = {0};
    bo_stage_free(undo->stage);
    bo_draft_free(undo->lost);
    if (undo->intent && undo->intent != undo->change)
        bo_content_free(undo->intent);
    if (undo->intent_file[0]) /* a spooled diff that stays is a stray file, which prune removes */
        (void)bo_repository_remove(undo->session->repository, undo->intent_file, &ignored);
    bo_dependents_done(undo->dependents);
    bo_content_free(undo->snapshot);
    bo_content_free(undo->change);
    bo_target_free(undo->target);
    bo_buf_done(&undo->notes);
    json_decref(undo->details);
    bo_arena_free(undo->arena);
}
