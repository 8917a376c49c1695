/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/doctor_runs.c - runs that did not come to an end, and what rollbacks that died left in
 * the database: markers, and tables that were filled aside. */
#include <string.h>

#include "change/doctor.h"
#include "change/journal.h"
#include "change/take.h"
#include "change/unsettled.h"

/* ---- runs ---- */

/* What a person should look at again: the record that tells how far the change of a point came. */
static const bo_run_record *last_run(const bo_examination *examination, const char *point)
{
    for (size_t i = 0; i < examination->run_count; i++) {
        const bo_run_record *run = &examination->runs[i];
        if (run->point && strcmp(run->point, point) == 0 && strcmp(run->status, "refused") != 0 &&
            strcmp(run->kind, "prune") != 0)
            return run;
    }
    return NULL;
}

static bool is_over(const bo_run_record *run)
{
    static const char *const over[] = {"done", "refused", "mismatch"};
    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        if (strcmp(run->status, over[i]) == 0)
            return true;
    return false;
}

static bool is_settled(const bo_point_record *point)
{
    return point->status == BO_POINT_FAILED || point->status == BO_POINT_PRUNED;
}

/* Since the first look its process may have recorded the end, and have gone: *out is the record as
 * it is now.  NULL: it is none of what died. */
static bo_status look_again(
    bo_examination *examination, const bo_run_record *run, const bo_run_record **out, bo_error *err)
{
    const bo_run_record *now = NULL;
    bo_status st = bo_doctor_run_now(examination, run->point, run->id, &now, err);
    *out = now && !is_over(now) ? now : NULL;
    return st;
}

/* Nothing is found when there is nothing to be done. */
static bo_status add_run(bo_examination *examination, const bo_point_record *point,
    const bo_run_record *run, bo_error *err)
{
    bo_arena *arena = examination->arena;
    const bo_run_info view = bo_run_view(run, point, arena);
    bool failed = strcmp(run->status, "failed") == 0;
    bool never_whole = point->status == BO_POINT_CREATING && strcmp(run->kind, "point") == 0;
    if (!view.next)
        return bo_nomem(err);
    if (!view.next[0])
        return BO_OK;
    const bo_finding found = {.kind = failed ? "failed-run" : "dead-run",
        .bad = !failed,
        .point = point->id,
        .run = run->id,
        .what = bo_arena_printf(
            arena, "%s of %s (%s): %s", run->id, point->id, run->kind, view.explained),
        .next = never_whole ? "backout doctor --fix" : view.next,
        .fixable = never_whole};
    return bo_doctor_add(examination, &found, err);
}

/* Only the database that was changed knows what became of it. */
static bool can_be_settled(const bo_examination *examination, const bo_run_record *run)
{
    BO_OWN(json_ref) *details = json_loads(run->details ? run->details : "{}", 0, NULL);
    const char *server = json_string_value(json_object_get(details, "server"));
    return examination->target &&
           (!server || strcmp(server, examination->target->identity.server) == 0);
}

static bo_status add_unsettled(bo_examination *examination, const bo_run_record *run, bo_error *err)
{
    const bo_point_record *known = bo_doctor_point(examination, run->point);
    const bo_point_record file = {.id = run->point, .method = ""};
    bo_arena *arena = examination->arena;
    bool fixable = can_be_settled(examination, run);
    const bo_run_info view = bo_run_view(run, known ? known : &file, arena);
    const bo_finding found = {.kind = "dead-run",
        .bad = true,
        .point = run->point,
        .run = run->id,
        .what = bo_arena_printf(
            arena, "%s of %s (%s): %s", run->id, run->point, run->kind, view.explained),
        .next = fixable ? "backout doctor --fix"
                        : "backout doctor --fix, with --db and the database that it was to change",
        .fixable = fixable};
    return bo_doctor_add(examination, &found, err);
}

static bool is_half_capture(const bo_examination *examination, const bo_point_record *point)
{
    for (size_t i = 0; i < examination->finding_count; i++)
        if (strcmp(examination->findings[i].kind, "half-capture") == 0 &&
            strcmp(examination->findings[i].point, point->id) == 0)
            return true;
    return false;
}

/* Runs that came later do not settle them. */
static bo_status find_unsettled(bo_examination *examination, bo_error *err)
{
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < examination->run_count; i++) {
        const bo_run_record *run = &examination->runs[i];
        if (!run->point || !bo_run_is_unsettled(run) || bo_doctor_is_live(examination, run->point))
            continue;
        st = look_again(examination, run, &run, err);
        if (st == BO_OK && run && bo_run_is_unsettled(run))
            st = add_unsettled(examination, run, err);
    }
    return st;
}

static bo_status find_dead(bo_examination *examination, bo_error *err)
{
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < examination->point_count; i++) {
        const bo_point_record *point = &examination->points[i];
        const bo_run_record *run = last_run(examination, point->id);
        if (!run || is_over(run) || is_settled(point) || is_half_capture(examination, point) ||
            bo_run_is_unsettled(run) || bo_doctor_is_live(examination, point->id))
            continue;
        st = look_again(examination, run, &run, err);
        if (st == BO_OK && run)
            st = bo_doctor_point_now(examination, point->id, &point, err);
        if (st == BO_OK && run && point)
            st = add_run(examination, point, run, err);
    }
    return st;
}

/* ---- traces in the database ---- */

static bo_status add_trace(bo_examination *examination, const bo_trace *trace, const char *owner,
    bool known, bo_error *err)
{
    bool marker = trace->kind == BO_TRACE_MARKER;
    bo_arena *arena = examination->arena;
    bo_finding found = {.kind = marker ? "marker" : "table-aside",
        .bad = true,
        .point = marker ? owner : "",
        .run = marker ? "" : owner,
        .table = marker ? "" : bo_arena_str(arena, trace->name),
        .next =
            known ? "backout doctor --fix" : "when nobody needs it: backout doctor --fix --foreign",
        .fixable = true,
        .foreign = !known};
    found.what = bo_arena_printf(arena, "%s %s is left of a rollback that %s",
        marker ? "the marker" : "the table aside", trace->name,
        known ? "is over" : "this catalog does not know; another catalog may");
    return found.table ? bo_doctor_add(examination, &found, err) : bo_nomem(err);
}

static bool is_running(const bo_run_record *run)
{
    return strcmp(run->status, "running") == 0;
}

/* The run had not come to its end when the examination began. */
static bool was_open(const bo_examination *examination, const bo_run_record *run)
{
    const bo_run_record *then = bo_doctor_run(examination, run->id);
    return !then || is_running(then) || bo_run_is_unsettled(then);
}

/* The marker has the id of the undo point; until its run is settled it is the proof of the commit.
 */
static bo_status judge_marker(bo_examination *examination, const bo_trace *trace, bo_error *err)
{
    const bo_point_record *point = NULL;
    const bo_run_record *run = NULL;
    const char *owner = bo_arena_str(examination->arena, trace->name);
    if (!owner)
        return bo_nomem(err);
    bo_status st = bo_doctor_find_now(examination, NULL, bo_run_has_marker, owner, &run, err);
    if (st == BO_OK)
        st = bo_doctor_point_now(examination, owner, &point, err);
    if (st != BO_OK)
        return st;
    bool needed =
        (point && point->status == BO_POINT_CREATING) || (run && was_open(examination, run));
    return needed ? BO_OK : add_trace(examination, trace, owner, point || run, err);
}

/* Its name is the run's, and a number. */
static bo_status judge_aside(bo_examination *examination, const bo_trace *trace, bo_error *err)
{
    const char *end = strrchr(trace->name, '_');
    const char *id = bo_arena_strn(
        examination->arena, trace->name, end ? (size_t)(end - trace->name) : strlen(trace->name));
    if (!id)
        return bo_nomem(err);
    const bo_run_record *then = bo_doctor_run(examination, id), *now = NULL;
    bo_status st = bo_doctor_run_now(examination, NULL, id, &now, err);
    if (st != BO_OK)
        return st;
    bool live = now && bo_run_is_live(now);
    bool ended =
        now && (!then || (is_running(then) && !is_running(now))); /* since the first look */
    return live || ended ? BO_OK : add_trace(examination, trace, id, now != NULL, err);
}

static bo_status judge_trace(void *ctx, const bo_trace *trace, bo_error *err)
{
    return trace->kind == BO_TRACE_MARKER ? judge_marker(ctx, trace, err)
                                          : judge_aside(ctx, trace, err);
}

bo_status bo_doctor_runs(bo_examination *examination, bo_error *err)
{
    bo_status st = find_unsettled(examination, err);
    if (st == BO_OK)
        st = find_dead(examination, err);
    bo_conn *conn = examination->target ? examination->target->conn : NULL;
    if (st == BO_OK && conn && conn->driver->traces)
        st = bo_doctor_denied(examination, "whether markers of rollbacks are left",
            conn->driver->traces(conn, judge_trace, examination, err), err);
    return st;
}
