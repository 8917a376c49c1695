/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_meanwhile.c - what others do to a point while somebody looks at it is told
 * as what it is: no loss, and no damage. */
#include "world.h"

#include "backout/export.h"
#include "base/step.h"

static struct {
    world *w;
    const char *id;
    void (*act)(world *w, const char *id);
} meanwhile;

/* Whoever looks has read the record when the link to the database opens. */
static bo_conn *let_others_in(bo_conn *conn)
{
    bo_driver_wrap = NULL;
    meanwhile.act(meanwhile.w, meanwhile.id);
    return conn;
}

static void others_come(world *w, const char *id, void (*act)(world *w, const char *id))
{
    meanwhile.w = w;
    meanwhile.id = id;
    meanwhile.act = act;
    bo_driver_wrap = let_others_in;
}

static void assert_pruned(bo_status st, const bo_error *err)
{
    if (st != BO_REFUSED || !strstr(err->text, "is pruned and cannot be used"))
        print_message("# %s\n", err->text);
    assert_int_equal(st, BO_REFUSED);
    assert_non_null(strstr(err->text, "is pruned and cannot be used"));
}

/* ---- files ---- */

static void take_files(world *w, const char *id)
{
    static const char *const endings[] = {"snapshot", "change", "lost.change", "lost.jsonl"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        (void)remove(world_path(w, bo_arena_printf(w->arena, "%s.%s", id, endings[i])));
}

static void prune(world *w, const char *id)
{
    world_set_status(w, id, BO_POINT_PRUNED);
    take_files(w, id);
}

static bo_status verify(world *w, const char *id, bo_error *err)
{
    bo_verification *verification = NULL;
    bo_status st = bo_verify(w->session, &w->database, id, BO_AGAINST_BEFORE, &verification, err);
    bo_verification_free(verification);
    return st;
}

static bo_status export_lost(world *w, const char *id, bo_error *err)
{
    return bo_export(
        w->session, &w->database, id, BO_EXPORT_JSONL, BO_EXPORT_LOST, world_swallow, NULL, err);
}

static bo_status script(world *w, const char *id, bo_error *err)
{
    return bo_script(w->session, &w->database, id, world_swallow, NULL, err);
}

static const char *sealed_point(world *w)
{
    return world_change(w, "orders", "UPDATE orders SET total = 1 WHERE id = 10");
}

static void a_file_that_prune_took_is_not_lost(void **state)
{
    bo_status (*const looks[])(world *, const char *, bo_error *) = {verify, script};
    world *w = *state;
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        bo_error err = {0};
        const char *id = sealed_point(w);
        others_come(w, id, prune);
        assert_pruned(looks[i](w, id, &err), &err);
        assert_pruned(looks[i](w, id, &err), &err); /* nor afterwards */
        id = sealed_point(w);
        others_come(w, id, take_files);
        assert_int_equal(looks[i](w, id, &err), BO_NOTFOUND);
    }
}

static void what_a_rollback_gave_up_is_not_denied_when_prune_took_it(void **state)
{
    world *w = *state;
    bo_error err = {0};
    const char *id = sealed_point(w);
    world_sql(w, "UPDATE orders SET total = 2 WHERE id = 11"); /* by others, later */
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_FULL);
    world_ok(export_lost(w, undo, &err), &err);
    assert_int_equal(export_lost(w, id, &err), BO_NOTFOUND);
    others_come(w, undo, prune);
    assert_pruned(export_lost(w, undo, &err), &err);
}

static void nobody_has_to_ask_why_what_was_given_up_cannot_be_read(void **state)
{
    world *w = *state;
    const char *id = sealed_point(w);
    world_sql(w, "UPDATE orders SET total = 2 WHERE id = 11");
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_FULL);
    world_damage(w, bo_arena_printf(w->arena, "%s.lost.change", undo), -1);
    assert_int_equal(export_lost(w, undo, NULL), BO_CORRUPT);
}

static void a_point_that_was_never_whole_is_said_to_be_so(void **state)
{
    world *w = *state;
    bo_error err = {0};
    const char *id = world_point(w, "orders");
    bo_point_record record = world_record(w, id);
    record.status = BO_POINT_FAILED;
    record.file = NULL;
    world_ok(bo_catalog_point_update(w->session->catalog, &record, &err), &err);
    assert_int_equal(verify(w, id, &err), BO_REFUSED);
    assert_non_null(strstr(err.text, "is failed and cannot be used"));
}

/* ---- points as they are listed ---- */

static void act_at_read(const char *step)
{
    if (strcmp(step, "view.record-read") != 0)
        return;
    bo_step_hook = NULL;
    meanwhile.act(meanwhile.w, meanwhile.id);
}

static bo_point_list *get_while(
    world *w, const char *id, bool listed, void (*act)(world *w, const char *id))
{
    bo_error err = {0};
    bo_point_list *list = NULL;
    const bo_point_query all = {0};
    others_come(w, id, act);
    bo_driver_wrap = NULL;
    bo_step_hook = act_at_read;
    world_ok(listed ? bo_point_find(w->session, &all, &list, &err)
                    : bo_point_get(w->session, id, &list, &err),
        &err);
    assert_null(bo_step_hook); /* they were there */
    return list;
}

static void a_point_that_is_pruned_while_it_is_listed_misses_no_file(void **state)
{
    world *w = *state;
    for (unsigned listed = 0; listed < 2; listed++) {
        bo_point_list *list = get_while(w, sealed_point(w), listed, prune);
        const bo_point *point = bo_point_list_get(list, 0);
        assert_string_equal(point->status, "pruned");
        assert_int_equal(point->file_count, 2);
        assert_string_equal(point->files[0].problem, "removed by prune");
        bo_point_list_free(list);
    }
}

static void roll_back(world *w, const char *id)
{
    world_set_status(w, id, BO_POINT_ROLLED_BACK);
}

static void a_failed_run_that_is_undone_while_it_is_listed_asks_for_nothing(void **state)
{
    world *w = *state;
    bo_error err = {0};
    char run[64];
    const char *id = sealed_point(w);
    world_ok(bo_catalog_run_begin(w->session->catalog, "run", id, "tester", run, &err), &err);
    world_ok(bo_catalog_run_end(w->session->catalog, run, "failed", NULL, &err), &err);
    bo_point_list *list = get_while(w, id, false, roll_back);
    const bo_point *point = bo_point_list_get(list, 0);
    assert_string_equal(point->status, "rolled-back");
    assert_string_equal(point->runs[0].id, run);
    assert_string_equal(point->runs[0].explained, "");
    assert_string_equal(point->runs[0].next, "");
    bo_point_list_free(list);
}

/* ---- captures ---- */

static const char *captured_point(world *w)
{
    const bo_scope_item orders = {.table = "orders"};
    const bo_point_options options = {.scope = &orders,
        .scope_count = 1,
        .no_closure = true,
        .method = BO_METHOD_CAPTURE,
        .migration = "test"};
    return world_point_as(w, &options);
}

static void release(world *w, const char *id)
{
    bo_error err = {0};
    bo_session *others = NULL;
    bo_point_list *list = NULL;
    world_ok(bo_session_open(&w->settings, &others, &err), &err);
    world_ok(bo_point_release(others, &w->database, id, true, &list, &err), &err);
    bo_point_list_free(list);
    bo_session_free(others);
}

static void assert_released(world *w, const char *id)
{
    bo_error err = {0};
    bo_verification *verification = NULL;
    assert_int_equal(
        bo_verify(w->session, &w->database, id, BO_AGAINST_BEFORE, &verification, &err),
        BO_MISMATCH);
    assert_string_equal(verification->result, "inconclusive");
    assert_string_equal(verification->tables[0].because,
        "its capture is broken: it was ended when the point was released");
    bo_verification_free(verification);
}

static void a_capture_that_is_released_while_a_point_is_verified_is_no_damage(void **state)
{
    world *w = *state;
    const char *id = captured_point(w);
    others_come(w, id, release);
    assert_released(w, id);
}

static void verify_at_released(const char *step)
{
    if (strcmp(step, "released") != 0)
        return;
    bo_step_hook = NULL;
    assert_released(meanwhile.w, meanwhile.id);
}

/* The database has no capture any more, and the catalog does not know it yet. */
static void a_capture_that_is_being_released_is_no_damage(void **state)
{
    world *w = meanwhile.w = *state;
    meanwhile.id = captured_point(w);
    bo_step_hook = verify_at_released;
    release(w, meanwhile.id);
    assert_null(bo_step_hook);
}

static void a_capture_that_broke_is_said_to_be_broken(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_verification *verification = NULL;
    const char *id = captured_point(w);
    world_ok(w->conn->driver->capture->end(w->conn, id, &err), &err);
    assert_int_equal(
        bo_verify(w->session, &w->database, id, BO_AGAINST_BEFORE, &verification, &err),
        BO_MISMATCH);
    assert_null(strstr(verification->tables[0].because, "released"));
    assert_non_null(strstr(verification->tables[0].because, "its capture is broken"));
    bo_verification_free(verification);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_file_that_prune_took_is_not_lost),
        WORLD_TEST(what_a_rollback_gave_up_is_not_denied_when_prune_took_it),
        WORLD_TEST(nobody_has_to_ask_why_what_was_given_up_cannot_be_read),
        WORLD_TEST(a_point_that_was_never_whole_is_said_to_be_so),
        WORLD_TEST(a_point_that_is_pruned_while_it_is_listed_misses_no_file),
        WORLD_TEST(a_failed_run_that_is_undone_while_it_is_listed_asks_for_nothing),
        WORLD_TEST(a_capture_that_is_released_while_a_point_is_verified_is_no_damage),
        WORLD_TEST(a_capture_that_is_being_released_is_no_damage),
        WORLD_TEST(a_capture_that_broke_is_said_to_be_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
