/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/doctor_records.c - what was found, and what the catalog says: as it was read at first,
 * and as it is at this moment. */
#include <string.h>

#include "change/doctor.h"

bo_status bo_doctor_add(bo_examination *examination, const bo_finding *finding, bo_error *err)
{
    bo_finding *findings = bo_arena_grow(
        examination->arena, examination->findings, examination->finding_count, sizeof *findings);
    if (!findings || !finding->what)
        return bo_nomem(err);
    examination->findings = findings;
    bo_finding *added = &findings[examination->finding_count++];
    *added = *finding;
    const char **texts[] = {&added->point, &added->table, &added->run, &added->next};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!*texts[i])
            *texts[i] = "";
    return BO_OK;
}

bo_status bo_doctor_denied(
    bo_examination *examination, const char *unseen, bo_status st, bo_error *err)
{
    if (st != BO_DENIED)
        return st;
    const char *last = err ? strrchr(err->text, '\n') : NULL;
    const char *why = last ? last + 1 : err ? err->text : "";
    const bo_finding found = {.kind = "unseen",
        .what = bo_arena_printf(examination->arena, "%s cannot be seen: %s", unseen, why),
        .next = "backout doctor --db with an account that may read the whole database"};
    if (err)
        *err = (bo_error){0};
    return bo_doctor_add(examination, &found, err);
}

const bo_point_record *bo_doctor_point(const bo_examination *examination, const char *id)
{
    for (size_t i = 0; i < examination->point_count; i++)
        if (strcmp(examination->points[i].id, id) == 0)
            return &examination->points[i];
    return NULL;
}

bo_status bo_doctor_point_now(
    const bo_examination *examination, const char *id, const bo_point_record **out, bo_error *err)
{
    bo_point_record *point = bo_arena_alloc(examination->arena, sizeof *point);
    bool there = false;
    if (!point)
        return bo_nomem(err);
    bo_status st = bo_catalog_point_get(
        examination->session->catalog, id, examination->arena, point, &there, err);
    if (st == BO_OK)
        *out = there ? point : NULL;
    return st;
}

bool bo_doctor_is_here(const bo_examination *examination, const bo_point_record *point)
{
    return examination->target && point->server && point->server[0] &&
           strcmp(point->server, examination->target->identity.server) == 0;
}

static const bo_run_record *first_run(
    const bo_run_record *runs, size_t count, bo_run_test *test, const char *what)
{
    for (size_t i = 0; i < count; i++)
        if (test(&runs[i], what))
            return &runs[i];
    return NULL;
}

static bool has_id(const bo_run_record *run, const char *id)
{
    return strcmp(run->id, id) == 0;
}

static bool is_live_on(const bo_run_record *run, const char *point)
{
    return run->point && strcmp(run->point, point) == 0 && bo_run_is_live(run);
}

bo_status bo_doctor_find_now(const bo_examination *examination, const char *point,
    bo_run_test *test, const char *what, const bo_run_record **out, bo_error *err)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs(
        examination->session->catalog, point, 0, examination->arena, &runs, &count, err);
    if (st == BO_OK)
        *out = first_run(runs, count, test, what);
    return st;
}

const bo_run_record *bo_doctor_run(const bo_examination *examination, const char *id)
{
    return first_run(examination->runs, examination->run_count, has_id, id);
}

bo_status bo_doctor_run_now(const bo_examination *examination, const char *point, const char *id,
    const bo_run_record **out, bo_error *err)
{
    return bo_doctor_find_now(examination, point, has_id, id, out, err);
}

bool bo_doctor_is_live(const bo_examination *examination, const char *point)
{
    return first_run(examination->runs, examination->run_count, is_live_on, point) != NULL;
}

bo_status bo_doctor_live_now(
    const bo_examination *examination, const char *point, const bo_run_record **out, bo_error *err)
{
    return bo_doctor_find_now(examination, point, is_live_on, point, out, err);
}
