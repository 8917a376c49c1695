/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_doctor.c - what killed points, releases and rollbacks leave is found and
 * removed, and what somebody needs is not. */
#include "world.h"

#include "backout/doctor.h"
#include "support/fault_memory.h"

static bo_doctor *examine(world *w, bo_doctor_options options, bo_status expected)
{
    bo_error err = {0};
    bo_doctor *doctor = NULL;
    bo_status st = bo_doctor_examine(w->session, &w->database, &options, &doctor, &err);
    if (st != expected)
        print_message("# %s\n", err.text);
    assert_int_equal(st, expected);
    assert_string_equal(doctor->result, st == BO_OK ? "clean" : "found");
    return doctor;
}

/* The kind of the one thing that is found, "" of nothing; the options as given. */
static const char *found(world *w, bo_doctor_options options, bo_status expected)
{
    bo_doctor *doctor = examine(w, options, expected);
    assert_true(doctor->finding_count <= 1);
    const char *kind =
        bo_arena_str(w->arena, doctor->finding_count ? doctor->findings[0].kind : "");
    if (doctor->finding_count && options.fix && expected == BO_OK && doctor->findings[0].bad)
        assert_true(doctor->findings[0].fixed);
    bo_doctor_free(doctor);
    return kind;
}

static const bo_doctor_options look = {0}, fix = {.fix = true},
                               fix_all = {.fix = true, .foreign = true};

static bo_status take(world *w, const bo_scope_item *scope, bo_point_list **out)
{
    bo_error err = {0};
    const bo_point_options options = {.scope = scope,
        .scope_count = 1,
        .no_closure = true,
        .method = BO_METHOD_CAPTURE,
        .migration = "test"};
    return bo_point_create(w->session, &w->database, &options, out, &err);
}

static const char *captured_point(world *w)
{
    const bo_scope_item orders = {.table = "orders"};
    bo_point_list *list = NULL;
    assert_int_equal(take(w, &orders, &list), BO_OK);
    const char *id = bo_arena_str(w->arena, bo_point_list_get(list, 0)->id);
    bo_point_list_free(list);
    return id;
}

static bo_status count_captured(void *ctx, const bo_captured *captured, bo_error *err)
{
    (void)captured;
    (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

static unsigned captures(world *w)
{
    bo_error err = {0};
    unsigned count = 0;
    world_ok(w->conn->driver->capture->list(w->conn, count_captured, &count, &err), &err);
    return count;
}

/* ---- killed ---- */

static void take_orders(world *w, const char *id)
{
    (void)id;
    const bo_scope_item orders = {.table = "orders"};
    bo_point_list *list = NULL;
    (void)take(w, &orders, &list);
    bo_point_list_free(list);
}

static void release(world *w, const char *id)
{
    bo_point_list *list = NULL;
    (void)!bo_point_release(w->session, &w->database, id, true, &list, NULL);
    bo_point_list_free(list);
}

static void repair(world *w, const char *id)
{
    (void)id;
    bo_doctor *doctor = NULL;
    (void)!bo_doctor_examine(w->session, &w->database, &fix, &doctor, NULL);
    bo_doctor_free(doctor);
}

static void what_a_killed_point_leaves_is_removed(void **state)
{
    static const char *const steps[] = {"capturing", "snapshot", "stored"};
    world *w = world_or_skip(state);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        world_killed_at(w, steps[i], take_orders, NULL);
        assert_string_equal(found(w, look, BO_MISMATCH), "half-capture");
        assert_int_equal(captures(w), i == 0 ? 0 : 1);
        assert_string_equal(found(w, fix, BO_OK), "half-capture");
        assert_int_equal(captures(w), 0);
        assert_string_equal(found(w, look, BO_OK), "");
    }
}

static void a_repair_that_is_killed_is_ended_by_the_next_one(void **state)
{
    static const char *const steps[] = {"releasing", "released"};
    world *w = world_or_skip(state);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        world_killed_at(w, "snapshot", take_orders, NULL);
        world_killed_at(w, steps[i], repair, NULL);
        assert_string_equal(found(w, look, BO_MISMATCH), "half-capture");
        assert_string_equal(found(w, fix, BO_OK), "half-capture");
        assert_string_equal(found(w, look, BO_OK), "");
        assert_int_equal(captures(w), 0);
    }
}

static void a_killed_release_is_ended_by_the_next_one(void **state)
{
    static const char *const steps[] = {"releasing", "released"};
    world *w = world_or_skip(state);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *id = captured_point(w);
        world_sql(w, "UPDATE orders SET total = 1 WHERE id = 10");
        world_seal(w, id);
        world_killed_at(w, steps[i], release, id);
        assert_int_equal(captures(w), i == 0 ? 1 : 0);
        bo_doctor *doctor = examine(w, look, BO_MISMATCH);
        bool dead = false;
        for (size_t f = 0; f < doctor->finding_count; f++)
            dead = dead || (strcmp(doctor->findings[f].kind, "dead-run") == 0 &&
                               strstr(doctor->findings[f].next, "backout point release"));
        assert_true(dead);
        bo_doctor_free(doctor);
        release(w, id);
        assert_int_equal(captures(w), 0);
        assert_string_equal(found(w, look, BO_OK), "");
        bo_rollback_type partial = BO_ROLLBACK_PARTIAL;
        (void)world_roll_back(w, id, partial);
        assert_string_not_equal(
            world_value(w, "SELECT CAST(total AS TEXT) FROM orders WHERE id = 10"), "1");
    }
}

/* ---- what is left alone, and what is not ---- */

static void what_a_live_run_is_at_is_left_alone(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w);
    char run[64];
    bo_error err = {0};
    world_ok(bo_catalog_run_begin(w->session->catalog, "point", id, "tester", run, &err), &err);
    world_set_status(w, id, BO_POINT_CREATING);
    assert_string_equal(found(w, fix_all, BO_OK), "");
    assert_int_equal(captures(w), 1);
    world_ok(bo_catalog_run_end(w->session->catalog, run, "died", NULL, &err), &err);
    assert_string_equal(found(w, look, BO_MISMATCH), "half-capture");
}

static void what_is_of_an_unknown_point_needs_a_second_word(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    const bo_table *orders = NULL;
    world_ok(w->conn->driver->describe(w->conn, "orders", w->arena, &orders, &err), &err);
    world_ok(w->conn->driver->capture->begin(w->conn, &orders, 1, "rb_theirs", &err), &err);
    assert_string_equal(found(w, look, BO_MISMATCH), "foreign-capture");
    assert_string_equal(found(w, fix, BO_MISMATCH), "foreign-capture");
    assert_int_equal(captures(w), 1);
    assert_string_equal(found(w, fix_all, BO_OK), "foreign-capture");
    assert_int_equal(captures(w), 0);
}

static void a_pruned_points_capture_is_not_needed(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w);
    world_seal(w, id);
    assert_string_equal(found(w, look, BO_OK), "still-capturing");
    world_set_status(w, id, BO_POINT_PRUNED);
    assert_string_equal(found(w, look, BO_MISMATCH), "unneeded-capture");
    assert_string_equal(found(w, fix, BO_OK), "unneeded-capture");
    assert_int_equal(captures(w), 0);
}

/* ---- markers and tables aside ---- */

static void leave_marker(world *w, const char *id)
{
    bo_error err = {0};
    bo_buf token = {0};
    bo_conn *conn = NULL;
    const bo_connect how = {.url = w->url};
    world_ok(bo_driver_open(&how, &conn, &err), &err);
    world_ok(conn->driver->begin(conn, BO_TX_WRITE, &err), &err);
    world_ok(conn->driver->mark(conn, id, &token, &err), &err);
    world_ok(conn->driver->commit(conn, &err), &err);
    bo_buf_done(&token);
    bo_conn_free(conn);
}

static void a_marker_of_a_settled_rollback_is_removed(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_point(w, "orders");
    world_sql(w, "DELETE FROM orders WHERE id = 10");
    world_seal(w, id);
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_FULL);
    leave_marker(w, undo);
    assert_string_equal(found(w, look, BO_MISMATCH), "marker");
    assert_string_equal(found(w, fix, BO_OK), "marker");
    assert_string_equal(found(w, look, BO_OK), "");
}

static void a_marker_that_is_still_the_proof_stays(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_point(w, "orders");
    world_sql(w, "DELETE FROM orders WHERE id = 10");
    world_seal(w, id);
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_FULL);
    world_set_status(w, undo, BO_POINT_CREATING);
    leave_marker(w, undo);
    assert_string_equal(found(w, fix_all, BO_OK), "");
    leave_marker(w, "rb_undo_theirs");
    assert_string_equal(found(w, fix, BO_MISMATCH), "marker");
    assert_string_equal(found(w, fix_all, BO_OK), "marker");
}

static void a_table_aside_of_a_dead_run_is_removed(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_point(w, "orders");
    const bo_table *orders = NULL, *aside = NULL;
    char run[64];
    bo_error err = {0};
    world_ok(bo_catalog_run_begin(w->session->catalog, "restore", id, "tester", run, &err), &err);
    world_ok(w->conn->driver->describe(w->conn, "orders", w->arena, &orders, &err), &err);
    world_sql(w, "ALTER TABLE orders RENAME TO kept");
    const char *name = bo_arena_printf(w->arena, "%s_0", run);
    world_ok(w->conn->driver->put_aside(w->conn, orders, name, w->arena, &aside, &err), &err);
    assert_string_equal(found(w, fix_all, BO_OK), "");
    world_ok(bo_catalog_run_end(w->session->catalog, run, "done", NULL, &err), &err);
    assert_string_equal(found(w, look, BO_MISMATCH), "table-aside");
    assert_string_equal(found(w, fix, BO_OK), "table-aside");
    assert_string_equal(found(w, look, BO_OK), "");
}

/* ---- memory ---- */

static void an_examination_survives_every_failed_allocation(void **state)
{
    world *w = world_or_skip(state);
    world_set_status(w, captured_point(w), BO_POINT_PRUNED);
    leave_marker(w, "rb_undo_theirs");
    unsigned nth = 0;
    bo_status st;
    bool fired;
    do {
        bo_error err = {0};
        bo_doctor *doctor = NULL;
        fault_memory_arm(++nth);
        st = bo_doctor_examine(w->session, &w->database, &look, &doctor, &err);
        fired = fault_memory_fired();
        if (st == BO_MISMATCH)
            assert_int_equal(doctor->finding_count, 2);
        else
            assert_null(doctor);
        bo_doctor_free(doctor);
    } while (fired);
    assert_int_equal(st, BO_MISMATCH);
}

#define BOTH(name) WORLD_TEST(name), WORLD_TEST_POSTGRES(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(what_a_killed_point_leaves_is_removed),
        BOTH(a_repair_that_is_killed_is_ended_by_the_next_one),
        BOTH(a_killed_release_is_ended_by_the_next_one),
        BOTH(what_a_live_run_is_at_is_left_alone),
        BOTH(what_is_of_an_unknown_point_needs_a_second_word),
        BOTH(a_pruned_points_capture_is_not_needed),
        BOTH(a_marker_of_a_settled_rollback_is_removed),
        BOTH(a_marker_that_is_still_the_proof_stays),
        WORLD_TEST_POSTGRES(a_table_aside_of_a_dead_run_is_removed),
        WORLD_TEST(an_examination_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
