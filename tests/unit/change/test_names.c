/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/change/test_names.c - what is named by the second, when the second is the same: undo
 * points of two rollbacks, points of two catalogs in one database and in one repository.
 */
#include "world.h"

#include "backout/doctor.h"
#include "base/clock.h"
#include "base/step.h"

#define NOON INT64_C(1795176000000000) /* 2026-11-20 12:00:00 */

/* ---- somebody else, at a step of ours ---- */

static struct {
    world *w;
    const char *step;
    bo_session *session;
    const char *point; /* in: to be rolled back; or NULL: one is taken */
    bo_method method;
    char id[160]; /* out: the undo point, or the point */
} other;

static const char *take(world *w, bo_session *session, bo_method method)
{
    const bo_scope_item scope[] = {{"customers", NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 1, .migration = "alike", .method = method};
    bo_error err = {0};
    bo_point_list *points = NULL;
    world_ok(bo_point_create(session, &w->database, &options, &points, &err), &err);
    const char *id = bo_arena_str(w->arena, bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    return id;
}

static const char *undo(world *w, bo_session *session, const char *id)
{
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL};
    bo_error err = {0};
    bo_rollback *done = NULL;
    world_ok(bo_rollback_execute(session, &w->database, id, &options, &done, &err), &err);
    const char *undo_point = bo_arena_str(w->arena, done->undo_point);
    bo_rollback_free(done);
    return undo_point;
}

static void come_in_between(const char *step)
{
    if (strcmp(step, other.step) != 0)
        return;
    bo_step_hook = NULL;
    const char *id = other.point ? undo(other.w, other.session, other.point)
                                 : take(other.w, other.session, other.method);
    (void)snprintf(other.id, sizeof other.id, "%s", id);
}

static void await_other(world *w, bo_session *session, const char *step)
{
    other.w = w;
    other.session = session;
    other.step = step;
    other.point = NULL;
    other.id[0] = '\0';
    bo_step_hook = come_in_between;
}

/* A second catalog; its files are among ours, or apart. */
static bo_session *open_other(world *w, bool same_repository)
{
    bo_settings settings = w->settings;
    bo_session *session = NULL;
    bo_error err = {0};
    settings.catalog_url = bo_arena_printf(w->arena, "sqlite:%s/theirs/catalog.db", w->folder);
    if (!same_repository)
        settings.repository = bo_arena_printf(w->arena, "%s/theirs/repository", w->folder);
    world_ok(bo_session_open(&settings, &session, &err), &err);
    return session;
}

static int set_up(void **state)
{
    bo_clock_pin(NOON);
    return world_set_up(state);
}

static int set_up_postgres(void **state)
{
    bo_clock_pin(NOON);
    return world_set_up_postgres(state);
}

static int set_up_mariadb(void **state)
{
    bo_clock_pin(NOON);
    return world_set_up_mariadb(state);
}

static int tear_down(void **state)
{
    bo_step_hook = NULL;
    bo_clock_pin(0);
    return world_tear_down(state);
}

/* ---- undo points ---- */

static void two_rollbacks_of_one_second_keep_an_undo_point_each(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    const char *first = world_point(w, "customers");
    const char *second = world_point(w, "orders");
    world_sql(w, "UPDATE customers SET name = 'Eve' WHERE id = 2");
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 10");
    world_seal(w, first);
    world_seal(w, second);
    bo_session *session = NULL;
    world_ok(bo_session_open(&w->settings, &session, &err), &err);
    await_other(w, session, "planning");
    other.point = second;
    const char *mine = undo(w, w->session, first);
    assert_string_not_equal(other.id, "");
    assert_string_not_equal(mine, other.id);
    assert_int_equal(world_record(w, mine).status, BO_POINT_SEALED);
    assert_int_equal(world_record(w, other.id).status, BO_POINT_SEALED);

    (void)undo(w, w->session, mine);
    (void)undo(w, session, other.id);
    bo_session_free(session);
    assert_string_equal(world_value(w, "SELECT name FROM customers WHERE id = 2"), "Eve");
    assert_string_equal(
        world_value(w, "SELECT count(*) FROM orders WHERE id = 10 AND total = 1"), "1");
}

static void a_rollback_of_a_point_and_that_of_its_undo_point_wait_for_each_other(void **state)
{
    world *w = *state;
    bo_error err = {0};
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL};
    bo_rollback *done = NULL;
    char run[64];
    w->settings.lock_timeout_ms = 50;
    const char *id = world_change(w, "customers", "UPDATE customers SET name = 'Eve' WHERE id = 2");
    const char *undo_point = undo(w, w->session, id);
    world_reopen(w);
    world_ok(bo_catalog_run_begin(w->session->catalog, "rollback", id, "me", run, &err), &err);
    assert_int_equal(
        bo_rollback_execute(w->session, &w->database, undo_point, &options, &done, &err), BO_BUSY);
    assert_non_null(strstr(err.text, run));
    world_ok(bo_catalog_run_end(w->session->catalog, run, "failed", NULL, &err), &err);
    (void)undo(w, w->session, undo_point);
}

/* ---- points of two catalogs ---- */

static bool notices(world *w, bo_session *session, const char *id)
{
    bo_error err = {0};
    bo_verification *found = NULL;
    bo_status st = bo_verify(session, &w->database, id, BO_AGAINST_BEFORE, &found, &err);
    bo_verification_free(found);
    if (st != BO_MISMATCH)
        world_ok(st, &err);
    return st == BO_MISMATCH;
}

static void clean_up_mine(world *w)
{
    const bo_doctor_options fix = {.fix = true};
    const bo_prune_options all = {.keep_last = 1};
    bo_error err = {0};
    bo_doctor *doctor = NULL;
    bo_prune *pruned = NULL;
    bo_status st = bo_doctor_examine(w->session, &w->database, &fix, &doctor, &err);
    if (st != BO_MISMATCH) /* the capture of the other catalog */
        world_ok(st, &err);
    bo_doctor_free(doctor);
    world_ok(bo_prune_points(w->session, &all, &pruned, &err), &err);
    bo_prune_free(pruned);
}

static void check_apart(world *w, bo_session *session, const char *mine)
{
    assert_string_not_equal(other.id, "");
    assert_string_not_equal(mine, other.id);
    clean_up_mine(w); /* of what was given up for the other's sake */
    assert_false(notices(w, session, other.id));
    assert_false(notices(w, w->session, mine));
    world_sql(w, "UPDATE customers SET name = 'Eve' WHERE id = 2");
    assert_true(notices(w, session, other.id));
    assert_true(notices(w, w->session, mine));
}

static void two_catalogs_capture_points_of_one_second_apart(void **state)
{
    world *w = world_or_skip(state);
    bo_session *session = open_other(w, false);
    bo_error err = {0};
    bo_point_list *points = NULL;
    other.method = BO_METHOD_CAPTURE;
    await_other(w, session, "capturing");
    const char *mine = take(w, w->session, BO_METHOD_CAPTURE);
    check_apart(w, session, mine);

    world_ok(bo_point_release(w->session, &w->database, mine, true, &points, &err), &err);
    bo_point_list_free(points);
    world_sql(w, "UPDATE customers SET name = 'Ida' WHERE id = 1");
    assert_true(notices(w, session, other.id));
    world_ok(bo_point_release(session, &w->database, other.id, true, &points, &err), &err);
    bo_point_list_free(points);
    bo_session_free(session);
}

static void two_catalogs_keep_points_of_one_second_in_one_repository(void **state)
{
    world *w = *state;
    bo_session *session = open_other(w, true);
    other.method = BO_METHOD_SNAPSHOT;
    await_other(w, session, "snapshot");
    const char *mine = take(w, w->session, BO_METHOD_SNAPSHOT);
    check_apart(w, session, mine);
    bo_session_free(session);
}

int main(void)
{
#define TEST(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(two_rollbacks_of_one_second_keep_an_undo_point_each, set_up),
        TEST(two_rollbacks_of_one_second_keep_an_undo_point_each, set_up_postgres),
        TEST(two_rollbacks_of_one_second_keep_an_undo_point_each, set_up_mariadb),
        TEST(a_rollback_of_a_point_and_that_of_its_undo_point_wait_for_each_other, set_up),
        TEST(two_catalogs_capture_points_of_one_second_apart, set_up),
        TEST(two_catalogs_capture_points_of_one_second_apart, set_up_postgres),
        TEST(two_catalogs_capture_points_of_one_second_apart, set_up_mariadb),
        TEST(two_catalogs_keep_points_of_one_second_in_one_repository, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
