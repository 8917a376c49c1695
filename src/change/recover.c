/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/recover.c - what a rollback that died left behind: the marker decides whether it was
 * committed. */
#include <stdio.h>
#include <string.h>

#include "change/ahead.h"
#include "change/aside.h"
#include "change/undo.h"

static bo_status find_run(bo_session *session, const char *point, const char *run, bo_arena *arena,
    bo_run_record *out, bo_error *err)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs(session->catalog, point, 0, arena, &runs, &count, err);
    if (st != BO_OK)
        return st;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(runs[i].id, run) == 0) {
            *out = runs[i];
            return BO_OK;
        }
    }
    return bo_fail(err, BO_NOTFOUND, "no such run: '%s'", run);
}

/* The undo point's id is the marker's: it is in the details of every step of the run. */
static const char *undo_point_of(const bo_run_record *run, bo_arena *arena)
{
    BO_OWN(json_ref) *details = json_loads(run->details ? run->details : "{}", 0, NULL);
    const char *id = json_string_value(json_object_get(details, "undo_point"));
    return id ? bo_arena_str(arena, id) : NULL;
}

/* What was settled once stays so: the marker may be gone already. */
static bo_status ask(bo_session *session, bo_target *target, const bo_run_record *run,
    bo_arena *arena, bool *committed_out, bo_error *err)
{
    const char *undo_point = undo_point_of(run, arena);
    *committed_out = false;
    if (!undo_point || !run->token)
        return BO_OK; /* it never came to the commit */
    bo_point_record undo;
    bool there = false;
    bo_status st = bo_catalog_point_get(session->catalog, undo_point, arena, &undo, &there, err);
    if (st != BO_OK)
        return st;
    *committed_out =
        strcmp(run->step, "committed") == 0 || (there && undo.status == BO_POINT_SEALED);
    if (*committed_out || (there && undo.status == BO_POINT_FAILED))
        return BO_OK;
    return target->conn->driver->marked(target->conn, undo_point, run->token, committed_out, err);
}

bo_status bo_undo_was_committed(
    bo_session *session, bo_target *target, const char *run, bool *committed_out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_run_record record = {0};
    bo_status st = find_run(session, NULL, run, arena, &record, err);
    return st == BO_OK ? ask(session, target, &record, arena, committed_out, err) : st;
}

/* Files of a rollback that was not committed, recorded or not. */
static void remove_files(bo_session *session, const char *undo_id)
{
    static const char *const endings[] = {"change", "snapshot", "lost.change", "lost.jsonl"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char name[BO_ID_SIZE + 16];
        bo_error missing = {0};
        (void)snprintf(name, sizeof name, "%s.%s", undo_id, endings[i]);
        (void)bo_repository_remove(session->repository, name, &missing);
    }
}

/* A restore may have been into another database than the point's. */
static bool is_own(const bo_point_record *point, const char *server)
{
    return !point->server || !point->server[0] || strcmp(point->server, server) == 0;
}

/* Not a backup, which stays one; nor a point of another database, into which a restore went. */
static bool turns_with(const bo_point_record *parent, const bo_point_record *point)
{
    return bo_point_is_whole(parent) && strcmp(parent->kind, "backup") != 0 &&
           is_own(parent, point->server ? point->server : "");
}

/* Rolling a rollback back brings the change back that it undid; was that a rollback itself, what it
 * undid is undone again, and so on. */
static bo_status bring_back(
    bo_session *session, const bo_point_record *rolled, bo_arena *arena, bo_error *err)
{
    bo_point_record point = *rolled, parent;
    bool there = false, back = true;
    bo_status st = BO_OK;
    while (st == BO_OK && strcmp(point.kind, "undo") == 0 && point.parent) {
        st = bo_catalog_point_get(session->catalog, point.parent, arena, &parent, &there, err);
        if (st != BO_OK || !there || !turns_with(&parent, &point) ||
            (parent.status == BO_POINT_ROLLED_BACK) != back)
            return st;
        parent.status = !back              ? BO_POINT_ROLLED_BACK
                        : parent.sealed_us ? BO_POINT_SEALED
                                           : BO_POINT_READY;
        st = bo_catalog_point_update(session->catalog, &parent, err);
        point = parent;
        back = !back;
    }
    return st;
}

static bo_status settle_records(bo_session *session, const bo_point_record *point,
    const char *undo_id, bool rolled_back, bool committed, bo_arena *arena, bo_error *err)
{
    bo_point_record undo;
    bool there = false;
    bo_status st = undo_id && undo_id[0]
                       ? bo_catalog_point_get(session->catalog, undo_id, arena, &undo, &there, err)
                       : BO_OK;
    if (st == BO_OK && there) {
        undo.status = committed ? BO_POINT_SEALED : BO_POINT_FAILED;
        undo.sealed_us = committed ? undo.created_us : 0;
        st = bo_catalog_point_update(session->catalog, &undo, err);
    }
    /* a file that was restored has no record, and a backup stays one */
    if (st != BO_OK || !rolled_back || !point->kind || strcmp(point->kind, "backup") == 0)
        return st;
    bo_point_record rolled; /* as it is now: only its status is ours to change */
    st = bo_catalog_point_get(session->catalog, point->id, arena, &rolled, &there, err);
    if (st != BO_OK || !there || rolled.status == BO_POINT_PRUNED)
        return st;
    rolled.status = BO_POINT_ROLLED_BACK;
    st = bo_catalog_point_update(session->catalog, &rolled, err);
    return st == BO_OK ? bring_back(session, &rolled, arena, err) : st;
}

/* The records follow what the database says: the undo point is usable, or it never was one. */
bo_status bo_undo_settle(bo_session *session, const bo_point_record *point, const char *undo_id,
    const char *server, bool committed, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_status st = bo_catalog_begin(session->catalog, err);
    if (st != BO_OK)
        return st;
    st = settle_records(
        session, point, undo_id, committed && is_own(point, server), committed, arena, err);
    st = bo_catalog_finish(session->catalog, st, err);
    if (st == BO_OK && !committed && undo_id && undo_id[0])
        remove_files(session, undo_id);
    return st;
}

static bo_status recover_run(bo_session *session, bo_target *target, const bo_run_record *run,
    bo_arena *arena, bo_error *err)
{
    bool committed = false;
    BO_OWN(json_ref) *details = json_loads(run->details ? run->details : "{}", 0, NULL);
    const char *server = json_string_value(json_object_get(details, "server"));
    const bool elsewhere = server && strcmp(server, target->identity.server) != 0;
    if (elsewhere && run->token) { /* only that database knows how it ended */
        bo_session_warn(session,
            "an earlier %s (%s) into another database stopped at '%s' and is not settled",
            run->kind, run->id, run->step);
        return BO_OK;
    }
    bo_status st = ask(session, target, run, arena, &committed, err);
    if (st != BO_OK)
        return bo_wrap(err, st,
            "an earlier rollback (%s) stopped at '%s', and its outcome is not known", run->id,
            run->step);
    bo_point_record point;
    bool there = false;
    st = bo_catalog_point_get(session->catalog, run->point, arena, &point, &there, err);
    if (!there) /* a restore from a file */
        point = (bo_point_record){.id = run->point};
    const char *undo_id = undo_point_of(run, arena);
    if (st == BO_OK)
        st = bo_undo_settle(session, &point, undo_id, target->identity.server, committed, err);
    if (st == BO_OK && undo_id && run->token)
        st = target->conn->driver->unmark(target->conn, undo_id, err);
    if (st == BO_OK && !elsewhere)
        st = bo_aside_drop(target->conn, run->id, err);
    if (st == BO_OK && !elsewhere)
        bo_ahead_recover(
            session, target->conn, &point, json_object_get(details, "made"), committed);
    if (st == BO_OK)
        st =
            bo_catalog_run_end(session->catalog, run->id, committed ? "done" : "failed", NULL, err);
    if (st == BO_OK)
        bo_session_warn(session, "an earlier rollback (%s) had died at '%s': it %s%s", run->id,
            run->step, committed ? "was committed" : "changed nothing",
            committed && (target->conn->driver->caps & BO_CAP_SEQUENCES)
                ? ", perhaps before its sequences were set"
                : "");
    return st;
}

bo_status bo_undo_recover(bo_session *session, bo_target *target, const char *point, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs_unsettled(session->catalog, point, arena, &runs, &count, err);
    for (size_t i = 0; st == BO_OK && i < count; i++)
        st = recover_run(session, target, &runs[i], arena, err);
    return st;
}
