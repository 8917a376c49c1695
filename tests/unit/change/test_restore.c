/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_restore.c - what others did to the point while a restore or a rollback
 * waited for them stays done, and is known. */
#include "world.h"

#include "backout/backup.h"

/* A restore or a rollback has read the point when it opens its link to the database; that is when
 * others come in between. */
static struct {
    world *w;
    const char *id;
    void (*act)(world *w, bo_session *others, const char *id);
} meanwhile;

static bo_conn *let_others_in(bo_conn *conn)
{
    bo_error err = {0};
    bo_session *others = NULL;
    bo_driver_wrap = NULL;
    world_ok(bo_session_open(&meanwhile.w->settings, &others, &err), &err);
    meanwhile.act(meanwhile.w, others, meanwhile.id);
    bo_session_free(others);
    return conn;
}

typedef bo_status attempt_fn(world *w, const char *id, bo_rollback **out, bo_error *err);

static bo_status restore(world *w, const char *id, bo_rollback **out, bo_error *err)
{
    return bo_restore(w->session, &w->database, id, NULL, 0, false, out, err);
}

static bo_status roll_back(world *w, const char *id, bo_rollback **out, bo_error *err)
{
    const bo_rollback_options full = {.type = BO_ROLLBACK_FULL};
    return bo_rollback_execute(w->session, &w->database, id, &full, out, err);
}

static bo_status try_while(world *w, attempt_fn *attempt, const char *id,
    void (*act)(world *w, bo_session *others, const char *id), bo_error *err)
{
    bo_rollback *done = NULL;
    meanwhile.w = w;
    meanwhile.id = id;
    meanwhile.act = act;
    bo_driver_wrap = let_others_in;
    bo_status st = attempt(w, id, &done, err);
    assert_null(bo_driver_wrap); /* they were there */
    bo_rollback_free(done);
    return st;
}

static void seal(world *w, bo_session *others, const char *id)
{
    bo_error err = {0};
    bo_point_list *list = NULL;
    world_ok(bo_point_seal(others, &w->database, id, &list, &err), &err);
    bo_point_list_free(list);
}

static void prune(world *w, bo_session *others, const char *id)
{
    bo_error err = {0};
    bo_prune *done = NULL;
    const bo_prune_options one = {.keep_last = 1};
    (void)w;
    (void)id;
    world_ok(bo_prune_points(others, &one, &done, &err), &err);
    assert_int_equal(done->removed, 1);
    bo_prune_free(done);
}

static void give_up(world *w, bo_session *others, const char *id)
{
    (void)others;
    world_set_status(w, id, BO_POINT_FAILED);
}

static void a_seal_that_ended_meanwhile_is_kept(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    const char *id = world_point(w, "orders");
    world_sql(w, "DELETE FROM orders WHERE id = 10");
    world_ok(try_while(w, restore, id, seal, &err), &err);
    bo_point_record after = world_record(w, id);
    assert_int_equal(after.status, BO_POINT_ROLLED_BACK);
    assert_true(after.sealed_us > 0);
    assert_true(world_has_file(w, after.change_file));
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

static void a_point_that_was_pruned_meanwhile_stays_so(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    const char *id = world_point(w, "orders");
    world_seal(w, id);
    world_seal(w, world_point(w, "orders"));
    world_sql(w, "DELETE FROM orders WHERE id = 10");
    assert_int_equal(try_while(w, restore, id, prune, &err), BO_REFUSED);
    assert_non_null(strstr(err.text, "were removed by prune"));
    assert_int_equal(world_record(w, id).status, BO_POINT_PRUNED);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "2");
}

static void a_point_that_was_given_up_meanwhile_stays_so(world *w, attempt_fn *attempt)
{
    bo_error err = {0};
    const char *id = world_point(w, "orders");
    world_sql(w, "DELETE FROM orders WHERE id = 10");
    assert_int_equal(try_while(w, attempt, id, give_up, &err), BO_REFUSED);
    assert_non_null(strstr(err.text, "is failed and cannot be used"));
    assert_int_equal(world_record(w, id).status, BO_POINT_FAILED);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "2");
}

static void a_point_that_was_given_up_meanwhile_is_not_restored(void **state)
{
    a_point_that_was_given_up_meanwhile_stays_so(world_or_skip(state), restore);
}

static void a_point_that_was_given_up_meanwhile_is_not_rolled_back_to(void **state)
{
    a_point_that_was_given_up_meanwhile_stays_so(world_or_skip(state), roll_back);
}

static void seal_and_write(world *w, bo_session *others, const char *id)
{
    seal(w, others, id);
    world_sql(w, "INSERT INTO orders VALUES (20, 1, 1)");
}

/* Without the seal all since would count as the change. */
static void rows_that_came_after_a_seal_that_ended_meanwhile_are_others(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    const char *id = world_point(w, "orders");
    world_sql(w, "DELETE FROM orders WHERE id = 10");
    assert_int_equal(try_while(w, roll_back, id, seal_and_write, &err), BO_REFUSED);
    assert_non_null(strstr(err.text, "1 row was written by others after the change"));
    assert_int_equal(world_record(w, id).status, BO_POINT_SEALED);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

#define EACH(name) WORLD_TEST(name), WORLD_TEST_POSTGRES(name), WORLD_TEST_MARIADB(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_seal_that_ended_meanwhile_is_kept),
        EACH(a_point_that_was_pruned_meanwhile_stays_so),
        EACH(a_point_that_was_given_up_meanwhile_is_not_restored),
        EACH(rows_that_came_after_a_seal_that_ended_meanwhile_are_others),
        EACH(a_point_that_was_given_up_meanwhile_is_not_rolled_back_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
