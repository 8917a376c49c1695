/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_prune.c - what goes, what stays and why, and what a killed prune leaves.
 */
#include "world.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/step.h"
#include "change/stored.h"
#include "support/fault_driver.h"

#define DAY_US INT64_C(86400000000)

static bo_prune *prune_by(world *w, bo_prune_options options)
{
    bo_error err = {0};
    bo_prune *prune = NULL;
    world_ok(bo_prune_points(w->session, &options, &prune, &err), &err);
    return prune;
}

static const bo_prune_item *item_of(const bo_prune *prune, const char *id)
{
    for (size_t i = 0; i < prune->item_count; i++)
        if (strcmp(prune->items[i].point, id) == 0)
            return &prune->items[i];
    return NULL;
}

/* "goes", the reason it stays, or "" when nothing is said of it; prunes for real. */
static const char *fate(world *w, const char *id, bo_prune_options options)
{
    bo_prune *prune = prune_by(w, options);
    const bo_prune_item *item = item_of(prune, id);
    const char *text = bo_arena_str(w->arena, !item ? "" : item->removed ? "goes" : item->because);
    bo_prune_free(prune);
    return text;
}

static bool has_snapshot(world *w, const char *id)
{
    return world_has_file(w, bo_arena_printf(w->arena, "%s.snapshot", id));
}

/* As if it had been taken `days` ago. */
static void make_older(world *w, const char *id, int days)
{
    bo_error err = {0};
    bo_point_record record = world_record(w, id);
    record.created_us -= days * DAY_US;
    world_ok(bo_catalog_point_update(w->session->catalog, &record, &err), &err);
}

static const char *sealed_point(world *w, const char *table, int days)
{
    const char *id = world_point(w, table);
    world_seal(w, id);
    make_older(w, id, days);
    return id;
}

static const bo_prune_options one_day = {.keep_days = 1};

static void no_rule_is_refused(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_prune *prune = NULL;
    const bo_prune_options none = {0};
    assert_int_equal(bo_prune_points(w->session, &none, &prune, &err), BO_INVALID);
    assert_null(prune);
}

static void the_last_of_each_set_of_tables_stay(void **state)
{
    world *w = *state;
    const char *orders[3], *log = sealed_point(w, "log", 0);
    for (int i = 0; i < 3; i++)
        orders[i] = sealed_point(w, "orders", 0);
    bo_prune *prune = prune_by(w, (bo_prune_options){.keep_last = 2});
    assert_int_equal(prune->item_count, 4);
    assert_int_equal(prune->removed, 1);
    assert_true(item_of(prune, orders[0])->removed);
    assert_int_equal(prune->bytes, item_of(prune, orders[0])->bytes);
    assert_string_equal(
        item_of(prune, orders[1])->because, "it is one of the last 2 of its tables");
    assert_false(item_of(prune, log)->removed);
    bo_prune_free(prune);
    assert_false(has_snapshot(w, orders[0]));
    assert_false(world_has_file(w, bo_arena_printf(w->arena, "%s.change", orders[0])));
    assert_true(has_snapshot(w, orders[1]) && has_snapshot(w, orders[2]) && has_snapshot(w, log));
    assert_int_equal(world_record(w, orders[0]).status, BO_POINT_PRUNED);
}

static void the_order_of_a_scope_makes_no_other_set(void **state)
{
    world *w = *state;
    const bo_scope_item scopes[2][2] = {
        {{.table = "log"}, {.table = "orders"}}, {{.table = "orders"}, {.table = "log"}}};
    const char *ids[2];
    for (int i = 0; i < 2; i++) {
        const bo_point_options options = {.scope = scopes[i], .scope_count = 2};
        ids[i] = world_point_as(w, &options);
        world_seal(w, ids[i]);
    }
    assert_string_equal(fate(w, ids[0], (bo_prune_options){.keep_last = 1}), "goes");
    assert_true(has_snapshot(w, ids[1]));
}

static void a_point_goes_only_when_every_rule_lets_it(void **state)
{
    world *w = *state;
    const char *old = sealed_point(w, "orders", 30);
    const char *young = sealed_point(w, "orders", 2);
    const char *last = sealed_point(w, "orders", 30);
    const bo_prune_options both = {.keep_last = 1, .keep_days = 10};
    bo_prune *prune = prune_by(w, both);
    assert_true(item_of(prune, old)->removed);
    assert_string_equal(item_of(prune, young)->because, "it is younger than 10 days");
    assert_string_equal(item_of(prune, last)->because, "it is one of the last 1 of its tables");
    bo_prune_free(prune);
}

static void only_points_with_the_table_are_looked_at(void **state)
{
    world *w = *state;
    const char *orders = sealed_point(w, "orders", 5), *log = sealed_point(w, "log", 5);
    bo_prune *prune = prune_by(w, (bo_prune_options){.keep_days = 1, .table = "log"});
    assert_int_equal(prune->item_count, 1);
    assert_true(item_of(prune, log)->removed);
    bo_prune_free(prune);
    assert_true(has_snapshot(w, orders));
}

static void a_dry_run_changes_nothing(void **state)
{
    world *w = *state;
    const char *id = sealed_point(w, "orders", 5);
    world_put_file(w, "intent_1.change", "x");
    assert_string_equal(fate(w, id, (bo_prune_options){.keep_days = 1, .dry_run = true}), "goes");
    assert_true(has_snapshot(w, id));
    assert_true(world_has_file(w, "intent_1.change"));
    assert_int_equal(world_record(w, id).status, BO_POINT_SEALED);
}

static void a_fresh_point_that_is_not_sealed_stays(void **state)
{
    world *w = *state;
    const char *id = world_point(w, "orders");
    world_point(w, "orders");
    const bo_prune_options one = {.keep_last = 1};
    assert_string_equal(fate(w, id, one), "it is not sealed, and younger than a day");
    make_older(w, id, 2);
    assert_string_equal(fate(w, id, one), "goes");
}

static void an_undo_point_stays_while_its_parent_does(void **state)
{
    world *w = *state;
    const char *parent = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    const char *undo = world_roll_back(w, parent, BO_ROLLBACK_FULL);
    make_older(w, undo, 9);
    assert_non_null(strstr(fate(w, undo, one_day), parent));
    make_older(w, parent, 9);
    assert_string_equal(fate(w, undo, one_day), "goes");
    assert_int_equal(world_record(w, parent).status, BO_POINT_PRUNED);
    assert_int_equal(world_record(w, undo).status, BO_POINT_PRUNED);
    assert_false(world_has_file(w, bo_arena_printf(w->arena, "%s.change", undo)));
}

static void begin_run(world *w, const char *kind, const char *id, char run[64])
{
    bo_error err = {0};
    world_ok(bo_catalog_run_begin(w->session->catalog, kind, id, "tester", run, &err), &err);
}

static void end_run(world *w, const char *run, const char *status)
{
    bo_error err = {0};
    world_ok(bo_catalog_run_end(w->session->catalog, run, status, NULL, &err), &err);
}

static void a_point_in_use_or_with_an_open_outcome_stays(void **state)
{
    world *w = *state;
    const char *id = sealed_point(w, "orders", 5);
    char run[64];
    world_put_file(w, "intent_1.change", "in use");
    begin_run(w, "rollback", id, run);
    assert_non_null(strstr(fate(w, id, one_day), "a run is at work on it: run_"));
    assert_true(world_has_file(w, "intent_1.change"));
    static const char *const open[] = {"unknown", "died"};
    for (size_t i = 0; i < 2; i++) {
        end_run(w, run, open[i]);
        assert_string_equal(fate(w, id, one_day),
            bo_arena_printf(w->arena,
                "what became of %s (rollback) is not settled: backout doctor --fix", run));
    }
    end_run(w, run, "done");
    assert_string_equal(fate(w, id, one_day), "goes");
    assert_false(world_has_file(w, "intent_1.change"));
}

static struct {
    world *w;
    const char *run;
} meanwhile;

static void lose_an_answer(const char *step)
{
    if (strcmp(step, "removing") != 0)
        return;
    bo_step_hook = NULL;
    end_run(meanwhile.w, meanwhile.run, "unknown");
}

static void a_point_whose_outcome_became_open_meanwhile_stays(void **state)
{
    world *w = *state;
    const char *first = sealed_point(w, "orders", 6), *second = sealed_point(w, "orders", 5);
    char run[64];
    begin_run(w, "rollback", second, run);
    end_run(w, run, "done");
    meanwhile.w = w;
    meanwhile.run = run;
    bo_step_hook = lose_an_answer;
    bo_prune *prune = prune_by(w, one_day);
    assert_null(bo_step_hook);
    assert_true(item_of(prune, first)->removed);
    assert_false(item_of(prune, second)->removed);
    assert_non_null(strstr(item_of(prune, second)->because, "is not settled"));
    bo_prune_free(prune);
    assert_int_equal(world_record(w, second).status, BO_POINT_SEALED);
    assert_true(has_snapshot(w, second));
}

static void what_was_never_whole_goes(void **state)
{
    world *w = *state;
    const char *creating = world_point(w, "orders"), *failed = world_point(w, "log");
    world_set_status(w, creating, BO_POINT_CREATING);
    world_set_status(w, failed, BO_POINT_FAILED);
    bo_prune *prune = prune_by(w, one_day);
    assert_int_equal(prune->removed, 2);
    assert_string_equal(item_of(prune, creating)->because, "it was never whole");
    bo_prune_free(prune);
    assert_false(has_snapshot(w, creating) || has_snapshot(w, failed));
    prune = prune_by(w, one_day);
    assert_int_equal(prune->item_count, 0);
    bo_prune_free(prune);
}

static void every_point_that_goes_is_audited(void **state)
{
    world *w = *state;
    const char *id = sealed_point(w, "orders", 5);
    bo_prune_free(prune_by(w, one_day));
    bo_error err = {0};
    bo_audit_record *records = NULL;
    size_t count = 0;
    world_ok(bo_audit_list(w->session->catalog, 1, w->arena, &records, &count, &err), &err);
    assert_string_equal(records[0].event, "point.prune");
    assert_string_equal(records[0].object, id);
    assert_string_equal(records[0].outcome, "done");
    assert_non_null(strstr(records[0].details, "\"files\":2"));
}

/* ---- what others do meanwhile ---- */

static struct {
    world *w;
    bo_session *session; /* of another process, so to speak */
    const char *id;
    bool done;
} others;

static void set_up_others(world *w, const char *id)
{
    bo_error err = {0};
    memset(&others, 0, sizeof others);
    others.w = w;
    others.id = id;
    world_ok(bo_session_open(&w->settings, &others.session, &err), &err);
}

static void roll_the_rollback_back(const char *step)
{
    if (strcmp(step, "removing") != 0)
        return;
    bo_step_hook = NULL;
    (void)world_roll_back(others.w, others.id, BO_ROLLBACK_PARTIAL);
}

/* Rolling its last rollback back seals the parent again. */
static void undo_points_stay_when_their_parent_came_to_be_needed(void **state)
{
    world *w = *state;
    const char *first = sealed_point(w, "log", 9);
    const char *parent = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    const char *undo = world_roll_back(w, parent, BO_ROLLBACK_PARTIAL);
    const char *undone = world_roll_back(w, undo, BO_ROLLBACK_PARTIAL);
    const char *last = world_roll_back(w, parent, BO_ROLLBACK_PARTIAL);
    const char *const old[] = {parent, undo, undone};
    for (size_t i = 0; i < 3; i++)
        make_older(w, old[i], 8 - (int)i);
    others.w = w;
    others.id = last;
    bo_step_hook = roll_the_rollback_back;
    bo_prune *prune = prune_by(w, one_day);
    assert_null(bo_step_hook);
    assert_true(item_of(prune, first)->removed);
    assert_string_equal(item_of(prune, parent)->because, "it became sealed meanwhile");
    assert_string_equal(item_of(prune, undo)->because,
        bo_arena_printf(w->arena, "it is the undo point of %s, which stays", parent));
    assert_string_equal(item_of(prune, undone)->because,
        bo_arena_printf(w->arena, "it is the undo point of %s, which stays", undo));
    assert_int_equal(prune->removed, 1);
    bo_prune_free(prune);
    for (size_t i = 1; i < 3; i++)
        assert_int_not_equal(world_record(w, old[i]).status, BO_POINT_PRUNED);
}

static void keep_an_undo_point_of_unknown_outcome(const char *step)
{
    char run[64];
    if (strcmp(step, "removing") != 0)
        return;
    bo_step_hook = NULL;
    world *w = others.w;
    const char *undo = world_roll_back(w, others.id, BO_ROLLBACK_FULL);
    begin_run(w, "rollback", undo, run);
    end_run(w, run, "unknown");
}

static void a_point_whose_new_undo_point_is_not_settled_stays(void **state)
{
    world *w = *state;
    sealed_point(w, "log", 9);
    const char *id = sealed_point(w, "orders", 8);
    make_older(w, world_roll_back(w, id, BO_ROLLBACK_FULL), 7);
    others.w = w;
    others.id = id;
    bo_step_hook = keep_an_undo_point_of_unknown_outcome;
    bo_prune *prune = prune_by(w, one_day);
    assert_null(bo_step_hook);
    assert_false(item_of(prune, id)->removed);
    assert_non_null(strstr(item_of(prune, id)->because, "is not settled"));
    bo_prune_free(prune);
    assert_true(has_snapshot(w, id));
}

/* Prunes while `action` is done before the n-th question to the catalog. */
static bo_prune *prune_beside(
    world *w, unsigned nth, void (*action)(void), bo_prune_options options)
{
    fault_driver_install();
    world_reopen(w);
    fault_driver_arm_action(nth, action);
    bo_prune *prune = prune_by(w, options);
    assert_true(others.done);
    fault_driver_arm(0);
    fault_driver_remove();
    bo_session_free(others.session);
    return prune;
}

static void take_a_point(void)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_scope_item item = {.table = "orders"};
    const bo_point_options options = {.scope = &item, .scope_count = 1, .migration = "new"};
    world_ok(bo_point_create(others.session, &others.w->database, &options, &points, &err), &err);
    bo_point_list_free(points);
    others.done = true;
}

static void a_point_that_is_taken_meanwhile_hides_no_other(void **state)
{
    world *w = *state;
    const char *id = sealed_point(w, "orders", 5);
    set_up_others(w, NULL);
    bo_prune *prune =
        prune_beside(w, 2, take_a_point, (bo_prune_options){.keep_days = 1, .table = "orders"});
    assert_int_equal(prune->removed, 1);
    assert_true(item_of(prune, id)->removed);
    bo_prune_free(prune);
}

static void end_the_taking(void)
{
    bo_error err = {0};
    bo_point_record record;
    bo_catalog *catalog = others.session->catalog;
    world_ok(bo_catalog_point_find(catalog, others.id, others.w->arena, &record, &err), &err);
    record.status = BO_POINT_READY;
    world_ok(bo_catalog_point_update(catalog, &record, &err), &err);
    others.done = true;
}

static void a_point_that_became_whole_meanwhile_stays(void **state)
{
    world *w = *state;
    const char *id = world_point(w, "orders");
    world_set_status(w, id, BO_POINT_CREATING);
    set_up_others(w, id);
    bo_prune *prune =
        prune_beside(w, 3, end_the_taking, (bo_prune_options){.keep_days = 1, .dry_run = true});
    assert_int_equal(prune->removed, 0);
    assert_string_equal(item_of(prune, id)->because, "it became ready meanwhile");
    bo_prune_free(prune);
}

static void remove_the_snapshot(void)
{
    const char *file = bo_arena_printf(others.w->arena, "%s.snapshot", others.id);
    assert_int_equal(unlink(world_path(others.w, file)), 0);
    others.done = true;
}

static void files_that_another_prune_removed_are_not_counted(void **state)
{
    world *w = *state;
    const char *id = world_point(w, "orders");
    world_set_status(w, id, BO_POINT_PRUNED);
    set_up_others(w, id);
    bo_prune *prune = prune_beside(w, 3, remove_the_snapshot, one_day);
    assert_int_equal(prune->item_count, 0);
    bo_prune_free(prune);
}

static void plan_a_prune(const char *step)
{
    if (strcmp(step, "removing") != 0)
        return;
    bo_step_hook = NULL;
    bo_error err = {0};
    bo_prune *prune = NULL;
    const bo_prune_options plan = {.keep_days = 1, .dry_run = true};
    world_ok(bo_prune_points(others.session, &plan, &prune, &err), &err);
    assert_int_equal(prune->item_count, 0);
    bo_prune_free(prune);
    others.done = true;
}

static void a_prune_that_is_at_work_has_not_died(void **state)
{
    world *w = *state;
    const char *id = sealed_point(w, "orders", 5);
    set_up_others(w, id);
    bo_step_hook = plan_a_prune;
    assert_string_equal(fate(w, id, one_day), "goes");
    assert_true(others.done);
    bo_session_free(others.session);
    assert_false(has_snapshot(w, id));
}

static void files_that_the_record_does_not_name_are_another_catalogs(void **state)
{
    world *w = *state;
    bo_error err = {0};
    const char *id = world_point(w, "orders");
    bo_point_record record = world_record(w, id);
    record.status = BO_POINT_CREATING;
    record.file = "";
    world_ok(bo_catalog_point_update(w->session->catalog, &record, &err), &err);
    assert_string_equal(fate(w, id, one_day), "goes");
    assert_int_equal(world_record(w, id).status, BO_POINT_PRUNED);
    assert_true(has_snapshot(w, id));
}

/* ---- a prune that is killed ---- */

static void prune_old(world *w, const char *what)
{
    bo_prune *prune = NULL;
    (void)what;
    (void)!bo_prune_points(w->session, &one_day, &prune, NULL);
}

static void a_killed_prune_is_ended_by_the_next_one(void **state)
{
    world *w = *state;
    const char *id = sealed_point(w, "orders", 5);
    world_killed_at(w, "pruning", prune_old, NULL);
    assert_int_equal(world_record(w, id).status, BO_POINT_SEALED);
    assert_true(has_snapshot(w, id));
    world_killed_at(w, "removing", prune_old, NULL);
    assert_int_equal(world_record(w, id).status, BO_POINT_PRUNED);
    assert_true(has_snapshot(w, id));
    bo_prune *prune = prune_by(w, one_day);
    assert_string_equal(item_of(prune, id)->because, "an earlier prune did not come to its end");
    assert_int_equal(prune->removed, 1);
    bo_prune_free(prune);
    assert_false(has_snapshot(w, id));
    assert_false(world_has_file(w, bo_arena_printf(w->arena, "%s.change", id)));
    bo_error err = {0};
    bo_check *check = NULL;
    world_ok(bo_check_stored(w->session, NULL, NULL, false, &check, &err), &err);
    assert_int_equal(check->item_count, 0);
    bo_check_free(check);
}

static void a_prune_that_fails_anywhere_is_ended_by_the_next_one(void **state)
{
    world *w = *state;
    fault_driver_install();
    world_reopen(w);
    unsigned nth = 0;
    bool fired;
    do {
        bo_error err = {0};
        bo_prune *prune = NULL;
        const char *id = sealed_point(w, "orders", 5);
        fault_driver_arm(++nth);
        bo_status st = bo_prune_points(w->session, &one_day, &prune, &err);
        fired = fault_driver_fired();
        fault_driver_arm(0);
        assert_true(fired ? st == BO_OK || err.text[0] : st == BO_OK);
        bo_prune_free(prune);
        assert_true(world_record(w, id).status == BO_POINT_PRUNED || has_snapshot(w, id));
        bo_prune_free(prune_by(w, one_day));
        assert_int_equal(world_record(w, id).status, BO_POINT_PRUNED);
        assert_false(has_snapshot(w, id));
    } while (fired);
    fault_driver_remove();
    assert_true(nth > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(no_rule_is_refused),
        WORLD_TEST(the_last_of_each_set_of_tables_stay),
        WORLD_TEST(the_order_of_a_scope_makes_no_other_set),
        WORLD_TEST(a_point_goes_only_when_every_rule_lets_it),
        WORLD_TEST(only_points_with_the_table_are_looked_at),
        WORLD_TEST(a_dry_run_changes_nothing),
        WORLD_TEST(a_fresh_point_that_is_not_sealed_stays),
        WORLD_TEST(an_undo_point_stays_while_its_parent_does),
        WORLD_TEST(a_point_in_use_or_with_an_open_outcome_stays),
        WORLD_TEST(a_point_whose_outcome_became_open_meanwhile_stays),
        WORLD_TEST(what_was_never_whole_goes),
        WORLD_TEST(every_point_that_goes_is_audited),
        WORLD_TEST(undo_points_stay_when_their_parent_came_to_be_needed),
        WORLD_TEST(a_point_whose_new_undo_point_is_not_settled_stays),
        WORLD_TEST(a_point_that_is_taken_meanwhile_hides_no_other),
        WORLD_TEST(a_point_that_became_whole_meanwhile_stays),
        WORLD_TEST(files_that_another_prune_removed_are_not_counted),
        WORLD_TEST(a_prune_that_is_at_work_has_not_died),
        WORLD_TEST(files_that_the_record_does_not_name_are_another_catalogs),
        WORLD_TEST(a_killed_prune_is_ended_by_the_next_one),
        WORLD_TEST(a_prune_that_fails_anywhere_is_ended_by_the_next_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
