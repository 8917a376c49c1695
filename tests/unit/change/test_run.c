/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_run.c - the record of a change, and what is told of it. */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backout/run.h"
#include "base/clock.h"

static bo_run_record record_of(world *w, const char *id)
{
    bo_error err = {0};
    bo_run_record *runs = NULL;
    size_t count = 0;
    world_ok(bo_catalog_runs(w->session->catalog, NULL, 9, w->arena, &runs, &count, &err), &err);
    for (size_t i = 0; i < count; i++)
        if (strcmp(runs[i].id, id) == 0)
            return runs[i];
    fail_msg("there is no run %s", id);
    return (bo_run_record){0};
}

static bo_run *begin(world *w)
{
    bo_error err = {0};
    bo_run *run = NULL;
    const bo_point_options options = {.migration = "test"};
    world_ok(bo_run_begin(w->session, &w->database, &options, &run, &err), &err);
    return run;
}

static void a_run_that_tells_that_it_goes_on_is_promised_for_longer(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_run *run = begin(w);
    const char *id = bo_arena_str(w->arena, bo_run_id(run));
    const int64_t first = record_of(w, id).lease_us, later = 20000000;
    bo_clock_pin(bo_clock_now_us() + later);
    world_ok(bo_run_alive(run, &err), &err);
    bo_clock_pin(0);
    bo_run_record record = record_of(w, id);
    assert_true(record.lease_us >= first + later);
    assert_string_equal(record.status, "running");
    assert_string_equal(record.step, "changing");
    world_ok(bo_run_end(run, NULL, &err), &err);
    bo_run_free(run);
    assert_string_equal(record_of(w, id).status, "done");
}

static void a_run_that_is_freed_unended_is_rolled_back(void **state)
{
    world *w = *state;
    bo_run *run = begin(w);
    world_sql(w, "DELETE FROM orders");
    bo_run_free(run);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

/* What details say of the run. */
static bo_run_info told(world *w, const char *point, const char *run)
{
    bo_error err = {0};
    bo_point_list *list = NULL;
    bo_run_info told = {0};
    world_ok(bo_point_get(w->session, point, &list, &err), &err);
    const bo_point *one = bo_point_list_get(list, 0);
    for (size_t i = 0; i < one->run_count; i++)
        if (strcmp(one->runs[i].id, run) == 0)
            told = (bo_run_info){.explained = bo_arena_str(w->arena, one->runs[i].explained),
                .next = bo_arena_str(w->arena, one->runs[i].next)};
    bo_point_list_free(list);
    assert_non_null(told.next);
    return told;
}

static void assert_told(
    world *w, const char *point, const char *run, const char *words, const char *next)
{
    const bo_run_info info = told(w, point, run);
    assert_non_null(strstr(info.explained, words));
    assert_string_equal(
        info.next, next[0] ? bo_arena_printf(w->arena, "backout %s %s", next, point) : "");
}

/* The snapshot is away meanwhile: the point cannot be sealed. */
static void details_of_a_failed_change_know_what_became_of_its_point(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_run *run = begin(w);
    bo_rollback *rollback = NULL;
    bo_point_list *sealed = NULL;
    const char *id = bo_arena_str(w->arena, bo_run_id(run));
    const char *point = bo_arena_str(w->arena, bo_run_point_id(run));
    const char *file = world_path(w, world_record(w, point).file);
    const char *away = world_path(w, "away");
    world_sql(w, "DELETE FROM orders");
    assert_int_equal(rename(file, away), 0);
    assert_int_not_equal(bo_run_fail(run, "the test says so", &rollback, &err), BO_OK);
    assert_int_equal(rename(away, file), 0);
    assert_null(rollback);
    bo_run_free(run);
    assert_told(w, point, id, "failed and has not been rolled back", "execute");
    world_ok(bo_point_seal(w->session, &w->database, point, &sealed, &err), &err);
    bo_point_list_free(sealed);
    assert_told(w, point, id, "was sealed by hand afterwards", "assess");
    (void)world_roll_back(w, point, BO_ROLLBACK_PARTIAL);
    assert_told(w, point, id, "", "");
}

/* A seal that the run itself made is none by hand. */
static void details_of_a_failed_change_that_was_left_tell_to_roll_it_back(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_run *run = begin(w);
    world_sql(w, "DELETE FROM orders");
    world_ok(bo_run_abandon(run, "the test says so", &err), &err);
    assert_told(
        w, bo_run_point_id(run), bo_run_id(run), "failed and has not been rolled back", "execute");
    bo_run_free(run);
}

static void change_and_die(world *w, const char *what)
{
    bo_error err = {0};
    bo_run *run = begin(w);
    world_ok(
        bo_sql_execute(&w->database, bo_run_id(run), what, strlen(what), true, true, &err), &err);
    (void)raise(SIGKILL);
}

static void details_of_a_change_that_died_know_what_became_of_its_point(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_point_list *sealed = NULL;
    world_killed_at(w, "none", change_and_die, "DELETE FROM orders");
    world_ok(bo_catalog_runs(w->session->catalog, NULL, 1, w->arena, &runs, &count, &err), &err);
    assert_int_equal(count, 1);
    const char *id = runs[0].id, *point = runs[0].point;
    assert_told(w, point, id, "others wrote since then counts", "assess");
    world_ok(bo_point_seal(w->session, &w->database, point, &sealed, &err), &err);
    bo_point_list_free(sealed);
    assert_told(w, point, id, "the point has been sealed since", "assess");
    (void)world_roll_back(w, point, BO_ROLLBACK_PARTIAL);
    assert_told(w, point, id, "has been rolled back since", "");
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_run_that_tells_that_it_goes_on_is_promised_for_longer),
        WORLD_TEST(a_run_that_is_freed_unended_is_rolled_back),
        WORLD_TEST(details_of_a_failed_change_know_what_became_of_its_point),
        WORLD_TEST(details_of_a_failed_change_that_was_left_tell_to_roll_it_back),
        WORLD_TEST(details_of_a_change_that_died_know_what_became_of_its_point),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
