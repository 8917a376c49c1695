/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_run.c - the record of a change, and what is told of it. */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backout/backup.h"
#include "backout/run.h"
#include "base/clock.h"
#include "base/step.h"

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
    world_seal(w, point);
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
    world_killed_at(w, "none", change_and_die, "DELETE FROM orders");
    world_ok(bo_catalog_runs(w->session->catalog, NULL, 1, w->arena, &runs, &count, &err), &err);
    assert_int_equal(count, 1);
    const char *id = runs[0].id, *point = runs[0].point;
    assert_told(w, point, id, "others wrote since then counts", "assess");
    world_seal(w, point);
    assert_told(w, point, id, "the point has been sealed since", "assess");
    (void)world_roll_back(w, point, BO_ROLLBACK_PARTIAL);
    assert_told(w, point, id, "has been rolled back since", "");
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

/* ---- what others do meanwhile ---- */

static struct {
    world *w;
    bo_session *session; /* of another process, so to speak */
    void (*act)(const char *point);
    const char *done;  /* the point that was found */
    unsigned finished; /* files */
} others;

static void set_up_others(world *w, void (*act)(const char *point))
{
    bo_error err = {0};
    memset(&others, 0, sizeof others);
    others.w = w;
    others.act = act;
    world_ok(bo_session_open(&w->settings, &others.session, &err), &err);
}

static bo_point_record newest_of(bo_session *session)
{
    bo_error err = {0};
    bo_point_record *points = NULL;
    size_t count = 0;
    const bo_point_filter newest = {.limit = 1};
    world_ok(
        bo_catalog_points(session->catalog, &newest, others.w->arena, &points, &count, &err), &err);
    return count ? points[0] : (bo_point_record){.status = BO_POINT_FAILED};
}

/* The run of a point that was taken has ended, and nothing else has begun on it. */
static void act_when_it_is_taken(const char *step)
{
    bo_error err = {0};
    bo_run_record *runs = NULL;
    size_t count = 0;
    if (strcmp(step, "catalog.committed") != 0 || others.done)
        return;
    bo_step_hook = NULL;
    bo_point_record point = newest_of(others.session);
    if (point.status == BO_POINT_READY)
        world_ok(bo_catalog_runs(
                     others.session->catalog, point.id, 0, others.w->arena, &runs, &count, &err),
            &err);
    if (count == 1 && strcmp(runs[0].status, "done") == 0) {
        others.done = point.id;
        others.act(point.id);
    } else {
        bo_step_hook = act_when_it_is_taken;
    }
}

static void prune_it(const char *point)
{
    bo_error err = {0};
    bo_point_record record;
    bo_catalog *catalog = others.session->catalog;
    world_ok(bo_catalog_point_find(catalog, point, others.w->arena, &record, &err), &err);
    record.status = BO_POINT_PRUNED;
    world_ok(bo_catalog_point_update(catalog, &record, &err), &err);
}

static void release_it(const char *point)
{
    bo_error err = {0};
    bo_point_list *list = NULL;
    world_ok(bo_point_release(others.session, &others.w->database, point, true, &list, &err), &err);
    bo_point_list_free(list);
}

static void a_change_is_not_begun_when_its_point_was_released_before_it(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_run *run = NULL;
    bo_run_record *runs = NULL;
    size_t count = 0;
    const bo_scope_item item = {.table = "orders"};
    const bo_point_options options = {
        .scope = &item, .scope_count = 1, .migration = "test", .method = BO_METHOD_CAPTURE};
    set_up_others(w, release_it);
    bo_step_hook = act_when_it_is_taken;
    assert_int_equal(bo_run_begin(w->session, &w->database, &options, &run, &err), BO_REFUSED);
    bo_step_hook = NULL;
    assert_non_null(others.done);
    assert_null(run);
    assert_non_null(strstr(err.text, "was ended meanwhile"));
    bo_session_free(others.session);
    world_ok(bo_catalog_runs(w->session->catalog, NULL, 1, w->arena, &runs, &count, &err), &err);
    assert_string_equal(runs[0].kind, "run");
    assert_string_equal(runs[0].status, "refused");
}

static const char change[] = "UPDATE orders SET total = 9";

static bo_status try_it(bo_session *session, bo_change_report **out, bo_error *err)
{
    const bo_scope_item item = {.table = "orders"};
    const bo_point_options options = {.scope = &item, .scope_count = 1, .migration = "test"};
    return bo_run_dry(session, &others.w->database, &options, change, strlen(change), out, err);
}

static void a_change_is_not_tried_when_its_point_was_pruned_before_it(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_change_report *report = NULL;
    set_up_others(w, prune_it);
    bo_step_hook = act_when_it_is_taken;
    assert_int_equal(try_it(w->session, &report, &err), BO_REFUSED);
    bo_step_hook = NULL;
    assert_non_null(others.done);
    assert_non_null(strstr(err.text, "became pruned meanwhile"));
    assert_int_equal(world_record(w, others.done).status, BO_POINT_PRUNED);
    bo_session_free(others.session);
}

/* The second file is the change's: it is being tried. */
static void try_and_prune(const char *step)
{
    if (strcmp(step, "file.finished") != 0 || ++others.finished != 2)
        return;
    bo_step_hook = NULL;
    bo_error err = {0};
    bo_change_report *report = NULL;
    bo_prune *prune = NULL;
    bo_check *check = NULL;
    const bo_prune_options last = {.keep_last = 1};
    others.done = newest_of(others.session).id;
    world_ok(try_it(others.session, &report, &err), &err);
    bo_change_report_free(report);
    world_ok(bo_prune_points(others.session, &last, &prune, &err), &err);
    assert_int_equal(prune->removed, 0);
    bo_prune_free(prune);
    world_ok(bo_check_stored(others.session, NULL, NULL, false, &check, &err), &err);
    assert_string_equal(check->result, "match");
    bo_check_free(check);
}

static void a_point_stays_while_a_change_is_tried_on_it(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_change_report *report = NULL;
    bo_run_record *runs = NULL;
    size_t count = 0;
    set_up_others(w, NULL);
    bo_step_hook = try_and_prune;
    world_ok(try_it(w->session, &report, &err), &err);
    assert_null(bo_step_hook);
    bo_session_free(others.session);
    assert_string_equal(report->point, others.done);
    bo_point_record record = world_record(w, report->point);
    bo_change_report_free(report);
    assert_int_equal(record.status, BO_POINT_SEALED);
    assert_true(world_has_file(w, record.file) && world_has_file(w, record.change_file));
    world_ok(
        bo_catalog_runs(w->session->catalog, record.id, 0, w->arena, &runs, &count, &err), &err);
    assert_string_equal(runs[0].kind, "dry-run");
    assert_string_equal(runs[0].status, "done");
}

/* The second file is the change's. */
static void die_while_it_is_tried(const char *step)
{
    if (strcmp(step, "file.finished") == 0 && ++others.finished == 2)
        (void)raise(SIGKILL);
}

static void try_and_die(world *w, const char *what)
{
    (void)what;
    bo_error err = {0};
    bo_change_report *report = NULL;
    others.w = w;
    others.finished = 0;
    bo_step_hook = die_while_it_is_tried;
    (void)!try_it(w->session, &report, &err);
}

/* Nothing is left to be done after it. */
static void a_dry_run_that_died_changed_nothing(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_run_record *runs = NULL;
    size_t count = 0;
    world_killed_at(w, "none", try_and_die, NULL);
    world_ok(bo_catalog_runs(w->session->catalog, NULL, 1, w->arena, &runs, &count, &err), &err);
    assert_string_equal(runs[0].kind, "dry-run");
    assert_told(w, runs[0].point, runs[0].id, "nothing was changed", "");
}

/* ---- runs that others found dead ---- */

/* "STEP": the newest run is found dead there, its point is given up, and somebody else is at it. */
static const char *lost_at;

static void find_it_dead(const char *step)
{
    if (strcmp(step, lost_at) != 0)
        return;
    bo_step_hook = NULL;
    bo_error err = {0};
    bo_run_record *runs = NULL;
    size_t count = 0;
    world *w = others.w;
    bo_catalog *catalog = others.session->catalog;
    world_ok(bo_catalog_runs(catalog, NULL, 1, w->arena, &runs, &count, &err), &err);
    world_ok(bo_catalog_run_end(catalog, runs[0].id, "died", NULL, &err), &err);
    prune_it(runs[0].point);
    char next[64];
    world_ok(bo_catalog_run_begin(catalog, "prune", runs[0].point, "others", next, &err), &err);
    others.done = runs[0].point;
}

static void assert_left_alone(
    world *w, const char *step, bo_status (*work)(world *w, bo_error *err))
{
    bo_error err = {0};
    set_up_others(w, NULL);
    lost_at = step;
    bo_step_hook = find_it_dead;
    assert_int_equal(work(w, &err), BO_CONFLICT);
    assert_null(bo_step_hook);
    assert_non_null(strstr(err.text, "is not running any more"));
    bo_session_free(others.session);
}

static bo_status seal_latest(world *w, bo_error *err)
{
    bo_point_list *list = NULL;
    return bo_point_seal(w->session, &w->database, "latest", &list, err);
}

static bo_status release_latest(world *w, bo_error *err)
{
    bo_point_list *list = NULL;
    return bo_point_release(w->session, &w->database, "latest", true, &list, err);
}

static bo_status take_one(world *w, bo_error *err)
{
    bo_point_list *list = NULL;
    const bo_scope_item item = {.table = "orders"};
    const bo_point_options options = {
        .scope = &item, .scope_count = 1, .migration = "test", .method = BO_METHOD_BOTH};
    bo_status st = bo_point_create(w->session, &w->database, &options, &list, err);
    bo_point_list_free(list);
    return st;
}

static void a_seal_that_was_found_dead_records_nothing(void **state)
{
    world *w = *state;
    world_point(w, "orders");
    assert_left_alone(w, "file.stored", seal_latest);
    assert_int_equal(world_record(w, others.done).status, BO_POINT_PRUNED);
}

static void a_release_that_was_found_dead_records_nothing(void **state)
{
    world *w = *state;
    bo_error err = {0};
    world_ok(take_one(w, &err), &err);
    assert_left_alone(w, "released", release_latest);
    assert_null(strstr(world_record(w, others.done).details, "released_us"));
}

static void a_point_whose_taking_was_found_dead_is_not_ready(void **state)
{
    world *w = *state;
    assert_left_alone(w, "stored", take_one);
    assert_int_equal(world_record(w, others.done).status, BO_POINT_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_run_that_tells_that_it_goes_on_is_promised_for_longer),
        WORLD_TEST(a_run_that_is_freed_unended_is_rolled_back),
        WORLD_TEST(details_of_a_failed_change_know_what_became_of_its_point),
        WORLD_TEST(details_of_a_failed_change_that_was_left_tell_to_roll_it_back),
        WORLD_TEST(details_of_a_change_that_died_know_what_became_of_its_point),
        WORLD_TEST(a_change_is_not_begun_when_its_point_was_released_before_it),
        WORLD_TEST(a_change_is_not_tried_when_its_point_was_pruned_before_it),
        WORLD_TEST(a_point_stays_while_a_change_is_tried_on_it),
        WORLD_TEST(a_dry_run_that_died_changed_nothing),
        WORLD_TEST(a_seal_that_was_found_dead_records_nothing),
        WORLD_TEST(a_release_that_was_found_dead_records_nothing),
        WORLD_TEST(a_point_whose_taking_was_found_dead_is_not_ready),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
