/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_proof.c - a rollback that did not write what it should is noticed, and
 * undone. */
#include "world.h"

#include "base/step.h"

/* What happens behind our back at a step, in the transaction of the rollback. */
static struct {
    const char *step, *sql;
    world *w;
    bo_conn *conn;
    bo_error err;
} behind;

static bo_conn *remember(bo_conn *conn)
{
    bo_driver_wrap = NULL;
    return behind.conn = conn;
}

static void act(const char *step)
{
    if (strcmp(step, behind.step) != 0)
        return;
    bo_step_hook = NULL;
    behind.err = (bo_error){0};
    const char *path = behind.w->engine == WORLD_POSTGRES ? "SET LOCAL search_path = public; " : "";
    const char *sql = bo_arena_printf(behind.w->arena, "%s%s", path, behind.sql);
    (void)!behind.conn->driver->exec(behind.conn, sql, &behind.err);
}

static const char *rows(world *w)
{
    static const char *const of[][3] = {
        [WORLD_SQLITE] = {"SELECT group_concat(id || name) FROM customers",
            "SELECT group_concat(id || '/' || customer_id || '/' || coalesce(total, 0)) FROM "
            "orders",
            "SELECT group_concat(line) FROM log"},
        [WORLD_POSTGRES] = {"SELECT string_agg(id || name, ',' ORDER BY id) FROM customers",
            "SELECT string_agg(id || '/' || customer_id || '/' || coalesce(total, 0), ',' ORDER BY"
            " id) FROM orders",
            "SELECT string_agg(line, ',' ORDER BY line) FROM log"},
        [WORLD_MARIADB] = {"SELECT group_concat(id, name ORDER BY id) FROM customers",
            "SELECT group_concat(id, '/', customer_id, '/', coalesce(total, 0) ORDER BY id)"
            " FROM orders",
            "SELECT group_concat(line ORDER BY line) FROM log"},
    };
    const char *text = "";
    for (size_t i = 0; i < 3; i++)
        text = bo_arena_printf(w->arena, "%s | %s", text, world_value(w, of[w->engine][i]));
    return text;
}

/* Nothing is changed, nothing is recorded as done, and the same rollback works when it is let. */
static void assert_noticed(world *w, const char *id, const bo_rollback_options *options,
    const char *step, const char *sql, bo_status expected)
{
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    const char *before = rows(w);
    behind.w = w;
    behind.step = step;
    behind.sql = sql;
    bo_driver_wrap = remember;
    bo_step_hook = act;
    bo_status st = options
                       ? bo_rollback_execute(w->session, &w->database, id, options, &rollback, &err)
                       : bo_restore(w->session, &w->database, id, NULL, 0, false, &rollback, &err);
    assert_null(bo_step_hook); /* it happened */
    assert_string_equal(behind.err.text, "");
    if (st != expected)
        fail_msg("%s: %s", sql, err.text);
    if (expected == BO_MISMATCH) {
        assert_string_equal(rollback->status, "failed");
        assert_string_equal(rollback->proof, "mismatch");
        assert_null(rollback->undo_point);
    }
    bo_rollback_free(rollback);
    assert_string_equal(rows(w), before);
    assert_int_equal(world_record(w, id).status, BO_POINT_SEALED);
}

static const char *changed_point(world *w)
{
    return world_change(w, NULL,
        "UPDATE customers SET name = 'Bobby' WHERE id = 2;"
        "UPDATE orders SET total = 1 WHERE id = 10; DELETE FROM orders WHERE id = 12;"
        "INSERT INTO orders VALUES (13, 1, 1);"
        "DELETE FROM log; INSERT INTO log VALUES ('new')");
}

static const bo_rollback_options partial = {.type = BO_ROLLBACK_PARTIAL}, full = {0};

/* In each of the tables, with a key and without. */
static const char *const wrong_rows[] = {
    "UPDATE customers SET name = 'Rob' WHERE id = 2",
    "UPDATE orders SET total = 2 WHERE id = 10",
    "DELETE FROM orders WHERE id = 12",
    "INSERT INTO orders VALUES (13, 1, 1)",
    "INSERT INTO log VALUES ('opened')",
    "UPDATE log SET line = 'closed'",
    "DELETE FROM log",
};

static void a_row_that_is_not_as_it_should_be_ends_a_rollback(void **state)
{
    world *w = world_or_skip(state);
    const char *id = changed_point(w);
    for (size_t i = 0; i < sizeof wrong_rows / sizeof *wrong_rows; i++) {
        assert_noticed(w, id, &partial, "proving", wrong_rows[i], BO_MISMATCH);
        assert_noticed(w, id, &full, "proving", wrong_rows[i], BO_MISMATCH);
    }
    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
}

/* Type full and a restore answer for the whole table. */
static void a_row_that_nobody_meant_to_touch_ends_type_full(void **state)
{
    world *w = world_or_skip(state);
    static const char *const untouched[] = {
        "UPDATE orders SET total = 21 WHERE id = 11",
        "DELETE FROM orders WHERE id = 11",
        "INSERT INTO orders VALUES (14, 1, 1)",
        "INSERT INTO customers VALUES (9, 'Ida')",
        "DELETE FROM log",
    };
    const char *id = changed_point(w);
    for (size_t i = 0; i < sizeof untouched / sizeof *untouched; i++) {
        assert_noticed(w, id, &full, "proving", untouched[i], BO_MISMATCH);
        assert_noticed(w, id, NULL, "proving", untouched[i], BO_MISMATCH);
    }
    (void)world_roll_back(w, id, BO_ROLLBACK_FULL);
}

/* A table that was emptied comes back in one stream, whose rows are not looked up by key. */
static void a_table_that_came_back_as_a_whole_is_proved_as_a_whole(void **state)
{
    world *w = world_or_skip(state);
    world_sql(w, "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 10200)"
                 " INSERT INTO orders SELECT i, 1, i FROM n");
    const char *id = world_change(w, "orders", "DELETE FROM orders");
    assert_noticed(
        w, id, &full, "proving", "UPDATE orders SET total = 0 WHERE id = 5000", BO_MISMATCH);
    assert_noticed(w, id, &full, "proving", "DELETE FROM orders WHERE id = 5000", BO_MISMATCH);
    (void)world_roll_back(w, id, BO_ROLLBACK_FULL);
}

/* The end would be right, but somebody else made it so. */
static void another_number_of_rows_than_planned_ends_a_rollback(void **state)
{
    world *w = world_or_skip(state);
    const char *id = changed_point(w);
    assert_noticed(w, id, &partial, "applying", "DELETE FROM orders WHERE id = 13", BO_CONFLICT);
    assert_noticed(w, id, &full, "applying", "DELETE FROM orders WHERE id = 13", BO_CONFLICT);
    (void)world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
}

#define EACH(name) WORLD_TEST(name), WORLD_TEST_POSTGRES(name), WORLD_TEST_MARIADB(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_row_that_is_not_as_it_should_be_ends_a_rollback),
        EACH(a_row_that_nobody_meant_to_touch_ends_type_full),
        WORLD_TEST(a_table_that_came_back_as_a_whole_is_proved_as_a_whole),
        WORLD_TEST_POSTGRES(a_table_that_came_back_as_a_whole_is_proved_as_a_whole),
        EACH(another_number_of_rows_than_planned_ends_a_rollback),
    };
    return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
