/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_run.c - the record of a change that takes its time. */
#include "world.h"

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

static void a_run_that_tells_that_it_goes_on_is_promised_for_longer(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_run *run = NULL;
    const bo_point_options options = {.migration = "test"};
    world_ok(bo_run_begin(w->session, &w->database, &options, &run, &err), &err);
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
    bo_error err = {0};
    bo_run *run = NULL;
    const bo_point_options options = {.migration = "test"};
    world_ok(bo_run_begin(w->session, &w->database, &options, &run, &err), &err);
    world_sql(w, "DELETE FROM orders");
    bo_run_free(run);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_run_that_tells_that_it_goes_on_is_promised_for_longer),
        WORLD_TEST(a_run_that_is_freed_unended_is_rolled_back),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
