/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/traces.c - what is left behind: records that are whole, and nothing else. */
#include <string.h>

#include "backout/audit.h"
#include "backout/doctor.h"
#include "property/trial.h"

static void check_runs(trial *t, const bo_point *point)
{
    for (size_t i = 0; i < point->run_count; i++) {
        const bo_run_info *run = &point->runs[i];
        trial_expect(
            t, strcmp(run->status, "running") != 0, "the %s %s has not ended", run->kind, run->id);
    }
}

static bo_status check_file(void *ctx, const char *name, bo_error *err)
{
    trial *t = ctx;
    char id[160];
    bo_point_list *points = NULL;
    (void)err;
    (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(name, "."), name);
    bo_error missing = {0};
    bo_status st = bo_point_get(t->session, id, &points, &missing);
    trial_expect(t, st == BO_OK, "file '%s' belongs to no point", name);
    bo_point_list_free(points);
    return BO_OK;
}

void traces_check(trial *t)
{
    bo_error err = {0};
    bo_audit_result audit = {0};
    trial_ok(t, bo_audit_check_chain(t->session, NULL, &audit, &err), &err, "check the audit log");
    bo_point_list *points = NULL;
    const bo_point_query query = {.with_undo = true};
    trial_ok(t, bo_point_find(t->session, &query, &points, &err), &err, "list the points");
    for (size_t i = 0; i < bo_point_list_count(points); i++) {
        bo_point_list *one = NULL;
        trial_ok(t, bo_point_get(t->session, bo_point_list_get(points, i)->id, &one, &err), &err,
            "read a point");
        check_runs(t, bo_point_list_get(one, 0));
        bo_point_list_free(one);
    }
    bo_point_list_free(points);
    uint64_t swept = 0;
    trial_ok(t, bo_repository_list(t->session->repository, check_file, t, &err), &err,
        "list the repository");
    trial_ok(t, bo_repository_sweep(t->session->repository, &swept, &err), &err, "sweep");
    trial_expect(t, swept == 0, "%u unfinished files are left", (unsigned)swept);
}

/* ---- in the database ---- */

static bo_status first_value(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    char *out = ctx;
    (void)err;
    if (count && values[0].data && !out[0])
        (void)snprintf(out, 80, "%.*s", (int)values[0].size, values[0].data);
    return BO_OK;
}

static void examine(trial *t)
{
    bo_error err = {0};
    bo_doctor *doctor = NULL;
    const bo_doctor_options options = {0};
    bo_status st = bo_doctor_examine(t->session, &t->database, &options, &doctor, &err);
    trial_ok(t, st == BO_MISMATCH ? BO_OK : st, &err, "examine the database");
    for (size_t i = 0; i < doctor->finding_count; i++)
        trial_expect(t, strcmp(doctor->findings[i].kind, "failed-run") == 0, "%s: %s",
            doctor->findings[i].kind, doctor->findings[i].what);
    bo_doctor_free(doctor);
}

void traces_check_released(trial *t)
{
    static const char *const questions[] = {
        [ON_SQLITE] = "SELECT name FROM sqlite_schema WHERE name LIKE '%backout%'",
        [ON_POSTGRES] = "SELECT relname::text FROM pg_class WHERE relname LIKE '%backout%'"
                        " OR relnamespace = to_regnamespace('backout')::oid UNION ALL"
                        " SELECT tgname::text FROM pg_trigger WHERE tgname LIKE '%backout%'"
                        " OR tgenabled = 'D' UNION ALL"
                        " SELECT nspname::text FROM pg_namespace WHERE nspname = 'backout'",
        [ON_MARIADB] = "SELECT TABLE_NAME FROM information_schema.TABLES"
                       " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%backout%'"
                       " UNION SELECT TRIGGER_NAME FROM information_schema.TRIGGERS"
                       " WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME LIKE '%backout%'"};
    bo_error err = {0};
    char left[80] = "";
    trial_release(t);
    examine(t);
    trial_ok(t,
        t->reader->driver->query(
            t->reader, questions[t->h->schema.engine], NULL, 0, first_value, left, NULL, &err),
        &err, "look for traces");
    trial_expect(t, left[0] == 0, "'%s' is left in the database", left);
}
