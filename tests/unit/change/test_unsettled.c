/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_unsettled.c - rollbacks and restores that were killed: whatever came after
 * them, doctor finds and settles them, and prune keeps what that needs. */
#include "world.h"

#include "backout/doctor.h"
#include "base/clock.h"

#define DAY_US INT64_C(86400000000)

static const bo_doctor_options look = {0}, fix_all = {.fix = true, .foreign = true};

/* The kinds of all that is found, each with a blank after it. */
static const char *found(world *w, bo_doctor_options options, bo_status expected)
{
    bo_error err = {0};
    bo_doctor *doctor = NULL;
    bo_status st = bo_doctor_examine(w->session, &w->database, &options, &doctor, &err);
    if (st != expected)
        print_message("# %s\n", err.text);
    assert_int_equal(st, expected);
    const char *kinds = "";
    for (size_t i = 0; i < doctor->finding_count; i++)
        kinds = bo_arena_printf(w->arena, "%s%s ", kinds, doctor->findings[i].kind);
    bo_doctor_free(doctor);
    return kinds;
}

/* ---- killed ---- */

static void roll_back(world *w, const char *id)
{
    bo_rollback *done = NULL;
    const bo_rollback_options options = {.type = BO_ROLLBACK_FULL, .discard_later = true};
    (void)!bo_rollback_execute(w->session, &w->database, id, &options, &done, NULL);
}

static void restore(world *w, const char *what)
{
    bo_rollback *done = NULL;
    (void)!bo_restore(w->session, &w->database, what, NULL, 0, false, &done, NULL);
}

/* Another run of the point, which begins and ends and is the newest one then. */
static void come_after(world *w, const char *point)
{
    char run[64];
    bo_error err = {0};
    bo_catalog *catalog = w->session->catalog;
    world_ok(bo_catalog_run_begin(catalog, "seal", point, "tester", run, &err), &err);
    world_ok(bo_catalog_run_end(catalog, run, "done", NULL, &err), &err);
}

static bo_run_record last_restore(world *w, const char *point)
{
    bo_error err = {0};
    bo_run_record *runs = NULL;
    size_t count = 0;
    world_ok(bo_catalog_runs(w->session->catalog, point, 0, w->arena, &runs, &count, &err), &err);
    for (size_t i = 0; i < count; i++)
        if (strcmp(runs[i].kind, "restore") == 0)
            return runs[i];
    fail_msg("no restore of %s", point);
    return (bo_run_record){0};
}

static bo_point_record undo_point_of(world *w, const char *point)
{
    bo_error err = {0};
    const bo_point_filter all = {.with_undo = true};
    bo_point_record *points = NULL;
    size_t count = 0;
    world_ok(bo_catalog_points(w->session->catalog, &all, w->arena, &points, &count, &err), &err);
    for (size_t i = 0; i < count; i++)
        if (points[i].parent && strcmp(points[i].parent, point) == 0)
            return points[i];
    fail_msg("no undo point of %s", point);
    return (bo_point_record){0};
}

static void make_older(world *w, const char *id)
{
    bo_error err = {0};
    bo_point_record record = world_record(w, id);
    record.created_us -= 9 * DAY_US;
    world_ok(bo_catalog_point_update(w->session->catalog, &record, &err), &err);
}

static uint64_t pruned(world *w)
{
    bo_error err = {0};
    bo_prune *prune = NULL;
    const bo_prune_options one_day = {.keep_days = 1};
    world_ok(bo_prune_points(w->session, &one_day, &prune, &err), &err);
    uint64_t removed = prune->removed;
    bo_prune_free(prune);
    return removed;
}

/* ---- the stories ---- */

static void a_killed_rollback_is_found_and_kept_after_later_runs(world *w, bool commits)
{
    const char *id = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    world_killed_at(w, commits ? "rollback.commit-answered" : "committing", roll_back, id);
    bo_point_record undo = undo_point_of(w, id);
    assert_int_equal(undo.status, BO_POINT_CREATING);
    come_after(w, id);
    make_older(w, id);
    make_older(w, undo.id);
    assert_string_equal(found(w, look, BO_MISMATCH), "dead-run ");
    assert_int_equal(pruned(w), 0);
    assert_int_equal(world_record(w, id).status, BO_POINT_SEALED);
    assert_true(world_has_file(w, undo.change_file));

    assert_string_equal(found(w, fix_all, BO_OK), "dead-run ");
    assert_string_equal(found(w, look, BO_OK), "");
    assert_int_equal(world_record(w, id).status, commits ? BO_POINT_ROLLED_BACK : BO_POINT_SEALED);
    assert_int_equal(world_record(w, undo.id).status, commits ? BO_POINT_SEALED : BO_POINT_FAILED);
    assert_true(world_has_file(w, undo.change_file) == commits);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), commits ? "3" : "2");
    assert_int_equal(pruned(w), commits ? 2 : 1); /* what failed has no file to remove */
}

static void a_committed_rollback_is_not_forgotten(void **state)
{
    a_killed_rollback_is_found_and_kept_after_later_runs(world_or_skip(state), true);
}

static void a_rollback_that_did_not_commit_is_not_forgotten(void **state)
{
    a_killed_rollback_is_found_and_kept_after_later_runs(world_or_skip(state), false);
}

/* Settling it changes the record of the point as well. */
static void a_killed_rollback_of_an_undo_point_keeps_its_point(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_FULL);
    world_killed_at(w, "rollback.commit-answered", roll_back, undo);
    come_after(w, undo);
    make_older(w, id);
    make_older(w, undo);
    assert_int_equal(pruned(w), 0);
    assert_string_equal(found(w, fix_all, BO_OK), "dead-run ");
    assert_int_equal(world_record(w, id).status, BO_POINT_SEALED);
    assert_int_equal(world_record(w, undo).status, BO_POINT_ROLLED_BACK);
}

/* Nothing was there that could be kept: the marker has no undo point. */
static void the_marker_of_a_restore_that_kept_nothing_is_needed(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_point(w, "orders");
    world_sql(w, "DROP TABLE orders");
    world_killed_at(w, "rollback.commit-answered", restore, id);
    come_after(w, id);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
    assert_string_equal(found(w, look, BO_MISMATCH), "dead-run ");
    assert_string_equal(found(w, fix_all, BO_OK), "dead-run ");
    assert_string_equal(last_restore(w, id).status, "done");
    assert_int_equal(world_record(w, id).status, BO_POINT_ROLLED_BACK);
    assert_string_equal(found(w, look, BO_OK), "");
}

static void a_killed_restore_of_a_file_is_settled(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_point(w, "orders");
    const char *path = world_path(w, world_record(w, id).file);
    world_sql(w, "DROP TABLE orders");
    world_killed_at(w, "rollback.commit-answered", restore, path);
    assert_string_equal(found(w, look, BO_MISMATCH), "dead-run ");
    assert_string_equal(found(w, fix_all, BO_OK), "dead-run ");
    assert_string_equal(last_restore(w, path).status, "done");
    assert_int_equal(world_record(w, id).status, BO_POINT_READY);
    assert_string_equal(found(w, look, BO_OK), "");
}

#define EACH(name) WORLD_TEST(name), WORLD_TEST_POSTGRES(name), WORLD_TEST_MARIADB(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_committed_rollback_is_not_forgotten),
        EACH(a_rollback_that_did_not_commit_is_not_forgotten),
        EACH(a_killed_rollback_of_an_undo_point_keeps_its_point),
        EACH(the_marker_of_a_restore_that_kept_nothing_is_needed),
        EACH(a_killed_restore_of_a_file_is_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
