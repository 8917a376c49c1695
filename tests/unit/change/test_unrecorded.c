/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_unrecorded.c - the catalog cannot be written: what is done stays done, and
 * what is not recorded does not count. */
#include "world.h"

#include <string.h>

#include "base/step.h"

static world *locking;
static bo_conn *lock; /* on the catalog: somebody who has it for too long */

static void lock_it_now(void)
{
    bo_step_hook = NULL;
    bo_error err = {0};
    const bo_connect how = {.url = locking->catalog};
    world_ok(bo_driver_open(&how, &lock, &err), &err);
    world_ok(lock->driver->begin(lock, BO_TX_WRITE, &err), &err);
}

static void lock_the_catalog(const char *step)
{
    if (strcmp(step, "rollback.commit-answered") == 0)
        lock_it_now();
}

static void a_rollback_that_cannot_be_recorded_is_done_and_says_so(void **state)
{
    world *w = *state;
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    w->settings.lock_timeout_ms = 100;
    world_reopen(w);
    locking = w;
    bo_step_hook = lock_the_catalog;
    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    bo_step_hook = NULL;
    bo_conn_free(lock);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
    assert_non_null(
        strstr(bo_buf_str(&w->warnings), "it is committed, but not all of it was recorded"));
    assert_non_null(strstr(bo_buf_str(&w->warnings), "could not be written to the audit log"));

    /* this process settles it, too */
    const char *undo = world_newest(w).id;
    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    assert_int_equal(world_record(w, undo).status, BO_POINT_SEALED);
    assert_int_equal(world_record(w, id).status, BO_POINT_ROLLED_BACK);
}

static void an_assessment_that_cannot_be_recorded_is_none(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_rollback *assessed = NULL;
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    w->settings.lock_timeout_ms = 20;
    world_reopen(w);
    locking = w;
    lock_it_now();
    bo_status st = bo_rollback_assess(w->session, &w->database, id, &assessed, &err);
    bo_conn_free(lock);
    assert_int_equal(st, BO_BUSY);
    assert_null(assessed);
}

static unsigned commits_left;

static void lock_after_some_commits(const char *step)
{
    if (strcmp(step, "catalog.committed") == 0 && --commits_left == 0)
        lock_it_now();
}

static bool point_is_taken(world *w)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_point_options options = {.migration = "test", .method = BO_METHOD_CAPTURE};
    bo_status st = bo_point_create(w->session, &w->database, &options, &points, &err);
    bo_point_list_free(points);
    assert_true(st == BO_OK || st == BO_BUSY);
    return st == BO_OK;
}

static const char *verified(world *w, const char *id)
{
    bo_error err = {0};
    bo_verification *found = NULL;
    (void)!bo_verify(w->session, &w->database, id, BO_AGAINST_BEFORE, &found, &err);
    const char *result = bo_arena_str(w->arena, found ? found->result : err.text);
    bo_verification_free(found);
    return result;
}

static void a_point_that_cannot_be_recorded_does_not_count_as_taken(void **state)
{
    world *w = world_or_skip(state);
    bool taken = false;
    w->settings.lock_timeout_ms = 20;
    world_reopen(w);
    locking = w;
    for (unsigned nth = 1; !taken; nth++) {
        lock = NULL;
        commits_left = nth;
        bo_step_hook = lock_after_some_commits;
        taken = point_is_taken(w);
        bo_step_hook = NULL;
        bo_conn_free(lock);
        bo_point_record newest = world_newest(w);
        world_sql(w, "UPDATE orders SET total = total + 1 WHERE id = 11");
        if (newest.status == BO_POINT_READY)
            assert_string_equal(verified(w, newest.id), "mismatch");
        assert_true(newest.status == BO_POINT_READY || !taken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_rollback_that_cannot_be_recorded_is_done_and_says_so),
        WORLD_TEST(an_assessment_that_cannot_be_recorded_is_none),
        WORLD_TEST(a_point_that_cannot_be_recorded_does_not_count_as_taken),
        WORLD_TEST_POSTGRES(a_point_that_cannot_be_recorded_does_not_count_as_taken),
        WORLD_TEST_MARIADB(a_point_that_cannot_be_recorded_does_not_count_as_taken),
    };
    return cmocka_run_group_tests_name("unrecorded", tests, NULL, NULL);
}
