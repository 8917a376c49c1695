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
#include "change/result.h"

BO_DEFINE_SCOPE(bo_doctor);

void bo_doctor_free(bo_doctor *doctor)
{
    bo_result_free(doctor);
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
    bo_arena *arena = NULL;
    BO_OWN(bo_doctor) *result = bo_result_create(sizeof *result, &arena);
    if (!result)
        return bo_nomem(err);
    BO_OWN(bo_target) *target = NULL;
    bo_status st = database ? bo_target_open(database, &target, err) : BO_OK;
    bo_examination examination = {
        .session = session, .target = target, .options = options ? options : &look, .arena = arena};
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
