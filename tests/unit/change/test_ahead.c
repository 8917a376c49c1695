/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_ahead.c - tables that are made before the transaction which fills them
 * (MariaDB), and a restore that dies meanwhile. */
#include "world.h"

#include <string.h>

#include "change/undo.h"

#define TRIGGERS                                                                           \
    "SELECT group_concat(trigger_name ORDER BY trigger_name) FROM"                         \
    " information_schema.triggers WHERE event_object_schema = database() AND trigger_name" \
    " NOT LIKE 'backout%'"
#define KEYS                                                             \
    "SELECT count(*) FROM information_schema.referential_constraints"    \
    " WHERE constraint_schema = database() AND 'orders' IN (table_name," \
    " referenced_table_name)"

static void restore(world *w, const char *id)
{
    bo_rollback *done = NULL;
    bo_error err = {0};
    world_ok(bo_restore(w->session, &w->database, id, NULL, 0, false, &done, &err), &err);
    assert_string_equal(done->proof, "match");
    bo_rollback_free(done);
}

static void settle(world *w, const char *id)
{
    BO_OWN(bo_target) *target = NULL;
    bo_error err = {0};
    bo_conn *catalog = bo_catalog_conn(w->session->catalog);
    world_ok(catalog->driver->exec(
                 catalog, "UPDATE backout_run SET status = 'died' WHERE kind = 'restore'", &err),
        &err);
    world_ok(bo_target_open(&w->database, &target, &err), &err);
    world_ok(bo_undo_recover(w->session, target, id, &err), &err);
}

/* Of a table with two triggers, which is gone; a restore of it dies at the step. */
static const char *died_at(world *w, const char *step)
{
    world_sql(w, "CREATE TRIGGER t1 BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = 1;"
                 "CREATE TRIGGER t2 AFTER DELETE ON orders FOR EACH ROW INSERT INTO log VALUES"
                 " ('gone')");
    const char *id = world_point(w, NULL);
    world_sql(w, "SET foreign_key_checks = 0; DROP TABLE orders; SET foreign_key_checks = 1");
    world_killed_at(w, step, restore, id);
    return id;
}

/* What the newest run of the point is said to have left. */
static const char *explained(world *w, const char *id)
{
    bo_point_list *list = NULL;
    bo_error err = {0};
    world_ok(bo_point_get(w->session, id, &list, &err), &err);
    const char *text = bo_arena_str(w->arena, bo_point_list_get(list, 0)->runs[0].explained);
    bo_point_list_free(list);
    return text;
}

static void assert_whole(world *w)
{
    assert_string_equal(world_value(w, TRIGGERS), "t1,t2");
    assert_string_equal(world_value(w, KEYS), "1");
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

static void before_its_commit_it_leaves_no_table(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = died_at(w, "applying");
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "0");
    assert_non_null(strstr(explained(w, id), "but for tables that it had made, and not filled"));
    settle(w, id);
    assert_string_equal(world_value(w, "SELECT count(*) FROM information_schema.tables WHERE"
                                       " table_schema = database() AND table_name = 'orders'"),
        "0");
    restore(w, id);
    assert_whole(w);
}

static void the_next_restore_makes_it_anew(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    restore(w, died_at(w, "proving"));
    assert_whole(w);
}

static void after_its_commit_what_belongs_to_the_table_is_made(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = died_at(w, "rollback.commit-answered");
    assert_string_equal(world_value(w, TRIGGERS), "");
    settle(w, id);
    assert_whole(w);
}

static void a_table_that_others_have_written_to_stays_and_is_told(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = died_at(w, "applying");
    world_sql(w, "INSERT INTO orders VALUES (90, 1, 9)");
    settle(w, id);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "1");
    assert_non_null(strstr(bo_buf_str(&w->warnings),
        "table orders was made for the restore and is still there: others have written to it"));
}

static void a_table_of_another_shape_is_somebodys_own(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = died_at(w, "applying");
    world_sql(w, "ALTER TABLE orders ADD note varchar(10)");
    settle(w, id);
    assert_string_equal(world_value(w, "SELECT count(note) FROM orders"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST_MARIADB(before_its_commit_it_leaves_no_table),
        WORLD_TEST_MARIADB(the_next_restore_makes_it_anew),
        WORLD_TEST_MARIADB(after_its_commit_what_belongs_to_the_table_is_made),
        WORLD_TEST_MARIADB(a_table_that_others_have_written_to_stays_and_is_told),
        WORLD_TEST_MARIADB(a_table_of_another_shape_is_somebodys_own),
    };
    return cmocka_run_group_tests_name("ahead", tests, NULL, NULL);
}
