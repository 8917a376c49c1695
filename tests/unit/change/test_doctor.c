/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_doctor.c - what killed points, releases and rollbacks leave is found and
 * removed, and what somebody needs is not. */
#include "world.h"

#include "backout/doctor.h"
#include "base/clock.h"
#include "base/step.h"
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
    const char *id = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_FULL);
    leave_marker(w, undo);
    assert_string_equal(found(w, look, BO_MISMATCH), "marker");
    assert_string_equal(found(w, fix, BO_OK), "marker");
    assert_string_equal(found(w, look, BO_OK), "");
}

static void a_marker_that_is_still_the_proof_stays(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_FULL);
    world_set_status(w, undo, BO_POINT_CREATING);
    leave_marker(w, undo);
    assert_string_equal(found(w, fix_all, BO_OK), "");
    leave_marker(w, "rb_undo_theirs");
    assert_string_equal(found(w, fix, BO_MISMATCH), "marker");
    assert_string_equal(found(w, fix_all, BO_OK), "marker");
}

/* The table that a restore of `id` would fill; the id of its run. */
static const char *put_aside(world *w, const char *id)
{
    const bo_table *orders = NULL, *aside = NULL;
    char run[64];
    bo_error err = {0};
    world_ok(bo_catalog_run_begin(w->session->catalog, "restore", id, "tester", run, &err), &err);
    world_ok(w->conn->driver->describe(w->conn, "orders", w->arena, &orders, &err), &err);
    world_sql(w, "ALTER TABLE orders RENAME TO kept");
    const char *name = bo_arena_printf(w->arena, "%s_0", run);
    world_ok(w->conn->driver->put_aside(w->conn, orders, name, w->arena, &aside, &err), &err);
    return bo_arena_str(w->arena, run);
}

static void a_table_aside_of_a_dead_run_is_removed(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    const char *run = put_aside(w, world_point(w, "orders"));
    assert_string_equal(found(w, fix_all, BO_OK), "");
    world_ok(bo_catalog_run_end(w->session->catalog, run, "done", NULL, &err), &err);
    assert_string_equal(found(w, look, BO_MISMATCH), "table-aside");
    assert_string_equal(found(w, fix, BO_OK), "table-aside");
    assert_string_equal(found(w, look, BO_OK), "");
}

/* ---- others go on meanwhile ---- */

static struct {
    world *w;
    const char *step, *id;
    void (*act)(void);
    unsigned times;
} meanwhile;

static void act_at_step(const char *step)
{
    if (strcmp(step, meanwhile.step) != 0)
        return;
    bo_step_hook = NULL;
    meanwhile.act();
    meanwhile.times++;
    bo_step_hook = act_at_step;
}

static void others_come(world *w, const char *step, const char *id, void (*act)(void))
{
    meanwhile.w = w;
    meanwhile.step = step;
    meanwhile.id = id;
    meanwhile.act = act;
    meanwhile.times = 0;
    bo_step_hook = act_at_step;
}

static void assert_they_came(void)
{
    bo_step_hook = NULL;
    assert_int_equal(meanwhile.times, 1);
}

static void become_ready(void)
{
    world_set_status(meanwhile.w, meanwhile.id, BO_POINT_READY);
}

static void a_point_that_was_taken_meanwhile_is_no_half_one(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w);
    world_set_status(w, id, BO_POINT_CREATING);
    others_come(w, "doctor.catalog-read", id, become_ready);
    assert_string_equal(found(w, look, BO_OK), "");
    assert_they_came();
}

/* Somebody ended its taking after it was looked at, and before the repair had a run of its own. */
static void a_point_that_was_taken_before_its_repair_keeps_its_capture(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w);
    world_set_status(w, id, BO_POINT_CREATING);
    others_come(w, "catalog.committed", id, become_ready);
    assert_string_equal(found(w, fix, BO_MISMATCH), "half-capture");
    bo_step_hook = NULL;
    assert_int_equal(captures(w), 1);
    assert_int_equal(world_record(w, id).status, BO_POINT_READY);
}

static void find_nothing(void)
{
    assert_string_equal(found(meanwhile.w, look, BO_OK), "");
}

/* The database has no capture any more, and the catalog does not know it yet. */
static void a_capture_that_is_being_released_is_not_broken(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_session *others = NULL;
    bo_point_list *list = NULL;
    const char *id = captured_point(w);
    world_ok(bo_session_open(&w->settings, &others, &err), &err);
    others_come(w, "released", id, find_nothing);
    world_ok(bo_point_release(others, &w->database, id, true, &list, &err), &err);
    assert_they_came();
    bo_point_list_free(list);
    bo_session_free(others);
}

/* The catalog says that the point is pruned, and its capture goes next. */
static void a_capture_that_prune_is_ending_is_not_left_over(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_session *others = NULL;
    bo_prune *prune = NULL;
    const bo_prune_options one = {.keep_last = 1};
    world_seal(w, captured_point(w));
    world_seal(w, world_point(w, "orders"));
    world_ok(bo_session_open(&w->settings, &others, &err), &err);
    others_come(w, "releasing", NULL, find_nothing);
    world_ok(bo_prune_points(others, &one, &prune, &err), &err);
    assert_they_came();
    assert_int_equal(prune->removed, 1);
    bo_prune_free(prune);
    bo_session_free(others);
}

static void a_capture_that_breaks_while_its_change_runs_is_found(void **state)
{
    world *w = *state;
    bo_error err = {0};
    char run[64];
    const char *id = captured_point(w);
    world_ok(bo_catalog_run_begin(w->session->catalog, "run", id, "tester", run, &err), &err);
    world_sql(w, "DROP TABLE orders");
    assert_string_equal(found(w, look, BO_MISMATCH), "broken-capture");
}

/* The run as a process of another host has it, which has so long to renew its lease. */
static void set_lease(world *w, const char *run, int64_t us)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    const bo_connect how = {.url = w->settings.catalog_url};
    world_ok(bo_driver_open(&how, &conn, &err), &err);
    const char *sql = bo_arena_printf(w->arena,
        "UPDATE backout_run SET host = 'elsewhere', lease_us = %lld WHERE id = '%s'",
        (long long)(bo_clock_now_us() + us), run);
    world_ok(conn->driver->exec(conn, sql, &err), &err);
    bo_conn_free(conn);
}

static void renew_lease(void)
{
    set_lease(meanwhile.w, meanwhile.id, INT64_C(60000000));
}

/* Its lease was over when the catalog was read, or is renewed when the table is to go. */
static void a_table_aside_of_a_live_run_stays(void **state)
{
    static const char *const steps[] = {"doctor.catalog-read", "doctor.examined"};
    world *w = world_or_skip(state);
    w->settings.lock_timeout_ms = 100;
    world_reopen(w);
    const char *run = put_aside(w, world_point(w, "orders"));
    const char *aside =
        bo_arena_printf(w->arena, "SELECT count(*) FROM pg_class WHERE relname = '%s_0'", run);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        set_lease(w, run, -1);
        others_come(w, steps[i], run, renew_lease);
        bo_doctor *doctor = examine(w, fix_all, i == 0 ? BO_OK : BO_MISMATCH);
        assert_they_came();
        for (size_t f = 0; f < doctor->finding_count; f++)
            assert_false(doctor->findings[f].fixed);
        bo_doctor_free(doctor);
        assert_string_equal(world_value(w, aside), "1");
    }
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
        BOTH(a_point_that_was_taken_meanwhile_is_no_half_one),
        BOTH(a_point_that_was_taken_before_its_repair_keeps_its_capture),
        BOTH(a_capture_that_is_being_released_is_not_broken),
        WORLD_TEST(a_capture_that_prune_is_ending_is_not_left_over),
        WORLD_TEST(a_capture_that_breaks_while_its_change_runs_is_found),
        WORLD_TEST_POSTGRES(a_table_aside_of_a_live_run_stays),
        WORLD_TEST(an_examination_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
