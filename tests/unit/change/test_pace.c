/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_pace.c - how long a rollback will take, from what earlier ones took. */
#include "world.h"

#include <math.h>
#include <string.h>

#include "change/pace.h"

static void assert_near(double seconds, double expected)
{
    assert_true(fabs(seconds - expected) < 1e-9);
}

static void run_with(world *w, const char *kind, const char *status, const char *details)
{
    bo_error err = {0};
    char id[64];
    world_ok(bo_catalog_run_begin(w->session->catalog, kind, NULL, "tester", id, &err), &err);
    world_ok(bo_catalog_run_end(w->session->catalog, id, status, details, &err), &err);
}

static void rates_are_those_of_earlier_rollbacks_of_the_database(void **state)
{
    world *w = *state;
    unsigned runs = 7;
    assert_near(bo_pace_estimate(w->session, "here", 100, &runs), 0);
    assert_int_equal(runs, 0);
    run_with(w, "rollback", "done",
        "{\"server\":\"here\",\"pace\":{\"rows\":1000,\"planning\":50,\"protecting\":1,"
        "\"applying\":2,\"proving\":3,\"committing\":4}}");
    run_with(
        w, "rollback", "done", "{\"server\":\"here\",\"pace\":{\"rows\":3000,\"applying\":2}}");
    assert_near(bo_pace_estimate(w->session, "here", 2000, &runs), 6);
    assert_int_equal(runs, 2);
    assert_near(bo_pace_estimate(w->session, "here", 0, &runs), 0);
    assert_near(bo_pace_estimate(w->session, "there", 2000, &runs), 0);
    assert_int_equal(runs, 0);
}

static void only_the_newest_rollbacks_count(void **state)
{
    world *w = *state;
    unsigned runs = 0;
    run_with(
        w, "rollback", "done", "{\"server\":\"here\",\"pace\":{\"rows\":1000,\"applying\":1000}}");
    for (int i = 0; i < 10; i++)
        run_with(
            w, "rollback", "done", "{\"server\":\"here\",\"pace\":{\"rows\":1000,\"applying\":1}}");
    assert_near(bo_pace_estimate(w->session, "here", 1000, &runs), 1);
    assert_int_equal(runs, 10);
}

static void records_that_say_nothing_are_passed_over(void **state)
{
    world *w = *state;
    static const char *const details[] = {"{}", "[]", "\"pace\"",
        "{\"server\":\"here\",\"pace\":{\"rows\":0,\"applying\":1}}",
        "{\"server\":\"here\",\"pace\":{\"rows\":-5000,\"applying\":1}}",
        "{\"server\":\"here\",\"pace\":{\"rows\":999,\"applying\":1}}",
        "{\"server\":\"here\",\"pace\":{\"rows\":5000,\"applying\":0}}",
        "{\"server\":\"here\",\"pace\":{\"rows\":5000,\"applying\":-3}}",
        "{\"server\":\"here\",\"pace\":{\"rows\":5000}}",
        "{\"server\":\"here\",\"pace\":{\"rows\":\"many\",\"applying\":\"long\"}}",
        "{\"server\":7,\"pace\":7}"};
    unsigned runs = 7;
    for (size_t i = 0; i < sizeof details / sizeof *details; i++)
        run_with(w, "rollback", "done", details[i]);
    run_with(
        w, "rollback", "failed", "{\"server\":\"here\",\"pace\":{\"rows\":5000,\"applying\":1}}");
    run_with(w, "restore", "done", "{\"server\":\"here\",\"pace\":{\"rows\":5000,\"applying\":1}}");
    assert_near(bo_pace_estimate(w->session, "here", 5000, &runs), 0);
    assert_int_equal(runs, 0);
}

static bo_rollback *assess(world *w, const char *id)
{
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    world_ok(bo_rollback_assess(w->session, &w->database, id, &rollback, &err), &err);
    assert_true(isfinite(rollback->estimate_s));
    assert_true(rollback->estimate_s >= rollback->duration_s);
    return rollback;
}

static void a_rollback_is_measured_and_the_next_one_estimated_by_it(void **state)
{
    world *w = *state;
    world_sql(w, "CREATE TABLE many (id INTEGER PRIMARY KEY, v INTEGER);"
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
                 " INSERT INTO many SELECT i, 0 FROM n");
    const char *id = world_change(w, "many", "UPDATE many SET v = 1");
    bo_rollback *before = assess(w, id);
    assert_int_equal(before->estimate_runs, 0);
    assert_near(before->estimate_s, 2 * before->duration_s);
    bo_rollback_free(before);
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    bo_rollback *after = assess(w, undo);
    assert_int_equal(after->updated, 2000);
    assert_int_equal(after->estimate_runs, 1);
    bo_rollback_free(after);
    world_sql(w, "UPDATE many SET v = 2");
    bo_rollback *nothing = assess(w, undo); /* all conflicts: no row would be touched */
    assert_int_equal(nothing->updated, 0);
    assert_near(nothing->estimate_s, nothing->duration_s);
    bo_rollback_free(nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(rates_are_those_of_earlier_rollbacks_of_the_database),
        WORLD_TEST(only_the_newest_rollbacks_count),
        WORLD_TEST(records_that_say_nothing_are_passed_over),
        WORLD_TEST(a_rollback_is_measured_and_the_next_one_estimated_by_it),
    };
    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
