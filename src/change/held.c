/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/held.c - a point under a run: its record is the one of now, and changes only while the
 * run is alive. */
#include <string.h>

#include "change/captured.h"
#include "change/take.h"

static bo_status check_as_taken(const bo_point_record *point, bo_error *err)
{
    if (point->status != BO_POINT_READY)
        return bo_fail(err, BO_REFUSED, "'%s' became %s meanwhile", point->id,
            bo_point_status_name(point->status));
    if (bo_point_is_released(point))
        return bo_fail(err, BO_REFUSED, "the capture of '%s' was ended meanwhile", point->id);
    return BO_OK;
}

bo_status bo_point_hold(bo_session *session, const char *kind, const char *id, bo_arena *arena,
    char run_out[64], bo_point_record *out, bo_error *err)
{
    char run[64];
    bo_status st = bo_catalog_run_begin(session->catalog, kind, id, session->actor, run, err);
    if (st != BO_OK)
        return st;
    bo_point_record point;
    st = bo_catalog_point_find(session->catalog, id, arena, &point, err);
    if (st == BO_OK)
        st = check_as_taken(&point, err);
    if (st != BO_OK) /* what cannot be recorded is dead: the reason stays in err */
        return bo_session_run_end(session, run, st, err);
    memcpy(run_out, run, sizeof run);
    *out = point;
    return BO_OK;
}

static bo_status check_running(
    bo_session *session, const char *run, const char *point, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs(session->catalog, point, 0, arena, &runs, &count, err);
    for (size_t i = 0; st == BO_OK && i < count; i++)
        if (strcmp(runs[i].id, run) == 0 && strcmp(runs[i].status, "running") == 0)
            return BO_OK;
    return st == BO_OK ? bo_fail(err, BO_CONFLICT,
                             "'%s' is not running any more: another process found it dead", run)
                       : st;
}

bo_status bo_point_update_under(
    bo_session *session, const char *run, const bo_point_record *point, bo_error *err)
{
    bo_status st = bo_catalog_begin(session->catalog, err);
    if (st != BO_OK)
        return st;
    st = check_running(session, run, point->id, err);
    if (st == BO_OK)
        st = bo_catalog_point_update(session->catalog, point, err);
    return bo_catalog_finish(session->catalog, st, err);
}
