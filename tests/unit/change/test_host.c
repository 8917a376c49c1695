/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_host.c - what a program that uses the library may do between its calls. */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backout/run.h"

static bo_run *begin(world *w, const bo_database *database)
{
    bo_error err = {0};
    bo_run *run = NULL;
    const bo_point_options options = {.migration = "host"};
    world_ok(bo_run_begin(w->session, database, &options, &run, &err), &err);
    return run;
}

static void fail_run(bo_run *run)
{
    bo_error err = {0};
    bo_rollback *undone = NULL;
    world_ok(bo_run_fail(run, "it is to fail", &undone, &err), &err);
    bo_rollback_free(undone);
}

static void a_change_that_was_interrupted_is_rolled_back_once_that_is_cleared(void **state)
{
    static const char change[] = "DELETE FROM log";
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_run *run = begin(w, &w->database);
    world_ok(
        bo_sql_execute(&w->database, bo_run_id(run), change, sizeof change - 1, false, true, &err),
        &err);
    bo_interrupt();
    assert_int_equal(bo_run_end(run, NULL, &err), BO_INTERRUPTED);
    bo_interrupt_clear();
    fail_run(run);
    bo_run_free(run);
    assert_string_equal(world_value(w, "SELECT count(*) FROM log"), "2");
}

static void a_run_knows_its_database_when_the_caller_has_forgotten_it(void **state)
{
    world *w = world_or_skip(state);
    char url[sizeof w->url], name[] = "shop", password[] = "secret";
    memcpy(url, w->url, sizeof url);
    bo_database database = {.url = url, .name = name, .password = password};
    if (w->engine == WORLD_MARIADB) /* asks for one that is right */
        database.password = NULL;
    bo_run *run = begin(w, &database);
    memset(url, 'x', sizeof url - 1);
    memset(name, 'x', sizeof name - 1);
    memset(password, 'x', sizeof password - 1);
    memset(&database, 0, sizeof database);
    world_sql(w, "DELETE FROM orders");
    fail_run(run);
    assert_string_equal(world_record(w, bo_run_point_id(run)).database, "shop");
    bo_run_free(run);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

static void a_run_that_failed_or_was_left_does_not_end_well(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_run *run = begin(w, &w->database);
    fail_run(run);
    assert_int_equal(bo_run_end(run, NULL, &err), BO_INVALID);
    bo_run_free(run);
    run = begin(w, &w->database);
    world_ok(bo_run_abandon(run, NULL, &err), &err);
    assert_int_equal(bo_run_end(run, NULL, &err), BO_INVALID);
    bo_run_free(run);
    run = begin(w, &w->database);
    world_ok(bo_run_end(run, NULL, &err), &err);
    world_ok(bo_run_end(run, NULL, &err), &err);
    bo_run_free(run);
}

static void a_child_that_frees_a_run_leaves_it_to_its_parent(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_run *run = begin(w, &w->database);
    world_sql(w, "DELETE FROM log");
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        bo_run_free(run);
        bo_session_free(w->session);
        _exit(0);
    }
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    assert_string_equal(world_value(w, "SELECT count(*) FROM log"), "0");
    world_ok(bo_run_end(run, NULL, &err), &err);
    bo_run_free(run);
}

static void files_are_found_wherever_the_process_goes(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(w->folder), 0);
    w->settings.repository = strrchr(w->repository, '/') + 1;
    bo_session_free(w->session);
    w->session = NULL;
    world_ok(bo_session_open(&w->settings, &w->session, &err), &err);
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    assert_int_equal(chdir("/"), 0);
    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
    assert_int_equal(chdir(before), 0);
}

static void rows_of_a_table_without_a_predicate_are_all_of_them(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_rollback *undone = NULL;
    const bo_scope_item orders = {"orders", NULL};
    const bo_rollback_options options = {
        .type = BO_ROLLBACK_PARTIAL, .where = &orders, .where_count = 1};
    const char *id =
        world_change(w, NULL, "UPDATE customers SET name = 'changed'; UPDATE orders SET total = 1");
    world_ok(bo_rollback_execute(w->session, &w->database, id, &options, &undone, &err), &err);
    assert_int_equal(undone->updated, 3);
    bo_rollback_free(undone);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders WHERE total = 1"), "0");
    assert_string_equal(
        world_value(w, "SELECT count(*) FROM customers WHERE name = 'changed'"), "2");
}

static void a_lock_timeout_is_as_long_as_one_likes(void **state)
{
    world *w = world_or_skip(state);
    w->database.lock_timeout_ms = UINT32_MAX;
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
}

static void a_kind_of_point_that_there_is_not_is_refused(void **state)
{
    static const char *const kinds[] = {"undo", "", "points"};
    world *w = world_or_skip(state);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bo_error err = {0};
        bo_point_list *points = NULL;
        const bo_point_options options = {.kind = kinds[i]};
        assert_int_equal(
            bo_point_create(w->session, &w->database, &options, &points, &err), BO_INVALID);
        assert_null(points);
    }
}

static void a_condition_that_is_not_utf8_is_refused(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_scope_item customers = {"customers", "name = 'J\xf6rg'"};
    const bo_point_options options = {.scope = &customers, .scope_count = 1};
    assert_int_equal(
        bo_point_create(w->session, &w->database, &options, &points, &err), BO_INVALID);
    assert_non_null(strstr(err.text, "is not UTF-8"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_change_that_was_interrupted_is_rolled_back_once_that_is_cleared),
        WORLD_TEST(a_run_knows_its_database_when_the_caller_has_forgotten_it),
        WORLD_TEST(a_run_that_failed_or_was_left_does_not_end_well),
        WORLD_TEST(a_child_that_frees_a_run_leaves_it_to_its_parent),
        WORLD_TEST(files_are_found_wherever_the_process_goes),
        WORLD_TEST(rows_of_a_table_without_a_predicate_are_all_of_them),
        WORLD_TEST(a_kind_of_point_that_there_is_not_is_refused),
        WORLD_TEST(a_condition_that_is_not_utf8_is_refused),
        WORLD_TEST_POSTGRES(a_run_knows_its_database_when_the_caller_has_forgotten_it),
        WORLD_TEST_POSTGRES(rows_of_a_table_without_a_predicate_are_all_of_them),
        WORLD_TEST_POSTGRES(a_child_that_frees_a_run_leaves_it_to_its_parent),
        WORLD_TEST_POSTGRES(a_lock_timeout_is_as_long_as_one_likes),
        WORLD_TEST_MARIADB(a_lock_timeout_is_as_long_as_one_likes),
        WORLD_TEST_MARIADB(a_child_that_frees_a_run_leaves_it_to_its_parent),
        WORLD_TEST_MARIADB(a_run_knows_its_database_when_the_caller_has_forgotten_it),
        WORLD_TEST_MARIADB(rows_of_a_table_without_a_predicate_are_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
