/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/release.c - the point needs its capture no more: triggers and journals leave the
 * database.
 *
 * Ending a capture is one step that can be done again, so it is journalled, done, and then
 * recorded: a process that dies in between leaves a run that says "releasing", and the next release
 * does what is left.
 */
#include "change/release.h"

#include <string.h>

#include "base/clock.h"
#include "change/captured.h"
#include "change/journal.h"
#include "change/take.h"
#include "change/undo.h"

static bo_status record_release(
    bo_session *session, const char *run, bo_point_record *point, bo_arena *arena, bo_error *err)
{
    BO_OWN(json_ref) *details = json_loads(point->details, 0, NULL);
    if (!json_is_object(details))
        return bo_fail(err, BO_CORRUPT, "the catalog's record of '%s' cannot be read", point->id);
    if (json_object_set_new(details, "released_us", json_integer(bo_clock_now_us())) != 0)
        return bo_nomem(err);
    BO_OWN_MEM char *text = bo_json_dump(details, JSON_COMPACT);
    point->details = bo_arena_str(arena, text);
    if (point->status == BO_POINT_CREATING) /* it was never whole, and cannot become it now */
        point->status = BO_POINT_FAILED;
    return point->details ? bo_point_update_under(session, run, point, err) : bo_nomem(err);
}

bo_status bo_point_release_record(bo_session *session, bo_target *target, const char *run,
    bo_point_record *point, bo_arena *arena, bo_error *err)
{
    bo_status st = bo_target_check_server(target, point->server, err);
    if (st == BO_OK)
        st = bo_catalog_run_step(session->catalog, run, "releasing", NULL, NULL, err);
    if (st == BO_OK)
        st = bo_capture_end(target, point->id, err);
    if (st == BO_OK)
        st = bo_catalog_run_step(session->catalog, run, "released", NULL, NULL, err);
    return st == BO_OK ? record_release(session, run, point, arena, err) : st;
}

static bo_status check_releasable(const bo_point_record *point, bool discard, bo_error *err)
{
    if (!bo_point_was_captured(point))
        return bo_fail(err, BO_REFUSED, "no changes are captured for '%s'", point->id);
    if (point->status == BO_POINT_READY && !discard)
        return bo_fail(err, BO_REFUSED,
            "'%s' is not sealed\nwithout its capture, what the change did is not known any more",
            point->id);
    return BO_OK;
}

/* The record is read again under the run, and after what died was settled: a point that was being
 * taken may be whole now, and one that was rolled back may be open again. */
static bo_status release_under(bo_session *session, const bo_database *database, const char *run,
    const char *id, bool discard, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN(bo_target) *target = NULL;
    bo_point_record point;
    bo_status st = arena ? bo_target_open(database, &target, err) : bo_nomem(err);
    if (st == BO_OK)
        st = bo_undo_recover(session, target, id, err);
    if (st == BO_OK)
        st = bo_catalog_point_find(session->catalog, id, arena, &point, err);
    if (st == BO_OK)
        st = check_releasable(&point, discard, err);
    return st == BO_OK ? bo_point_release_record(session, target, run, &point, arena, err) : st;
}

bo_status bo_point_release_alone(
    bo_session *session, const bo_database *database, const char *id, bool discard, bo_error *err)
{
    char run[64];
    bo_status st = bo_catalog_run_begin(session->catalog, "release", id, session->actor, run, err);
    if (st != BO_OK)
        return st;
    st = release_under(session, database, run, id, discard, err);
    return bo_session_run_end(session, run, st, err);
}

bo_status bo_point_release(bo_session *session, const bo_database *database, const char *id,
    bool discard, bo_point_list **out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_point_record point;
    bo_status st = bo_catalog_point_find(session->catalog, id, arena, &point, err);
    if (st == BO_OK)
        st = check_releasable(&point, discard, err);
    if (st == BO_OK)
        st = bo_point_release_alone(session, database, point.id, discard, err);
    if (st != BO_OK)
        st = bo_wrap(err, st, "the capture of '%s' was not ended", id);
    st = bo_session_audit_end(session, "point.release", id, st, NULL, err);
    return st == BO_OK ? bo_point_view_one(session, point.id, false, out, err) : st;
}
