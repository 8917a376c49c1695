/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/doctor_fix.c - removing what nobody needs and settling rollbacks that died: each under
 * a run of its point, audited. */
#include <stdio.h>
#include <string.h>

#include "change/aside.h"
#include "change/captured.h"
#include "change/doctor.h"
#include "change/journal.h"
#include "change/release.h"
#include "change/unsettled.h"

static bool is_kind(const bo_finding *finding, const char *kind)
{
    return strcmp(finding->kind, kind) == 0;
}

/* A point that was never whole cannot be chosen any more; its files go with the next prune. */
static bo_status give_up_point(bo_examination *examination, bo_point_record *point, bo_error *err)
{
    point->status = BO_POINT_FAILED;
    return bo_catalog_point_update(examination->session->catalog, point, err);
}

/* The record is read again under the run: the point may have been finished since it was looked at.
 */
static bo_status fix_capture(
    bo_examination *examination, const char *run, const char *id, bo_error *err)
{
    bo_session *session = examination->session;
    bo_target *target = examination->target;
    bo_point_record point;
    bool known = false;
    bo_status st =
        bo_catalog_point_get(session->catalog, id, examination->arena, &point, &known, err);
    if (st != BO_OK)
        return st;
    bool here = known && target && bo_doctor_is_here(examination, &point);
    if (here && bo_point_is_whole(&point) && bo_point_captures(&point))
        return bo_fail(err, BO_BUSY, "it became %s meanwhile", bo_point_status_name(point.status));
    if (here && bo_point_captures(&point))
        st = bo_point_release_record(session, target, run, &point, examination->arena, err);
    else if (target && target->conn->driver->capture)
        st = bo_capture_end(target, id, err);
    else
        st = BO_OK;
    if (st == BO_OK && known && point.status == BO_POINT_CREATING)
        st = give_up_point(examination, &point, err);
    return st;
}

static bool is_unsettled(const bo_examination *examination, const bo_finding *finding)
{
    const bo_run_record *run =
        is_kind(finding, "dead-run") ? bo_doctor_run(examination, finding->run) : NULL;
    return run && bo_run_is_unsettled(run);
}

static bo_status fix_under(
    bo_examination *examination, const char *run, const bo_finding *finding, bo_error *err)
{
    bo_target *target = examination->target;
    bo_conn *conn = target ? target->conn : NULL;
    if (is_unsettled(examination, finding))
        return bo_undo_recover(examination->session, target, finding->point, err);
    if (is_kind(finding, "marker"))
        return conn->driver->unmark(conn, finding->point, err);
    if (is_kind(finding, "table-aside"))
        return bo_aside_drop(conn, finding->run, err);
    return fix_capture(examination, run, finding->point, err);
}

/* Where whoever may need what is found is at work: of a table aside, on the point of the run that
 * made it. */
static const char *place_of(const bo_examination *examination, const bo_finding *finding)
{
    const bo_run_record *maker =
        finding->point[0] ? NULL : bo_doctor_run(examination, finding->run);
    if (maker && maker->point)
        return maker->point;
    return finding->point[0] ? finding->point : finding->run;
}

/* The run keeps others from the point meanwhile: BO_BUSY when somebody is at work on it. */
static bo_status fix_one(bo_examination *examination, const bo_finding *finding, bo_error *err)
{
    bo_session *session = examination->session;
    char run[64];
    const char *object = finding->point[0] ? finding->point : finding->run;
    bo_status st = bo_catalog_run_begin(
        session->catalog, "release", place_of(examination, finding), session->actor, run, err);
    if (st != BO_OK)
        return st;
    st = fix_under(examination, run, finding, err);
    st = bo_session_run_end(session, run, st, err);
    return bo_session_audit_end(
        session, "doctor.fix", object, st, json_pack("{s:s}", "found", finding->kind), err);
}

bo_status bo_doctor_fix(bo_examination *examination, bo_error *err)
{
    for (size_t i = 0; i < examination->finding_count; i++) {
        bo_finding *finding = &examination->findings[i];
        bo_error failed = {0};
        if (!finding->fixable || (finding->foreign && !examination->options->foreign))
            continue;
        bo_status st = fix_one(examination, finding, &failed);
        finding->fixed = st == BO_OK;
        if (st == BO_OK)
            continue;
        if (st == BO_NOMEM || st == BO_INTERRUPTED) {
            if (err)
                *err = failed;
            return st;
        }
        finding->what = bo_arena_printf(examination->arena, "%s\nnot %s: %s", finding->what,
            is_kind(finding, "dead-run") ? "settled" : "removed", failed.text);
        if (!finding->what)
            return bo_nomem(err);
    }
    return BO_OK;
}
