/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/recover.c - what a rollback that died left behind: the marker decides whether it was
 * committed. */
#include <stdio.h>
#include <string.h>

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

static bo_status ask(bo_target *target, const bo_run_record *run, bo_arena *arena,
    bool *committed_out, bo_error *err)
{
    const char *undo_point = undo_point_of(run, arena);
    *committed_out = false;
    if (!undo_point || !run->token)
        return BO_OK; /* it never came to the commit */
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
    return st == BO_OK ? ask(target, &record, arena, committed_out, err) : st;
}

/* The records follow what the database says: the undo point is usable, or it never was one. */
bo_status bo_undo_settle(bo_session *session, const bo_point_record *point, const char *undo_id,
    bool committed, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_status st = bo_catalog_begin(session->catalog, err);
    if (st != BO_OK)
        return st;
    bo_point_record undo;
    bo_error missing = {0};
    if (undo_id && undo_id[0] &&
        bo_catalog_point_find(session->catalog, undo_id, arena, &undo, &missing) == BO_OK &&
        strcmp(undo.id, undo_id) == 0) {
        undo.status = committed ? BO_POINT_SEALED : BO_POINT_FAILED;
        undo.sealed_us = committed ? undo.created_us : 0;
        st = bo_catalog_point_update(session->catalog, &undo, err);
        if (st == BO_OK && !committed && undo.change_file)
            (void)bo_repository_remove(session->repository, undo.change_file, &missing);
    }
    if (st == BO_OK && committed) {
        bo_point_record rolled = *point;
        rolled.status = BO_POINT_ROLLED_BACK;
        st = bo_catalog_point_update(session->catalog, &rolled, err);
    }
    bo_status ended = bo_catalog_end(session->catalog, st == BO_OK, st == BO_OK ? err : NULL);
    return st == BO_OK ? ended : st;
}

static bo_status recover_run(bo_session *session, bo_target *target, const bo_run_record *run,
    bo_arena *arena, bo_error *err)
{
    bool committed = false;
    bo_status st = ask(target, run, arena, &committed, err);
    if (st != BO_OK)
        return bo_wrap(err, st,
            "an earlier rollback (%s) stopped at '%s', and its outcome is not known", run->id,
            run->step);
    bo_point_record point;
    st = bo_catalog_point_find(session->catalog, run->point, arena, &point, err);
    const char *undo_id = undo_point_of(run, arena);
    if (st == BO_OK)
        st = bo_undo_settle(session, &point, undo_id, committed, err);
    if (st == BO_OK && undo_id && run->token)
        st = target->conn->driver->unmark(target->conn, undo_id, err);
    if (st == BO_OK)
        st =
            bo_catalog_run_end(session->catalog, run->id, committed ? "done" : "failed", NULL, err);
    if (st == BO_OK)
        bo_session_warn(session, "an earlier rollback (%s) had died at '%s': it %s", run->id,
            run->step, committed ? "was committed" : "changed nothing");
    return st;
}

bo_status bo_undo_recover(bo_session *session, bo_target *target, const char *point, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs(session->catalog, point, 0, arena, &runs, &count, err);
    for (size_t i = 0; st == BO_OK && i < count; i++) {
        bool open = strcmp(runs[i].status, "died") == 0 || strcmp(runs[i].status, "unknown") == 0;
        bool commits =
            strcmp(runs[i].kind, "rollback") == 0 || strcmp(runs[i].kind, "restore") == 0;
        if (open && commits)
            st = recover_run(session, target, &runs[i], arena, err);
    }
    return st;
}
