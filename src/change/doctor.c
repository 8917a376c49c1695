/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/doctor.c - what is left over, what is broken, and what can be covered.
 *
 * The examination only reads: the catalog, which says who needs what, and the database, which says
 * what is there.  What neither explains is never removed unasked: another catalog may need it.
 */
#include "change/doctor.h"

#include <string.h>

#include "base/step.h"

struct result {
    bo_doctor doctor; /* first: it is what the caller holds */
    bo_arena *arena;
};
BO_DEFINE_SCOPE(bo_doctor);

void bo_doctor_free(bo_doctor *doctor)
{
    if (!doctor)
        return;
    bo_arena_free(((struct result *)doctor)->arena);
    free(doctor);
}

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
    bo_error missing = {0};
    if (!point)
        return bo_nomem(err);
    bo_status st = bo_catalog_point_find(
        examination->session->catalog, id, examination->arena, point, &missing);
    bool none = st == BO_NOTFOUND || st == BO_INVALID;
    if (st != BO_OK && !none && err)
        *err = missing;
    if (st == BO_OK || none)
        *out = st == BO_OK && strcmp(point->id, id) == 0 ? point : NULL;
    return none ? BO_OK : st;
}

static const bo_run_record *find_run(const bo_run_record *runs, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(runs[i].id, id) == 0)
            return &runs[i];
    return NULL;
}

const bo_run_record *bo_doctor_run(const bo_examination *examination, const char *id)
{
    return find_run(examination->runs, examination->run_count, id);
}

bo_status bo_doctor_run_now(
    const bo_examination *examination, const char *id, const bo_run_record **out, bo_error *err)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs(
        examination->session->catalog, NULL, 0, examination->arena, &runs, &count, err);
    if (st == BO_OK)
        *out = find_run(runs, count, id);
    return st;
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

bool bo_doctor_is_here(const bo_examination *examination, const bo_point_record *point)
{
    return examination->target && point->server && point->server[0] &&
           strcmp(point->server, examination->target->identity.server) == 0;
}

static const bo_run_record *find_live(const bo_run_record *runs, size_t count, const char *point)
{
    for (size_t i = 0; i < count; i++)
        if (runs[i].point && strcmp(runs[i].point, point) == 0 && bo_run_is_live(&runs[i]))
            return &runs[i];
    return NULL;
}

bool bo_doctor_is_live(const bo_examination *examination, const char *point)
{
    return find_live(examination->runs, examination->run_count, point) != NULL;
}

bo_status bo_doctor_live_now(
    const bo_examination *examination, const char *point, const bo_run_record **out, bo_error *err)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs(
        examination->session->catalog, point, 0, examination->arena, &runs, &count, err);
    if (st == BO_OK)
        *out = find_live(runs, count, point);
    return st;
}

static bo_status read_catalog(bo_examination *examination, bo_error *err)
{
    const bo_point_filter all = {.with_undo = true};
    bo_catalog *catalog = examination->session->catalog;
    /* points first: every one that is being taken then has its run here */
    bo_status st = bo_catalog_points(
        catalog, &all, examination->arena, &examination->points, &examination->point_count, err);
    return st == BO_OK ? bo_catalog_runs(catalog, NULL, 0, examination->arena, &examination->runs,
                             &examination->run_count, err)
                       : st;
}

static bo_status examine(bo_examination *examination, bo_error *err)
{
    bo_status st = read_catalog(examination, err);
    bo_step("doctor.catalog-read");
    if (st == BO_OK && examination->target)
        st = bo_doctor_captures(examination, err);
    if (st == BO_OK)
        st = bo_doctor_runs(examination, err);
    if (st == BO_OK && examination->target)
        st = bo_doctor_coverage(examination, err);
    bo_step("doctor.examined");
    if (st == BO_OK && examination->options->fix)
        st = bo_doctor_fix(examination, err);
    return st;
}

static void report(const bo_examination *examination, bo_doctor *out)
{
    out->result = "clean";
    out->findings = examination->findings;
    out->finding_count = examination->finding_count;
    out->tables = examination->tables;
    out->table_count = examination->table_count;
    for (size_t i = 0; i < out->finding_count; i++)
        if (out->findings[i].bad && !out->findings[i].fixed)
            out->result = "found";
}

bo_status bo_doctor_examine(bo_session *session, const bo_database *database,
    const bo_doctor_options *options, bo_doctor **out, bo_error *err)
{
    static const bo_doctor_options look = {0};
    struct result *whole = calloc(1, sizeof *whole);
    if (!whole)
        return bo_nomem(err);
    BO_OWN(bo_doctor) *result = &whole->doctor;
    whole->arena = bo_arena_create();
    if (!whole->arena)
        return bo_nomem(err);
    BO_OWN(bo_target) *target = NULL;
    bo_status st = database ? bo_target_open(database, &target, err) : BO_OK;
    bo_examination examination = {.session = session,
        .target = target,
        .options = options ? options : &look,
        .arena = whole->arena};
    if (st == BO_OK)
        st = examine(&examination, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "the examination did not come to its end");
    report(&examination, result);
    *out = BO_TAKE(result);
    return strcmp((*out)->result, "clean") == 0
               ? BO_OK
               : bo_fail(err, BO_MISMATCH, "something is left over or broken");
}
