/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/change/test_growth.c - the work for many tables or points grows as they do, and not
 * with their square.  It is measured by what JSON is made of: what is parsed for each of them, and
 * grows with them, shows there.
 */
#include "world.h"

static size_t allocations;

static void *count_allocation(size_t size)
{
    allocations++;
    return malloc(size);
}

static int count_from_here(void **state)
{
    json_set_alloc_funcs(count_allocation, free);
    return world_set_up(state);
}

static int stop_counting(void **state)
{
    int failed = world_tear_down(state);
    json_set_alloc_funcs(malloc, free);
    return failed;
}

/* What `work` takes on four times as much is no more than six times what it took before. */
static void assert_grows(world *w, void (*add)(world *w, unsigned from, unsigned to),
    void (*work)(world *w), unsigned few)
{
    size_t taken[2];
    unsigned from = 0, to = few;
    for (int i = 0; i < 2; i++) {
        add(w, from, to);
        allocations = 0;
        work(w);
        taken[i] = allocations;
        from = to;
        to = 4 * few;
    }
    if (taken[1] > 6 * taken[0])
        print_message("# %zu, and with four times as much %zu\n", taken[0], taken[1]);
    assert_true(taken[1] <= 6 * taken[0]);
}

/* ---- tables ---- */

static void add_tables(world *w, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        world_sql(w, bo_arena_printf(w->arena,
                         "CREATE TABLE t%u (id INTEGER PRIMARY KEY, a TEXT);"
                         "INSERT INTO t%u VALUES (1, 'x')",
                         i, i));
    bo_buf change = {0};
    for (unsigned i = 0; i < to; i++)
        bo_buf_printf(&change, "UPDATE t%u SET a = a || 'y';", i);
    world_change(w, NULL, bo_buf_str(&change));
    bo_buf_done(&change);
}

static void rehearse(world *w, bo_rollback_type type)
{
    bo_error err = {0};
    bo_rollback *result = NULL;
    const bo_rollback_options options = {.type = type, .dry_run = true};
    world_ok(
        bo_rollback_execute(w->session, &w->database, "latest", &options, &result, &err), &err);
    bo_rollback_free(result);
}

static void undo_the_change(world *w)
{
    rehearse(w, BO_ROLLBACK_PARTIAL);
}

static void return_to_the_point(world *w)
{
    rehearse(w, BO_ROLLBACK_FULL);
}

static void verify_it(world *w)
{
    bo_error err = {0};
    bo_verification *result = NULL;
    world_ok(bo_verify(w->session, &w->database, "latest", BO_AGAINST_AFTER, &result, &err), &err);
    bo_verification_free(result);
}

static void type_partial_grows_with_its_tables(void **state)
{
    assert_grows(*state, add_tables, undo_the_change, 20);
}

static void type_full_grows_with_its_tables(void **state)
{
    assert_grows(*state, add_tables, return_to_the_point, 20);
}

static void verify_grows_with_its_tables(void **state)
{
    assert_grows(*state, add_tables, verify_it, 20);
}

/* ---- files that no point names ---- */

static void check_all(world *w)
{
    bo_error err = {0};
    bo_check *result = NULL;
    world_ok(bo_check_stored(w->session, NULL, NULL, false, &result, &err), &err);
    bo_check_free(result);
}

static void runs_are_not_read_for_each_file_that_no_point_names(void **state)
{
    world *w = *state;
    world_roll_back(
        w, world_change(w, "orders", "DELETE FROM orders WHERE id = 10"), BO_ROLLBACK_PARTIAL);
    allocations = 0;
    check_all(w);
    size_t alone = allocations;
    for (int i = 0; i < 50; i++) {
        world_put_file(w, bo_arena_printf(w->arena, "rb_stray%d.change", i), "x");
        world_put_file(w, bo_arena_printf(w->arena, "since_%d.change", i), "x");
    }
    allocations = 0;
    check_all(w);
    assert_int_equal(allocations, alone);
}

#define GROWTH_TEST(name) cmocka_unit_test_setup_teardown(name, count_from_here, stop_counting)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GROWTH_TEST(type_partial_grows_with_its_tables),
        GROWTH_TEST(type_full_grows_with_its_tables),
        GROWTH_TEST(verify_grows_with_its_tables),
        GROWTH_TEST(runs_are_not_read_for_each_file_that_no_point_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
