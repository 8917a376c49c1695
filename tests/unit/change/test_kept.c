/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_kept.c - what prune keeps although a rule would let it go, and what it
 * does not keep for ever. */
#include "world.h"

#include <sys/stat.h>
#include <unistd.h>

#include "store/live.h"

#define DAY_US INT64_C(86400000000)

static const bo_prune_options one_day = {.keep_days = 1}, the_last = {.keep_last = 1};

/* "goes", or why it stays; prunes for real. */
static const char *fate(world *w, const char *id, bo_prune_options options)
{
    bo_error err = {0};
    bo_prune *prune = NULL;
    const char *text = NULL;
    world_ok(bo_prune_points(w->session, &options, &prune, &err), &err);
    for (size_t i = 0; i < prune->item_count; i++)
        if (strcmp(prune->items[i].point, id) == 0)
            text =
                bo_arena_str(w->arena, prune->items[i].removed ? "goes" : prune->items[i].because);
    bo_prune_free(prune);
    assert_non_null(text);
    return text;
}

static void make_older(world *w, const char *id)
{
    bo_error err = {0};
    bo_point_record record = world_record(w, id);
    record.created_us -= 5 * DAY_US;
    world_ok(bo_catalog_point_update(w->session->catalog, &record, &err), &err);
}

static const char *old_point(world *w)
{
    const char *id = world_point(w, "orders");
    world_seal(w, id);
    make_older(w, id);
    return id;
}

static void a_fresh_backup_is_not_waiting_for_a_seal(void **state)
{
    world *w = *state;
    const char *ids[2];
    for (size_t i = 0; i < 2; i++) {
        const bo_point_options options = {.migration = "test", .kind = "backup"};
        ids[i] = world_point_as(w, &options);
    }
    assert_string_equal(fate(w, ids[0], the_last), "goes");
    assert_true(world_has_file(w, world_record(w, ids[1]).file));
}

/* What nobody can return to takes no place among the last ones. */
static void a_newer_point_that_failed_pushes_none_out(void **state)
{
    world *w = *state;
    const char *id = old_point(w), *newer = old_point(w);
    world_set_status(w, newer, BO_POINT_FAILED);
    assert_string_equal(fate(w, id, the_last), "it is one of the last 1 of its tables");
    assert_true(world_has_file(w, world_record(w, id).file));
}

static void an_undo_point_that_outlives_its_parent_goes_by_the_rules(void **state)
{
    world *w = *state;
    const char *parent = old_point(w);
    const char *undo = world_roll_back(w, parent, BO_ROLLBACK_FULL);
    assert_string_equal(fate(w, undo, one_day), "it is younger than 1 day");
    assert_int_equal(world_record(w, parent).status, BO_POINT_PRUNED);
    make_older(w, undo);
    assert_string_equal(fate(w, undo, one_day), "goes");
}

/* Nobody has said that the change failed: its point is the only way back. */
static void a_point_whose_change_or_seal_died_stays_until_it_is_undone(void **state)
{
    world *w = *state;
    static const char *const died[] = {"run", "seal"}, *const undone[] = {"rollback", "restore"};
    bo_catalog *catalog = w->session->catalog;
    for (size_t i = 0; i < 2; i++) {
        char run[64];
        bo_error err = {0};
        const char *id = world_point(w, "orders");
        const char *why =
            bo_arena_printf(w->arena, "its last run (%s) did not come to an end", died[i]);
        make_older(w, id);
        world_ok(bo_catalog_run_begin(catalog, died[i], id, "tester", run, &err), &err);
        bo_live_remove(run);
        assert_string_equal(fate(w, id, one_day), why);
        world_ok(bo_catalog_run_end(catalog, run, "died", NULL, &err), &err);
        assert_string_equal(fate(w, id, one_day), why);
        world_ok(bo_catalog_run_begin(catalog, undone[i], id, "tester", run, &err), &err);
        world_ok(bo_catalog_run_end(catalog, run, "done", NULL, &err), &err);
        assert_string_equal(fate(w, id, one_day), "goes");
    }
}

static void a_file_that_cannot_be_removed_is_told(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_prune *prune = NULL;
    const char *id = old_point(w);
    const char *path = world_path(w, world_record(w, id).file);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(bo_prune_points(w->session, &one_day, &prune, &err), BO_IO);
    assert_int_equal(rmdir(path), 0);
    world_put_file(w, world_record(w, id).file, "left");
    assert_string_equal(fate(w, id, one_day), "goes");
    assert_false(world_has_file(w, world_record(w, id).file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_fresh_backup_is_not_waiting_for_a_seal),
        WORLD_TEST(a_newer_point_that_failed_pushes_none_out),
        WORLD_TEST(an_undo_point_that_outlives_its_parent_goes_by_the_rules),
        WORLD_TEST(a_point_whose_change_or_seal_died_stays_until_it_is_undone),
        WORLD_TEST(a_file_that_cannot_be_removed_is_told),
    };
    return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
