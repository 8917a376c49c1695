/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_dependents_of.c - who is a dependent of a change, and who only looks like
 * one; what cannot be told refuses. */
#include "stories.h"

#include <string.h>

#include "backout/run.h"
#include "support/fault_memory.h"

static void without_journals_cascade_meets_conflicts_and_says_why(void **state)
{
    world *w = *state;
    told = story_named("write after write");
    const char *id = tell_with(w, BO_METHOD_SNAPSHOT), *before = rows(w);
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_CONFLICT);
    assert_string_equal(classes(w, rollback), "data");
    assert_string_equal(tree(w, rollback), "");
    assert_int_equal(rollback->note_count, 1);
    assert_non_null(strstr(rollback->notes[0], "nothing of this point is captured"));
    assert_string_equal(rows(w), before);
    bo_rollback_free(rollback);
}

static void a_reference_of_another_width_is_followed(void **state)
{
    static const struct story story = {.name = "other width",
        .before = "CREATE TABLE a (a1 smallint PRIMARY KEY);"
                  "CREATE TABLE b (id int PRIMARY KEY, b1 bigint REFERENCES a (a1))",
        .change = "INSERT INTO a VALUES (-2)",
        .later = {"INSERT INTO b VALUES (10, -2)"},
        .ask = "SELECT a1 AS r FROM a UNION ALL SELECT id FROM b"};
    world *w = world_or_skip(state);
    told = &story;
    const char *id = tell(w);
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(tree(w, rollback), "0 refers to a -2 from b 10");
    assert_string_equal(rows(w), "");
    bo_rollback_free(rollback);
}

/* 2 and 2.0 are one value to the foreign key, and not the same bytes. */
static void a_reference_that_cannot_be_followed_refuses_cascade(void **state)
{
    static const struct story story = {.name = "other bytes",
        .before = "CREATE TABLE a (a1 numeric PRIMARY KEY);"
                  "CREATE TABLE b (id int PRIMARY KEY, b1 numeric REFERENCES a (a1))",
        .change = "INSERT INTO a VALUES (2)",
        .later = {"INSERT INTO b VALUES (10, 2.0)"},
        .ask = "SELECT a1 AS r FROM a UNION ALL SELECT id FROM b"};
    world *w = world_or_skip(state);
    told = &story;
    const char *id = tell(w), *before = rows(w);
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_CONFLICT);
    assert_string_equal(classes(w, rollback), "foreign-key");
    assert_string_equal(rows(w), before);
    bo_rollback_free(rollback);
}

/* SQLite notes that row 1 may go before it ignores the new one. */
static void who_could_have_reached_a_row_and_did_not_is_no_dependent(void **state)
{
    static const struct story story = {.name = "reached",
        .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, v INTEGER);"
                  "INSERT INTO t VALUES (1, 'x', 0), (2, 'y', 0)",
        .change = "UPDATE t SET v = 1",
        .later = {"UPDATE t SET v = 2 WHERE id = 1", "INSERT OR IGNORE INTO t VALUES (3, 'x', 0)",
            "INSERT OR REPLACE INTO t VALUES (4, 'y', 0)"},
        .ask = "SELECT id || mail || v AS r FROM t"};
    world *w = *state;
    told = &story;
    const char *id = tell(w);
    const char *reached =
        bo_arena_printf(w->arena, "SELECT count(*) FROM backout_journal_%s WHERE op = 'C'",
            world_value(w, "SELECT journal FROM backout_capture WHERE local = 't'"));
    assert_string_equal(world_value(w, reached), "2");
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(tree(w, rollback),
        "0 changed t 1; 0 changed t 2; 1 took a value of the unique key '%' for t 4");
    assert_string_equal(rows(w), "1x0 2y0");
    bo_rollback_free(rollback);
}

static void what_dependents_wrote_elsewhere_stays(void **state)
{
    static const struct story story = {.name = "elsewhere",
        .ask = "SELECT id || name AS r FROM customers UNION ALL SELECT line FROM log"};
    world *w = world_or_skip(state);
    told = &story;
    const bo_scope_item customers = {.table = "customers"};
    const bo_point_options options = {
        .scope = &customers, .scope_count = 1, .migration = "test", .method = BO_METHOD_CAPTURE};
    const char *id = world_point_as(w, &options);
    world_sql(w, "UPDATE customers SET name = 'Eve' WHERE id = 1");
    world_seal(w, id);
    world_sql(w, "UPDATE customers SET name = 'Fay'; INSERT INTO log VALUES ('two renamed')");
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(rows(w), w->created[0] ? "1Ada 2Bob opened opened two renamed"
                                               : "1Ada 2Fay opened opened two renamed");
    assert_int_equal(rollback->note_count, 1);
    assert_non_null(strstr(rollback->notes[0], "what they wrote elsewhere stays"));
    bo_rollback_free(rollback);
}

/* One allocation in five fails, once each: the plan is whole, or says what is missing, or there is
 * none. */
static void a_plan_without_memory_is_whole_or_no_plan(void **state)
{
    world *w = *state;
    told = story_named("a foreign key to what was inserted");
    const char *id = tell(w), *before = rows(w);
    for (int mode = BO_BACKOUT_NO_CASCADE; mode <= BO_BACKOUT_CASCADE; mode += BO_BACKOUT_CASCADE) {
        const bo_rollback_options options = {
            .type = BO_ROLLBACK_PARTIAL, .mode = (bo_backout_mode)mode, .dry_run = true};
        bool fired = true;
        for (unsigned nth = 1; fired; nth += 5) {
            bo_error err = {0};
            bo_rollback *plan = NULL;
            fault_memory_arm(nth);
            bo_status st = bo_rollback_execute(w->session, &w->database, id, &options, &plan, &err);
            fired = fault_memory_fired();
            assert_int_equal(st == BO_OK, plan != NULL);
            if (st != BO_OK)
                assert_int_equal(st, BO_NOMEM);
            else if (plan->dependent_count)
                assert_string_equal(tree(w, plan), expected_tree(w));
            else
                assert_true(fired && plan->note_count > 0);
            bo_rollback_free(plan);
        }
    }
    assert_string_equal(rows(w), before);
}

static void tables_and_rows_are_not_chosen_with_cascade(void **state)
{
    world *w = *state;
    told = story_named("write after write");
    const char *id = tell(w), *table = "t";
    const bo_rollback_options options[] = {{.type = BO_ROLLBACK_PARTIAL,
                                               .mode = BO_BACKOUT_CASCADE,
                                               .tables = &table,
                                               .table_count = 1},
        {.type = BO_ROLLBACK_PARTIAL, .mode = BO_BACKOUT_CASCADE, .only_added = true},
        {.type = BO_ROLLBACK_FULL, .mode = BO_BACKOUT_CASCADE}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        bo_error err = {0};
        bo_rollback *rollback = NULL;
        assert_int_equal(
            bo_rollback_execute(w->session, &w->database, id, &options[i], &rollback, &err),
            BO_INVALID);
    }
}

/* ---- whose writes the change is, where a server tells ---- */

static const struct story of_writers = {.name = "writers",
    .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER);"
              "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0)",
    .ask = "SELECT id || '-' || v AS r FROM t"};

static void of_run(world *w, bo_conn *conn, const char *sql)
{
    (void)w;
    bo_error err = {0};
    world_ok(conn->driver->exec(conn, sql, &err), &err);
}

static void dependents_of_a_run_are_told_from_those_who_wrote_before_it(void **state)
{
    world *w = world_or_skip(state);
    told = &of_writers;
    world_sql(w, told->before);
    bo_error err = {0};
    bo_run *run = NULL;
    const bo_point_options options = {.migration = "test", .method = BO_METHOD_CAPTURE};
    world_ok(bo_run_begin(w->session, &w->database, &options, &run, &err), &err);
    BO_OWN(bo_conn) *own = NULL;
    const bo_connect how = {.url = w->url, .raw = true, .run = bo_run_id(run)};
    world_ok(bo_driver_open(&how, &own, &err), &err);
    of_run(w, own, "UPDATE t SET v = 10 WHERE id = 1");
    world_sql(w, "UPDATE t SET v = 5 WHERE id IN (2, 3)"); /* before the run wrote it */
    of_run(w, own, "UPDATE t SET v = v + 10 WHERE id IN (2, 4)");
    world_sql(w, "UPDATE t SET v = 11 WHERE id = 1"); /* while it is under way */
    world_sql(w, "UPDATE t SET v = v + 1 WHERE id = 4");
    of_run(w, own, "UPDATE t SET v = v + 10 WHERE id = 4");
    world_ok(bo_run_end(run, NULL, &err), &err);
    world_sql(w, "UPDATE t SET v = 12 WHERE id = 1");
    of_run(w, own, "UPDATE t SET v = 99 WHERE id = 2"); /* it looks like the run, and is not */
    const char *id = bo_arena_str(w->arena, bo_run_point_id(run));
    bo_run_free(run);

    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_NO_CASCADE, false, &rollback), BO_CONFLICT);
    assert_int_equal(rollback->conflict_count, 3);
    static const char *const whose[] = {"was changed after the change, by transaction ",
        "was changed after the change, by transaction ",
        "between two writes of the change, by transaction "};
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(rollback->conflicts[i].because, whose[i]));
    bo_rollback_free(rollback);
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(
        tree(w, rollback), "0 changed t 1; 1 changed t 1; 0 changed t 4; 0 changed t 2");
    assert_string_equal(rows(w), "1-0 2-5 3-5 4-0");
    bo_rollback_free(rollback);
}

static void dependents_of_a_user_are_other_users(void **state)
{
    world *w = world_or_skip(state);
    told = &of_writers;
    world_sql(w, told->before);
    world_sql(w, "GRANT ALL ON t TO app");
    bo_error err = {0};
    const bo_point_options point = {.migration = "test", .method = BO_METHOD_CAPTURE};
    const char *id = world_point_as(w, &point);
    world_sql(w, "UPDATE t SET v = 1 WHERE id IN (1, 2)");
    world_sql(w, "SET SESSION AUTHORIZATION app; UPDATE t SET v = 10 WHERE id IN (1, 3)");
    world_sql(w, "RESET SESSION AUTHORIZATION; UPDATE t SET v = 20 WHERE id = 3;"
                 "UPDATE t SET v = 21 WHERE id = 4");
    world_sql(w, "UPDATE t SET v = 22 WHERE id = 2");
    const bo_rollback_options options = {
        .type = BO_ROLLBACK_PARTIAL, .user = "app", .mode = BO_BACKOUT_CASCADE};
    bo_rollback *rollback = NULL;
    world_ok(bo_rollback_execute(w->session, &w->database, id, &options, &rollback, &err), &err);
    assert_string_equal(tree(w, rollback), "0 changed t 3");
    assert_string_equal(rollback->dependents[0].user, "postgres");
    assert_string_equal(rows(w), "1-1 2-22 3-0 4-0");
    bo_rollback_free(rollback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(tables_and_rows_are_not_chosen_with_cascade),
        WORLD_TEST(without_journals_cascade_meets_conflicts_and_says_why),
        WORLD_TEST_POSTGRES(a_reference_of_another_width_is_followed),
        WORLD_TEST_POSTGRES(a_reference_that_cannot_be_followed_refuses_cascade),
        WORLD_TEST(who_could_have_reached_a_row_and_did_not_is_no_dependent),
        WORLD_TEST(what_dependents_wrote_elsewhere_stays),
        WORLD_TEST_POSTGRES(what_dependents_wrote_elsewhere_stays),
        WORLD_TEST(a_plan_without_memory_is_whole_or_no_plan),
        WORLD_TEST_POSTGRES(dependents_of_a_run_are_told_from_those_who_wrote_before_it),
        WORLD_TEST_POSTGRES(dependents_of_a_user_are_other_users),
    };
    return cmocka_run_group_tests_name("dependents", tests, NULL, NULL);
}
