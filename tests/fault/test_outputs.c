/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_outputs.c - files fail beside what leaves a database alone: the first session of
 * all, checks, and what is written for people. */
#include <sys/stat.h>
#include <unistd.h>

#include "backout/audit.h"
#include "backout/export.h"
#include "fault/sweep.h"

/* Every so-manieth place; each, with BACKOUT_TEST_SWEEP=full.  What checks reads files most. */
enum { SAMPLE = 131, SAMPLE_OF_CHECK = 3 };

static const char *in_folder(scene *s, const char *name)
{
    return bo_arena_printf(s->w->arena, "%s/%s", s->w->folder, name);
}

/* ---- a catalog and a repository that are made ---- */

static void remove_state(scene *s)
{
    char command[128];
    bo_session_free(BO_TAKE(s->w->session));
    (void)snprintf(command, sizeof command, "rm -rf '%s/state'", s->w->folder);
    assert_int_equal(system(command), 0);
}

static bo_status take_first(scene *s, bo_session *session, bo_error *err)
{
    return scene_operation("point")->run(s, session, err);
}

static bo_status take_another(scene *s, bo_session *session, bo_error *err)
{
    return scene_operation("point")->again(s, session, err);
}

/* ---- a check that really restores ---- */

static bo_status check_all(scene *s, bo_session *session, bo_error *err)
{
    bo_check *check = NULL;
    bo_status st = bo_check_stored(session, &s->w->database, NULL, true, &check, err);
    bo_check_free(check);
    return st;
}

/* ---- the audit log as a file: the one before, or the new one ---- */

static void save_first(scene *s)
{
    bo_error err = {0};
    world_ok(bo_audit_save(s->w->session, in_folder(s, "audit.json"), false, &err), &err);
    world_ok(bo_audit_note(s->w->session, "test", "more", "done", "", &err), &err);
}

static bo_status save_audit(scene *s, bo_session *session, bo_error *err)
{
    return bo_audit_save(session, in_folder(s, "audit.json"), true, err);
}

static bo_status check_audit(scene *s, bo_session *session, bo_error *err)
{
    bo_audit_result found = {0};
    bo_status st = bo_audit_check_chain(session, in_folder(s, "audit.json"), &found, err);
    return st == BO_OK ? save_audit(s, session, err) : st;
}

/* ---- artefacts ---- */

static void make_folder(scene *s)
{
    assert_int_equal(mkdir(in_folder(s, "artefacts"), 0700), 0);
}

static bo_status write_artefacts(scene *s, bo_session *session, bo_error *err)
{
    return bo_export_artefacts(session, &s->w->database, s->point, in_folder(s, "artefacts"), err);
}

/* Never over others; those of an attempt that failed are gone, if the disk was not.  One that was
 * done, and only not recorded, says so. */
static bo_status write_again(scene *s, bo_session *session, bo_error *err)
{
    bo_status st = write_artefacts(s, session, err);
    bool may_be_there = !s->found->returned || s->found->status == BO_OK ||
                        strncmp(s->found->text, "done", 4) == 0 || s->fault.kind == FAULT_FILE_GONE;
    return st == BO_EXISTS && may_be_there ? BO_OK : st;
}

#define STAYS(moment) moment, moment, moment
#define HERE          ON(WORLD_SQLITE), BY(BO_METHOD_SNAPSHOT)

static const operation operations[] = {
    {"first point", HERE, STAYS(SCENE_ORIGINAL), take_first, take_another, SCENE_ORIGINAL,
        .prepare = remove_state},
    {"check", HERE, STAYS(SCENE_LATER), check_all, check_all, SCENE_LATER},
    {"audit export", HERE, STAYS(SCENE_LATER), save_audit, check_audit, SCENE_LATER,
        .prepare = save_first},
    {"artefacts", HERE, STAYS(SCENE_LATER), write_artefacts, write_again, SCENE_LATER,
        .prepare = make_folder},
};

static void sweep_one(const operation *op, fault_kind kind, unsigned *faults)
{
    const setting at = {.method = BO_METHOD_SNAPSHOT};
    const bool reads = op->run == check_all && kind == FAULT_FILE_CALL;
    const unsigned stride = at_full_length() ? 1 : reads ? SAMPLE_OF_CHECK : SAMPLE;
    scene *s = scene_open(op, &at);
    unsigned nth = 1;
    for (; scene_attempt(s, kind, nth); nth += stride, (*faults)++)
        scene_check(s);
    scene_expect(s, s->found->status == BO_OK, "it fails without a fault");
    scene_check(s);
    scene_close(s);
}

static void files_fail_beside_outputs(void **state)
{
    static const fault_kind kinds[] = {
        FAULT_FILE_CALL, FAULT_FILE_SHORT, FAULT_FILE_FULL, FAULT_FILE_GONE, FAULT_LOSS_AT_CALL};
    unsigned faults = 0;
    (void)state;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            sweep_one(&operations[i], kinds[k], &faults);
    print_message(
        "# sweep files fail beside outputs on SQLite: %u faults, %u survived\n", faults, faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_fail_beside_outputs),
    };
    return cmocka_run_group_tests_name("outputs", tests, NULL, NULL);
}
