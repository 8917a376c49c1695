/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_lies.c - the disk says that it has synced files of the repository, has not, and
 * the power is cut: then they are damaged, and no one may be taken in by them. */
#include "fault/sweep.h"

enum { SAMPLE = 11 }; /* every so-manieth place; each, with BACKOUT_TEST_SWEEP=full */

typedef struct lie {
    const char *operation;
    const char *change; /* made after it, or NULL */
    const char *kind;   /* of the point whose file may be damaged, */
    const char *status; /* once it is that */
    bo_rollback_type type;
    moment from, to; /* what a rollback to that point does */
} lie;

static bool told_by_check(scene *s, const bo_point *point)
{
    bo_error err = {0};
    bo_check *check = NULL;
    bo_status st = bo_check_stored(s->w->session, &s->w->database, point->id, false, &check, &err);
    scene_expect(s, st == BO_OK || st == BO_MISMATCH, "the check fails: %s", err.text);
    bo_check_free(check);
    return st == BO_MISMATCH;
}

/* A file that is damaged is told by the check, refuses to be used, and changes nothing; one that is
 * not leads to where it should. */
static bool is_found_out(scene *s, const lie *of, const bo_point *point)
{
    bo_error err = {0};
    bo_rollback *done = NULL;
    const bo_rollback_options how = {.type = of->type, .discard_later = true};
    bool damaged = told_by_check(s, point);
    bo_status st =
        bo_rollback_execute(s->w->session, &s->w->database, point->id, &how, &done, &err);
    const char *rows = scene_rows(s);
    scene_expect(s, damaged == (st != BO_OK), "the check says %d, the rollback %s: %s", damaged,
        bo_status_name(st), err.text);
    scene_expect(s, strcmp(rows, s->rows[damaged ? of->from : of->to]) == 0,
        "the file is %s, and the rows are\n%s", damaged ? "damaged" : "whole", rows);
    scene_expect(s, !damaged || strstr(err.text, point->id), "the file is not named: %s", err.text);
    bo_rollback_free(done);
    return damaged;
}

static unsigned find_out(scene *s, const lie *of)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_point_query query = {.with_undo = true};
    unsigned damaged = 0;
    world_ok(bo_point_find(s->w->session, &query, &points, &err), &err);
    if (of->change)
        world_sql(s->w, of->change);
    for (size_t i = 0; i < bo_point_list_count(points); i++) {
        const bo_point *point = bo_point_list_get(points, i);
        if (strcmp(point->status, of->status) == 0 && strcmp(point->kind, of->kind) == 0 &&
            strcmp(scene_rows(s), s->rows[of->from]) == 0)
            damaged += is_found_out(s, of, point);
    }
    bo_point_list_free(points);
    return damaged;
}

static void damage_by_a_disk_that_lies_is_told_and_never_used(void **state)
{
    static const lie lies[] = {
        {"point", scene_change, "point", "ready", BO_ROLLBACK_FULL, SCENE_CHANGED, SCENE_ORIGINAL},
        {"seal", NULL, "point", "sealed", BO_ROLLBACK_PARTIAL, SCENE_CHANGED, SCENE_ORIGINAL},
        {"partial", NULL, "undo", "sealed", BO_ROLLBACK_PARTIAL, SCENE_KEPT, SCENE_LATER},
        {"full", NULL, "undo", "sealed", BO_ROLLBACK_FULL, SCENE_ORIGINAL, SCENE_LATER},
    };
    const unsigned stride = at_full_length() ? 1 : SAMPLE;
    unsigned faults = 0, damaged = 0;
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const setting at = {.method = BO_METHOD_SNAPSHOT};
        scene *s = scene_open(scene_operation(lies[i].operation), &at);
        unsigned before = damaged;
        for (unsigned nth = 1; scene_attempt(s, FAULT_LIE, nth); nth += stride, faults++)
            damaged += find_out(s, &lies[i]);
        scene_expect(s, damaged > before, "the disk harmed no file");
        scene_close(s);
    }
    print_message("# %u files were damaged\n", damaged);
    print_message("# sweep a disk that lies to operations on SQLite: %u faults, %u survived\n",
        faults, faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_by_a_disk_that_lies_is_told_and_never_used),
    };
    return cmocka_run_group_tests_name("lies", tests, NULL, NULL);
}
