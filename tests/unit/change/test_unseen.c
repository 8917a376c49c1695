/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_unseen.c - what a rollback must not miss: beyond lists, behind locks, of
 * others. */
#include "world.h"

#include <string.h>

/* More conflicts than are listed, and behind them one that nothing can replace. */
static void a_conflict_that_cannot_be_replaced_is_not_lost_among_many(void **state)
{
    world *w = *state;
    world_sql(w, "CREATE TABLE many (id INTEGER PRIMARY KEY, v TEXT UNIQUE);"
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)"
                 " INSERT INTO many SELECT i, 'v' || i FROM n");
    const char *id = world_change(w, "many",
        "UPDATE many SET v = 'w' || id WHERE id <= 1200; DELETE FROM many WHERE id = 1300");
    world_sql(w, "UPDATE many SET v = 'x' || id WHERE id <= 1200;"
                 "INSERT INTO many VALUES (5000, 'v1300')");
    const char *before = bo_arena_str(w->arena,
        world_value(w, "SELECT group_concat(id || v) FROM (SELECT * FROM many ORDER BY id)"));
    bo_rollback_options options = {
        .type = BO_ROLLBACK_PARTIAL, .on_conflict = BO_ON_CONFLICT_REPLACE};
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    assert_int_equal(
        bo_rollback_execute(w->session, &w->database, id, &options, &rollback, &err), BO_CONFLICT);
    bo_rollback_free(rollback);
    assert_string_equal(
        world_value(w, "SELECT group_concat(id || v) FROM (SELECT * FROM many ORDER BY id)"),
        before);
}

/* A TRUNCATE that is not committed would show the table empty to a snapshot taken before it. */
static void a_seal_waits_for_a_truncate(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = world_point(w, "log");
    w->database.lock_timeout_ms = 300;
    world_sql(w, "BEGIN; TRUNCATE log");
    bo_error err = {0};
    bo_point_list *list = NULL;
    assert_int_equal(bo_point_seal(w->session, &w->database, id, &list, &err), BO_BUSY);
    world_sql(w, "ROLLBACK");
    world_ok(bo_point_seal(w->session, &w->database, id, &list, &err), &err);
    assert_int_equal(bo_point_list_get(list, 0)->tables[0].deleted, 0);
    bo_point_list_free(list);
}

/* Two points' files changed places in the catalog. */
static void a_file_of_another_point_is_not_used(void **state)
{
    world *w = *state;
    const char *first = world_point(w, "log");
    world_sql(w, "DELETE FROM log");
    const char *second = world_point(w, "log");
    bo_point_record one = world_record(w, first), other = world_record(w, second);
    one.file = other.file;
    one.root = other.root;
    world_ok(bo_catalog_point_update(w->session->catalog, &one, NULL), NULL);
    bo_rollback_options options = {.type = BO_ROLLBACK_FULL};
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    assert_int_equal(
        bo_rollback_execute(w->session, &w->database, first, &options, &rollback, &err),
        BO_CORRUPT);
    assert_non_null(strstr(err.text, "was written for point"));
}

/* A big table with a dropped column is read by one connection: others would wait for this one's
 * lock. */
static void a_column_made_again_does_not_wait_for_itself(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    world_sql(w,
        "CREATE TABLE wide (id int PRIMARY KEY, a text, b text DEFAULT 'x');"
        "INSERT INTO wide SELECT i, repeat(md5(i::text), 9), i FROM generate_series(1, 40000) i");
    const char *sum = bo_arena_str(w->arena,
        world_value(w, "SELECT md5(string_agg(id || a || b, ',' ORDER BY id)) FROM wide"));
    const char *id = world_change(w, "wide", "ALTER TABLE wide DROP COLUMN b");
    w->database.lock_timeout_ms = 2000;
    bo_rollback_options options = {.type = BO_ROLLBACK_FULL, .discard_later = true};
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    world_ok(bo_rollback_execute(w->session, &w->database, id, &options, &rollback, &err), &err);
    bo_rollback_free(rollback);
    assert_string_equal(
        world_value(w, "SELECT md5(string_agg(id || a || b, ',' ORDER BY id)) FROM wide"), sum);
}

/* ---- references, where not all of the point comes back ---- */

static const char dangling[] = "SELECT count(*) FROM orders WHERE customer_id IS NOT NULL AND"
                               " customer_id NOT IN (SELECT id FROM customers)";

static bo_status roll_back(world *w, const char *id, const bo_rollback_options *options)
{
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    bo_status st = bo_rollback_execute(w->session, &w->database, id, options, &rollback, &err);
    bo_rollback_free(rollback);
    return st;
}

/* The parent stays away, because it was not chosen. */
static void type_full_of_chosen_rows_leaves_no_row_without_its_parent(void **state)
{
    world *w = *state;
    const char *id = world_change(
        w, NULL, "DELETE FROM orders WHERE customer_id = 2; DELETE FROM customers WHERE id = 2");
    const char *const tables[] = {"orders"};
    const bo_scope_item where[] = {{"orders", "id = 12"}};
    const bo_rollback_options of_table = {.tables = tables, .table_count = 1};
    const bo_rollback_options of_rows = {.where = where, .where_count = 1};
    assert_int_equal(roll_back(w, id, &of_table), BO_CONFLICT);
    assert_int_equal(roll_back(w, id, &of_rows), BO_CONFLICT);
    assert_string_equal(world_value(w, dangling), "0");
    assert_int_equal(roll_back(w, id, &(bo_rollback_options){.type = BO_ROLLBACK_FULL}), BO_OK);
}

/* The child stays as the change left it, because it was not added. */
static void type_full_of_what_was_added_leaves_no_row_without_its_parent(void **state)
{
    world *w = *state;
    const char *id = world_change(w, NULL,
        "INSERT INTO customers VALUES (7, 'Eve');"
        "UPDATE orders SET customer_id = 7 WHERE id = 10");
    assert_int_equal(roll_back(w, id, &(bo_rollback_options){.only_added = true}), BO_CONFLICT);
    assert_string_equal(world_value(w, dangling), "0");
}

/* The child stays, for the sake of a row that is not in the point. */
static void type_full_that_skips_a_row_leaves_it_its_parent(void **state)
{
    world *w = *state;
    world_sql(w, "CREATE TABLE notes (order_id INTEGER REFERENCES orders (id))");
    const bo_scope_item scope[] = {{"customers", NULL}, {"orders", NULL}};
    const bo_point_options options = {.scope = scope, .scope_count = 2, .migration = "test"};
    const char *id = world_point_as(w, &options);
    world_sql(w, "INSERT INTO customers VALUES (7, 'Eve'), (8, 'Fay');"
                 "INSERT INTO orders VALUES (13, 7, 1)");
    world_seal(w, id);
    world_sql(w, "INSERT INTO notes VALUES (13)");
    const bo_rollback_options skip = {.on_conflict = BO_ON_CONFLICT_SKIP};
    assert_int_equal(roll_back(w, id, &skip), BO_MISMATCH);
    assert_string_equal(world_value(w, dangling), "0");
    assert_string_equal(world_value(w, "SELECT group_concat(id) FROM customers"), "1,2,7");
}

/* The parent was not in the point. */
static void type_full_of_some_rows_of_a_table_leaves_no_row_without_its_parent(void **state)
{
    world *w = *state;
    const bo_scope_item scope[] = {{"customers", "id = 99"}, {"orders", NULL}};
    const bo_point_options options = {.scope = scope, .scope_count = 2, .migration = "test"};
    const char *id = world_point_as(w, &options);
    world_sql(w, "DELETE FROM orders WHERE customer_id = 2; DELETE FROM customers WHERE id = 2");
    world_seal(w, id);
    assert_int_equal(
        roll_back(w, id, &(bo_rollback_options){.type = BO_ROLLBACK_FULL}), BO_CONFLICT);
    assert_string_equal(world_value(w, dangling), "0");
}

/* Nothing is asked row by row where a big table comes back in one stream. */
static void a_table_that_comes_back_as_a_whole_has_no_row_without_its_parent(void **state)
{
    world *w = *state;
    world_sql(w, "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 10200)"
                 " INSERT INTO orders SELECT i, 1, i FROM n");
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    world_sql(w, "DELETE FROM customers WHERE id = 1");
    assert_int_equal(
        roll_back(w, id, &(bo_rollback_options){.type = BO_ROLLBACK_FULL}), BO_CONFLICT);
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "0");
}

/* One row, one conflict in the list: that others wrote it.  That it cannot go is another. */
static void a_row_that_others_wrote_and_refer_to_is_not_replaced(void **state)
{
    world *w = *state;
    const char *id = world_change(w, NULL, "INSERT INTO customers VALUES (7, 'Eve')");
    world_sql(
        w, "UPDATE customers SET name = 'Eva' WHERE id = 7; INSERT INTO orders VALUES (20, 7, 1)");
    const bo_rollback_options replace = {
        .type = BO_ROLLBACK_PARTIAL, .on_conflict = BO_ON_CONFLICT_REPLACE};
    assert_int_equal(roll_back(w, id, &replace), BO_CONFLICT);
    assert_string_equal(world_value(w, dangling), "0");
}

/* Rows that are equal are told apart by their number, and only rows that would go count. */
static void type_full_discards_no_row_of_others_unasked(void **state)
{
    world *w = *state;
    const bo_scope_item where[] = {{"orders", "id = 10"}};
    const bo_rollback_options full = {0}, of_row = {.where = where, .where_count = 1};
    const char *id = world_change(w, "log", "INSERT INTO log VALUES ('new')");
    world_sql(w, "INSERT INTO log VALUES ('new')");
    assert_int_equal(roll_back(w, id, &full), BO_REFUSED);

    id = world_point(w, "orders");
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 10");
    world_seal(w, id);
    world_sql(w, "UPDATE orders SET total = 2 WHERE id = 11");
    assert_int_equal(roll_back(w, id, &full), BO_REFUSED);
    assert_int_equal(roll_back(w, id, &of_row), BO_OK);
    assert_string_equal(world_value(w, "SELECT total FROM orders WHERE id = 11"), "2");

    const bo_point_options options = {.migration = "test", .kind = "backup"};
    id = world_point_as(w, &options);
    world_sql(w, "DELETE FROM orders WHERE id = 10"); /* since a backup that is others' as well */
    assert_int_equal(roll_back(w, id, &full), BO_REFUSED);
}

/* Nothing would be done, and it would be called done. */
static void a_table_that_the_point_does_not_have_is_told(void **state)
{
    world *w = *state;
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    const char *const tables[] = {"orders", "order"};
    const bo_scope_item where[] = {{"customers", "id = 1"}};
    for (int type = BO_ROLLBACK_FULL; type <= BO_ROLLBACK_PARTIAL; type++) {
        const bo_rollback_options of_tables = {
            .type = (bo_rollback_type)type, .tables = tables, .table_count = 2};
        const bo_rollback_options of_rows = {
            .type = (bo_rollback_type)type, .where = where, .where_count = 1};
        assert_int_equal(roll_back(w, id, &of_tables), BO_NOTFOUND);
        assert_int_equal(roll_back(w, id, &of_rows), BO_NOTFOUND);
    }
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "0");
}

/* What somebody put back already is neither written nor counted again. */
static void a_row_that_is_as_before_already_is_left_alone(void **state)
{
    world *w = *state;
    const char *id =
        world_change(w, "customers", "UPDATE customers SET name = 'Bobby' WHERE id = 2");
    world_sql(w, "UPDATE customers SET name = 'Bob' WHERE id = 2");
    const bo_rollback_options partial = {.type = BO_ROLLBACK_PARTIAL};
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    world_ok(bo_rollback_execute(w->session, &w->database, id, &partial, &rollback, &err), &err);
    assert_int_equal(rollback->updated, 0);
    bo_rollback_free(rollback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_conflict_that_cannot_be_replaced_is_not_lost_among_many),
        WORLD_TEST_POSTGRES(a_seal_waits_for_a_truncate),
        WORLD_TEST(a_file_of_another_point_is_not_used),
        WORLD_TEST_POSTGRES(a_column_made_again_does_not_wait_for_itself),
        WORLD_TEST(type_full_of_chosen_rows_leaves_no_row_without_its_parent),
        WORLD_TEST(type_full_of_what_was_added_leaves_no_row_without_its_parent),
        WORLD_TEST(type_full_that_skips_a_row_leaves_it_its_parent),
        WORLD_TEST(type_full_of_some_rows_of_a_table_leaves_no_row_without_its_parent),
        WORLD_TEST(a_table_that_comes_back_as_a_whole_has_no_row_without_its_parent),
        WORLD_TEST(a_row_that_others_wrote_and_refer_to_is_not_replaced),
        WORLD_TEST(type_full_discards_no_row_of_others_unasked),
        WORLD_TEST(a_table_that_the_point_does_not_have_is_told),
        WORLD_TEST(a_row_that_is_as_before_already_is_left_alone),
    };
    return cmocka_run_group_tests_name("unseen", tests, NULL, NULL);
}
