/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_recover.c - what is done stays done: rollbacks that died after their
 * commit are settled by whatever comes next. */
#include "world.h"

#include <string.h>

#include "backout/run.h"
#include "base/step.h"
#include "change/undo.h"
#include "support/fault_driver.h"

static void roll_back_partly(world *w, const char *id)
{
    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
}

static void roll_back_wholly(world *w, const char *id)
{
    (void)world_roll_back(w, id, BO_ROLLBACK_FULL);
}

/* In a process of its own, which dies right after the commit; returns the id of the undo point. */
static const char *roll_back_and_die(world *w, const char *id, bo_rollback_type type)
{
    world_killed_at(w, "rollback.commit-answered",
        type == BO_ROLLBACK_FULL ? roll_back_wholly : roll_back_partly, id);
    bo_point_record undo = world_newest(w);
    assert_int_equal(undo.status, BO_POINT_CREATING);
    return undo.id;
}

static void a_dead_rollback_of_an_undo_point_is_settled_before_its_point_is_rolled_back(
    void **state)
{
    world *w = *state;
    const char *id = world_change(w, "log", "DELETE FROM log");
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    const char *second = roll_back_and_die(w, undo, BO_ROLLBACK_FULL);
    assert_string_equal(world_value(w, "SELECT count(*) FROM log"), "0");

    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    assert_string_equal(world_value(w, "SELECT count(*) FROM log"), "2");
    assert_int_equal(world_record(w, id).status, BO_POINT_ROLLED_BACK);
    assert_int_equal(world_record(w, undo).status, BO_POINT_ROLLED_BACK);
    assert_int_equal(world_record(w, second).status, BO_POINT_SEALED);
}

static void a_point_whose_rollback_died_committed_is_not_sealed(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_point_list *list = NULL;
    const char *id = world_point(w, "orders");
    world_sql(w, "DELETE FROM orders");
    const char *undo = roll_back_and_die(w, id, BO_ROLLBACK_FULL);
    assert_int_equal(bo_point_seal(w->session, &w->database, id, &list, &err), BO_REFUSED);
    assert_non_null(strstr(err.text, "rolled-back"));
    assert_int_equal(world_record(w, id).status, BO_POINT_ROLLED_BACK);
    assert_int_equal(world_record(w, undo).status, BO_POINT_SEALED);
    (void)world_roll_back(w, undo, BO_ROLLBACK_FULL);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "0");
}

static void releasing_a_point_settles_its_rollback_that_died_committed(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_point_list *list = NULL;
    const bo_scope_item scope[] = {{"orders", NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 1, .migration = "captured", .method = BO_METHOD_CAPTURE};
    const char *id = world_point_as(w, &options);
    world_sql(w, "DELETE FROM orders");
    world_seal(w, id);
    const char *undo = roll_back_and_die(w, id, BO_ROLLBACK_PARTIAL);
    world_ok(bo_point_release(w->session, &w->database, id, false, &list, &err), &err);
    bo_point_list_free(list);
    assert_int_equal(world_record(w, id).status, BO_POINT_ROLLED_BACK);
    assert_int_equal(world_record(w, undo).status, BO_POINT_SEALED);
}

/* Rolling its rollback back has opened the point again: nobody has said that its change may go. */
static void a_point_that_is_open_again_is_not_released_unasked(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_point_list *list = NULL;
    const bo_scope_item scope[] = {{"orders", NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 1, .migration = "captured", .method = BO_METHOD_BOTH};
    const char *id = world_point_as(w, &options);
    world_sql(w, "DELETE FROM orders");
    (void)roll_back_and_die(w, world_roll_back(w, id, BO_ROLLBACK_FULL), BO_ROLLBACK_FULL);
    assert_int_equal(world_record(w, id).status, BO_POINT_ROLLED_BACK);
    assert_int_equal(
        bo_point_release(w->session, &w->database, id, false, &list, &err), BO_REFUSED);
    assert_non_null(strstr(err.text, "is not sealed"));
    assert_int_equal(world_record(w, id).status, BO_POINT_READY);
    assert_null(strstr(world_record(w, id).details, "released_us"));
}

static void interrupt_the_seal(const char *step)
{
    if (strcmp(step, "sealing") == 0)
        bo_interrupt();
}

static void a_change_whose_seal_is_interrupted_can_be_rolled_back(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_run *run = NULL;
    bo_rollback *undone = NULL;
    const bo_point_options options = {.migration = "test"};
    world_ok(bo_run_begin(w->session, &w->database, &options, &run, &err), &err);
    const char *id = bo_arena_str(w->arena, bo_run_point_id(run));
    world_sql(w, "DELETE FROM orders");
    bo_step_hook = interrupt_the_seal;
    bo_status st = bo_run_end(run, NULL, &err);
    bo_step_hook = NULL;
    bo_interrupt_clear();
    assert_int_equal(st, BO_INTERRUPTED);
    err = (bo_error){0};
    world_ok(bo_run_fail(run, "interrupted", &undone, &err), &err);
    bo_rollback_free(undone);
    bo_run_free(run);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
    assert_int_equal(world_record(w, id).status, BO_POINT_ROLLED_BACK);
}

/* ---- what is settled, and where ---- */

/* As the next command of the point does it, once somebody has seen that the run is dead. */
static void settle(world *w, const bo_database *database, const char *id)
{
    bo_error err = {0};
    BO_OWN(bo_target) *target = NULL;
    bo_conn *catalog = bo_catalog_conn(w->session->catalog);
    world_ok(
        catalog->driver->exec(catalog,
            "UPDATE backout_run SET status = 'died' WHERE kind IN ('rollback', 'restore')", &err),
        &err);
    world_ok(bo_target_open(database, &target, &err), &err);
    world_ok(bo_undo_recover(w->session, target, id, &err), &err);
}

static const char *last_status(world *w, const char *id)
{
    bo_error err = {0};
    bo_run_record *runs = NULL;
    size_t count = 0;
    world_ok(bo_catalog_runs(w->session->catalog, id, 1, w->arena, &runs, &count, &err), &err);
    assert_int_equal(count, 1);
    return runs[0].status;
}

/* Whoever settled it died before that was recorded: the marker is gone. */
static void what_was_settled_as_committed_is_not_given_up_later(void **state)
{
    world *w = *state;
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    bo_point_record undo = world_record(w, roll_back_and_die(w, id, BO_ROLLBACK_PARTIAL));
    settle(w, &w->database, id);
    assert_string_equal(last_status(w, id), "done");
    settle(w, &w->database, id);
    assert_string_equal(last_status(w, id), "done");
    assert_int_equal(world_record(w, undo.id).status, BO_POINT_SEALED);
    assert_true(world_has_file(w, undo.change_file));

    world_set_status(w, id, BO_POINT_PRUNED);
    settle(w, &w->database, id);
    assert_int_equal(world_record(w, id).status, BO_POINT_PRUNED);
}

static void discard(world *w, const char *id)
{
    bo_rollback *done = NULL;
    const bo_rollback_options options = {.discard_later = true};
    (void)!bo_rollback_execute(w->session, &w->database, id, &options, &done, NULL);
    bo_rollback_free(done);
}

static void restore(world *w, const char *id)
{
    bo_rollback *done = NULL;
    (void)!bo_restore(w->session, &w->database, id, NULL, 0, false, &done, NULL);
    bo_rollback_free(done);
}

static void assert_nothing_kept(
    world *w, const char *id, void (*work)(world *w, const char *id), const char *const *suffixes)
{
    world_killed_at(w, "committing", work, id);
    const char *undo = world_newest(w).id;
    for (size_t i = 0; suffixes[i]; i++)
        assert_true(world_has_file(w, bo_arena_printf(w->arena, "%s%s", undo, suffixes[i])));
    settle(w, &w->database, id);
    assert_int_equal(world_record(w, undo).status, BO_POINT_FAILED);
    for (size_t i = 0; suffixes[i]; i++)
        assert_false(world_has_file(w, bo_arena_printf(w->arena, "%s%s", undo, suffixes[i])));
}

/* Rows that would have been discarded are among them, as text. */
static void all_files_of_what_did_not_commit_are_removed(void **state)
{
    static const char *const discarded[] = {".change", ".lost.change", ".lost.jsonl", NULL};
    static const char *const replaced[] = {".snapshot", NULL};
    world *w = *state;
    const char *id = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    world_sql(w, "UPDATE orders SET total = 7 WHERE id = 11");
    assert_nothing_kept(w, id, discard, discarded);
    assert_nothing_kept(w, id, restore, replaced);
}

/* ---- a commit that is not answered ---- */

static fault_commit lost;

static void lose_the_commit(const char *step)
{
    if (strcmp(step, "committing") == 0)
        fault_driver_lose_commit(lost);
}

static bo_status roll_back_without_answer(world *w, const char *id, fault_commit how)
{
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL};
    lost = how;
    fault_driver_install();
    bo_step_hook = lose_the_commit;
    bo_status st = bo_rollback_execute(w->session, &w->database, id, &options, &rollback, &err);
    bo_step_hook = NULL;
    fault_driver_remove();
    bo_rollback_free(rollback);
    return st;
}

/* The database is there and knows: nobody has to ask it by hand. */
static void a_commit_whose_answer_was_lost_is_asked_for_at_once(void **state)
{
    world *w = *state;
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    assert_int_equal(roll_back_without_answer(w, id, FAULT_COMMIT_LOST), BO_DATABASE);
    assert_int_equal(world_newest(w).status, BO_POINT_FAILED);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "0");
    assert_int_equal(roll_back_without_answer(w, id, FAULT_COMMIT_DONE), BO_OK);
    assert_int_equal(world_newest(w).status, BO_POINT_SEALED);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

/* ---- files of others ---- */

static world *here;
static const char *taken;

static void take_its_name(const char *step)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    if (strcmp(step, "planning") != 0)
        return;
    bo_step_hook = NULL;
    world_ok(
        bo_catalog_runs(here->session->catalog, NULL, 1, here->arena, &runs, &count, NULL), NULL);
    BO_OWN(json_ref) *details = json_loads(runs[0].details, 0, NULL);
    taken = bo_arena_printf(
        here->arena, "%s.change", json_string_value(json_object_get(details, "undo_point")));
    world_put_file(here, taken, "of another catalog");
}

static void a_file_that_has_its_name_already_is_not_removed(void **state)
{
    world *w = here = *state;
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL};
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    bo_step_hook = take_its_name;
    assert_int_equal(
        bo_rollback_execute(w->session, &w->database, id, &options, &rollback, &err), BO_EXISTS);
    assert_true(world_has_file(w, taken));
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "0");
}

/* ---- into another database ---- */

static bo_database other_database(world *w)
{
    bo_error err = {0};
    BO_OWN(bo_conn) *conn = NULL;
    const char *url = bo_arena_printf(w->arena, "sqlite:%s/other.db", w->folder);
    const bo_connect how = {.url = url, .create = true};
    world_ok(bo_driver_open(&how, &conn, &err), &err);
    return (bo_database){.name = "other", .url = url};
}

static void restore_elsewhere(world *w, const char *id)
{
    bo_rollback *done = NULL;
    const bo_database other = other_database(w);
    (void)!bo_restore(w->session, &other, id, NULL, 0, false, &done, NULL);
    bo_rollback_free(done);
}

static void a_point_that_is_restored_elsewhere_and_a_backup_stay_what_they_are(void **state)
{
    world *w = *state;
    const char *id = world_point(w, NULL);
    restore_elsewhere(w, id);
    assert_string_equal(last_status(w, id), "done");
    assert_int_equal(world_record(w, id).status, BO_POINT_READY);

    const bo_point_options options = {.migration = "test", .kind = "backup"};
    const char *backup = world_point_as(w, &options);
    restore(w, backup);
    assert_string_equal(last_status(w, backup), "done");
    assert_int_equal(world_record(w, backup).status, BO_POINT_READY);
    for (int i = 0; i < 2; i++)
        (void)world_roll_back(w, world_newest(w).id, BO_ROLLBACK_FULL);
    assert_int_equal(world_record(w, backup).status, BO_POINT_READY);
}

/* Only the database that was changed knows; of what never came to its commit nobody has to. */
static void a_restore_that_died_elsewhere_is_settled_there(void **state)
{
    world *w = *state;
    const char *id = world_point(w, NULL);
    restore_elsewhere(w, id); /* a second one keeps what this one wrote */
    world_killed_at(w, "rollback.commit-answered", restore_elsewhere, id);
    bo_point_record undo = world_newest(w);
    settle(w, &w->database, id);
    assert_string_equal(last_status(w, id), "died");
    assert_int_equal(world_record(w, undo.id).status, BO_POINT_CREATING);
    const bo_database other = other_database(w);
    settle(w, &other, id);
    assert_string_equal(last_status(w, id), "done");
    assert_int_equal(world_record(w, undo.id).status, BO_POINT_SEALED);

    world_killed_at(w, "applying", restore_elsewhere, id);
    settle(w, &w->database, id);
    assert_string_equal(last_status(w, id), "failed");
}

/* The tables may be there, with other rows. */
static void a_point_is_used_in_its_own_database_only(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_point_list *list = NULL;
    bo_rollback *rollback = NULL;
    const bo_point_options options = {.migration = "test", .method = BO_METHOD_CAPTURE};
    const char *id = world_point_as(w, &options);
    const bo_database other = other_database(w);
    const char *copy =
        bo_arena_printf(w->arena, "VACUUM INTO '%s/copy.db'", w->folder); /* journals, too */
    world_sql(w, copy);
    const char *url = bo_arena_printf(w->arena, "sqlite:%s/copy.db", w->folder);
    const bo_database twin = {.name = "copy", .url = url};
    const bo_database *const databases[] = {&other, &twin};
    for (size_t i = 0; i < 2; i++) {
        const bo_database *there = databases[i];
        const bo_rollback_options full = {.discard_later = true};
        assert_int_equal(bo_point_seal(w->session, there, id, &list, &err), BO_REFUSED);
        assert_int_equal(bo_point_release(w->session, there, id, true, &list, &err), BO_REFUSED);
        assert_int_equal(
            bo_rollback_execute(w->session, there, id, &full, &rollback, &err), BO_REFUSED);
        assert_non_null(strstr(err.text, "is not the database the point was taken of"));
    }
    assert_int_equal(world_record(w, id).status, BO_POINT_READY);
}

/* ---- tables without a key: their rows do not tell whether it was done ---- */

static void assert_lines(world *w, const char *count)
{
    assert_string_equal(world_value(w, "SELECT count(*) FROM log"), count);
}

static void a_table_without_a_key_is_undone_once(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    const char *const tables[] = {"orders"};
    const bo_rollback_options of_orders = {
        .type = BO_ROLLBACK_PARTIAL, .tables = tables, .table_count = 1};
    const char *id =
        world_change(w, NULL, "DELETE FROM log; UPDATE orders SET total = 7 WHERE id = 10");
    for (int i = 0; i < 2; i++) /* elsewhere, and the second time there is something to keep */
        restore_elsewhere(w, id);
    world_ok(bo_rollback_execute(w->session, &w->database, id, &of_orders, &rollback, &err), &err);
    bo_rollback_free(rollback);
    assert_lines(w, "0");
    for (int i = 0; i < 2; i++) {
        (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
        assert_lines(w, "2");
    }
    world_sql(w, "DELETE FROM log");
    (void)world_roll_back(w, id, BO_ROLLBACK_FULL);
    assert_lines(w, "2");
}

static void a_table_without_a_key_that_was_restored_is_not_undone_again(void **state)
{
    world *w = *state;
    const char *id = world_change(w, NULL, "DELETE FROM log");
    restore(w, id);
    assert_lines(w, "2");
    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    assert_lines(w, "2");
}

/* A, the undo point, is sealed itself: so it is again when its own rollback is rolled back. */
static void an_undo_point_that_is_brought_back_is_sealed(void **state)
{
    world *w = *state;
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    const char *second = world_roll_back(w, undo, BO_ROLLBACK_PARTIAL);
    assert_int_equal(world_record(w, undo).status, BO_POINT_ROLLED_BACK);
    (void)world_roll_back(w, second, BO_ROLLBACK_PARTIAL);
    assert_int_equal(world_record(w, undo).status, BO_POINT_SEALED);
}

/* Its file is there, and no record has it. */
static void a_point_whose_seal_died_is_sealed_again(void **state)
{
    world *w = *state;
    const char *id = world_point(w, "orders");
    world_sql(w, "DELETE FROM orders WHERE id = 10");
    world_killed_at(w, "file.stored", world_seal, id);
    assert_true(world_has_file(w, bo_arena_printf(w->arena, "%s.change", id)));
    assert_int_equal(world_record(w, id).status, BO_POINT_READY);
    world_sql(w, "DELETE FROM orders WHERE id = 11");
    world_seal(w, id);
    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

static void each_undo_of_an_undo_turns_the_change_round(void **state)
{
    world *w = *state;
    const char *chain[6];
    chain[0] = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    for (int last = 0; last < 5; last++) {
        chain[last + 1] = world_roll_back(w, chain[last], BO_ROLLBACK_PARTIAL);
        for (int i = 0; i <= last + 1; i++)
            assert_int_equal(world_record(w, chain[i]).status,
                (last + 1 - i) % 2 ? BO_POINT_ROLLED_BACK : BO_POINT_SEALED);
        assert_string_equal(
            world_value(w, "SELECT count(*) FROM orders WHERE id = 10"), last % 2 ? "0" : "1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_dead_rollback_of_an_undo_point_is_settled_before_its_point_is_rolled_back),
        WORLD_TEST(a_point_whose_rollback_died_committed_is_not_sealed),
        WORLD_TEST(a_point_that_is_open_again_is_not_released_unasked),
        WORLD_TEST(releasing_a_point_settles_its_rollback_that_died_committed),
        WORLD_TEST(a_change_whose_seal_is_interrupted_can_be_rolled_back),
        WORLD_TEST(what_was_settled_as_committed_is_not_given_up_later),
        WORLD_TEST(all_files_of_what_did_not_commit_are_removed),
        WORLD_TEST(a_commit_whose_answer_was_lost_is_asked_for_at_once),
        WORLD_TEST(a_file_that_has_its_name_already_is_not_removed),
        WORLD_TEST(a_point_that_is_restored_elsewhere_and_a_backup_stay_what_they_are),
        WORLD_TEST(a_restore_that_died_elsewhere_is_settled_there),
        WORLD_TEST(a_point_is_used_in_its_own_database_only),
        WORLD_TEST(a_table_without_a_key_is_undone_once),
        WORLD_TEST(a_table_without_a_key_that_was_restored_is_not_undone_again),
        WORLD_TEST(an_undo_point_that_is_brought_back_is_sealed),
        WORLD_TEST(each_undo_of_an_undo_turns_the_change_round),
        WORLD_TEST(a_point_whose_seal_died_is_sealed_again),
    };
    return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
