/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_reshaped.c - others renamed or dropped a table or a column since: the plan
 * and what is done say the same, and nobody is said to have written what nobody wrote. */
#include "world.h"

#include <string.h>
#include <unistd.h>

static bo_rollback *try_to(
    world *w, const char *id, bo_rollback_options options, bo_status expected, bo_error *err)
{
    bo_rollback *rollback = NULL;
    *err = (bo_error){0};
    bo_status st = bo_rollback_execute(w->session, &w->database, id, &options, &rollback, err);
    if (st != expected)
        fail_msg("%s: %s", bo_status_name(st), err->text);
    return rollback;
}

static bo_rollback *assessed(world *w, const char *id)
{
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    world_ok(bo_rollback_assess(w->session, &w->database, id, &rollback, &err), &err);
    return rollback;
}

static void said(const char *text, const char *sentence)
{
    if (!strstr(text, sentence))
        fail_msg("not said: %s\nbut: %s", sentence, text);
}

static void noted(const bo_rollback *rollback, const char *sentence)
{
    for (size_t i = 0; i < rollback->note_count; i++)
        if (strstr(rollback->notes[i], sentence))
            return;
    fail_msg("not noted: %s", sentence);
}

static const char *a_sealed_change(world *w)
{
    world_sql(w, "CREATE TABLE goods (id int, name varchar(20), cents int)");
    world_sql(w, "INSERT INTO goods VALUES (1, 'a', 100), (2, 'b', 200)");
    return world_change(w, "goods", "UPDATE goods SET cents = cents / 10");
}

/* It would be there with these rows alone, and pass for the whole. */
static void a_dropped_table_is_not_made_again_with_some_of_its_rows(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    bo_error err = {0};
    const char *id = world_point(w, "orders");
    world_seal(w, id);
    const bo_scope_item some = {"orders", "id = 10"};
    const bo_point_options options = {.scope = &some, .scope_count = 1, .migration = "test"};
    const char *of_some = world_point_as(w, &options);
    world_sql(w, "DROP TABLE orders");
    bo_rollback_options full = {.type = BO_ROLLBACK_FULL, .discard_later = true};
    bo_rollback_options chosen = full, added = full;
    chosen.where = &some;
    chosen.where_count = 1;
    added.only_added = true;
    bo_rollback_free(try_to(w, id, chosen, BO_REFUSED, &err));
    said(err.text, "and only some of its rows were asked for");
    bo_rollback_free(try_to(w, id, added, BO_REFUSED, &err));
    said(err.text, "and only some of its rows were asked for");
    bo_rollback_free(try_to(w, of_some, full, BO_REFUSED, &err));
    said(err.text, "and only some of its rows were asked for");
    bo_rollback_free(try_to(w, id, full, BO_OK, &err));
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "3");
}

static void a_table_that_others_renamed_is_planned_as_it_is_made_again(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = a_sealed_change(w);
    world_sql(w, "INSERT INTO goods VALUES (3, 'c', 300)");
    world_sql(w, "ALTER TABLE goods RENAME TO goods_old");
    bo_error err = {0};
    bo_rollback *plan = try_to(
        w, id, (bo_rollback_options){.type = BO_ROLLBACK_FULL, .dry_run = true}, BO_OK, &err);
    assert_int_equal(plan->inserted, 2);
    assert_int_equal(plan->conflict_count, 0);
    assert_int_equal(plan->lost_rows, 0);
    noted(plan, "goods: the table is not there, and will be made again; if it was renamed, rename");
    bo_rollback_free(plan);

    bo_rollback *assessment = assessed(w, id);
    assert_string_equal(assessment->recommended, "full");
    assert_int_equal(assessment->lost_rows, 0);
    said(assessment->because, "if it was renamed, rename it back first");
    bo_rollback_free(assessment);

    bo_rollback *done = try_to(w, id, (bo_rollback_options){.type = BO_ROLLBACK_FULL}, BO_OK, &err);
    assert_int_equal(done->inserted, 2);
    assert_int_equal(done->conflict_count, 0);
    assert_int_equal(done->lost_rows, 0);
    assert_string_equal(done->proof, "match");
    noted(done, "goods: the table was not there, and was made again; the undo point leaves it");
    const char *undo = bo_arena_str(w->arena, done->undo_point);
    bo_rollback_free(done);
    assert_string_equal(world_value(w, "SELECT count(*) FROM goods_old"), "3");
    assert_string_equal(world_value(w, "SELECT sum(cents) FROM goods"), "300");

    bo_rollback_free(try_to(w, undo, (bo_rollback_options){.type = BO_ROLLBACK_FULL}, BO_OK, &err));
    assert_string_equal(world_value(w, "SELECT count(*) FROM goods"), "0"); /* as the note says */
}

/* Their foreign keys need its rows, which a plan does not put back. */
static void a_dropped_table_that_others_refer_to_is_planned(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    bo_error err = {0};
    const char *id = world_point(w, NULL);
    world_sql(
        w, w->engine == WORLD_POSTGRES ? "DROP TABLE customers CASCADE" : "DROP TABLE customers");
    bo_rollback_options full = {.type = BO_ROLLBACK_FULL, .dry_run = true};
    bo_rollback *plan = try_to(w, id, full, BO_OK, &err);
    assert_int_equal(plan->inserted, 2);
    bo_rollback_free(plan);
    bo_rollback_free(assessed(w, id));
    full.dry_run = false;
    bo_rollback_free(try_to(w, id, full, BO_OK, &err));
    if (w->engine == WORLD_POSTGRES)
        assert_string_equal(
            world_value(w, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"), "1");
}

/* Its index keeps its name with it, so that the table of the point cannot have it. */
static void what_stands_in_the_way_of_making_a_table_is_known_to_the_plan(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    world_sql(w, "CREATE TABLE goods (id int, name varchar(20))");
    world_sql(w, "CREATE INDEX goods_by_name ON goods (name)");
    const char *id = world_change(w, "goods", "DELETE FROM goods");
    world_sql(w, "ALTER TABLE goods RENAME TO goods_old");
    for (int i = 0; i < 4; i++) {
        bo_rollback_options options = {
            .type = i < 2 ? BO_ROLLBACK_FULL : BO_ROLLBACK_BACKUP, .dry_run = i % 2 == 0};
        bo_rollback *rollback = NULL;
        bo_error err = {0};
        assert_int_not_equal(
            bo_rollback_execute(w->session, &w->database, id, &options, &rollback, &err), BO_OK);
        assert_null(rollback);
        said(err.text, "cannot make table 'goods' again");
        said(err.text, "goods_by_name");
    }
    world_sql(w, "ALTER TABLE goods_old RENAME TO goods");
    world_roll_back(w, id, BO_ROLLBACK_FULL);
}

static void a_table_that_is_gone_is_refused_by_type_partial_in_words(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = a_sealed_change(w);
    world_sql(w, "ALTER TABLE goods RENAME TO goods_old");
    bo_error err = {0};
    for (int dry = 0; dry < 2; dry++) {
        assert_null(try_to(w, id,
            (bo_rollback_options){.type = BO_ROLLBACK_PARTIAL, .dry_run = dry}, BO_REFUSED, &err));
        said(err.text, "table 'goods' is not there, and only type full makes a table again");
    }
    world_sql(w, "ALTER TABLE goods_old RENAME TO goods");
    world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    assert_string_equal(world_value(w, "SELECT sum(cents) FROM goods"), "300");
}

/* An undo point has changes, and no table to make one of. */
static void type_full_is_not_named_where_it_makes_no_table(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = a_sealed_change(w);
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    world_sql(w, "ALTER TABLE goods RENAME TO goods_old");
    bo_error err = {0};
    for (int full = 0; full < 2; full++) {
        assert_null(try_to(w, undo,
            (bo_rollback_options){.type = full ? BO_ROLLBACK_FULL : BO_ROLLBACK_PARTIAL},
            BO_REFUSED, &err));
        said(err.text, "table 'goods' is not there, and 'rb_undo_");
        assert_null(strstr(err.text, "type full"));
    }
    world_sql(w, "ALTER TABLE goods_old RENAME TO goods");
    world_roll_back(w, undo, BO_ROLLBACK_FULL);
    assert_string_equal(world_value(w, "SELECT sum(cents) FROM goods"), "30");
}

static void a_column_that_is_gone_is_the_one_reason_that_is_named(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = a_sealed_change(w);
    world_sql(w, "ALTER TABLE goods RENAME COLUMN name TO title");
    bo_error err = {0};
    assert_null(
        try_to(w, id, (bo_rollback_options){.type = BO_ROLLBACK_PARTIAL}, BO_REFUSED, &err));
    said(err.text, "do not fit the table as it is now\ngoods: column 'name' was dropped");
    assert_null(strstr(err.text, "title"));

    if (w->engine == WORLD_MARIADB)
        return; /* type full makes no column there */
    bo_rollback *refused =
        try_to(w, id, (bo_rollback_options){.type = BO_ROLLBACK_FULL}, BO_REFUSED, &err);
    said(err.text, "a table whose shape was altered since\nwhether others wrote them since is not");
    said(err.text, "a column of 'goods' is gone, and type partial makes none again");
    assert_true(refused->lost_unclear);
    said(refused->conflicts[0].because, "a column of the table is gone: whether others wrote");
    bo_rollback_free(refused);
}

static void a_column_that_needs_a_value_is_named_by_a_restore(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const char *id = a_sealed_change(w);
    world_sql(w, "DROP TABLE goods");
    world_sql(w, "CREATE TABLE goods (id int, name varchar(20), cents int, more int NOT NULL)");
    bo_error err = {0};
    assert_null(try_to(w, id, (bo_rollback_options){.type = BO_ROLLBACK_BACKUP}, BO_REFUSED, &err));
    said(err.text, "goods: column 'more' was added since the point, and needs a value");
}

static void what_a_change_to_the_shape_did_is_not_said_to_be_of_others(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    world_sql(w, "CREATE TABLE goods (id int, name varchar(20))");
    world_sql(w, "INSERT INTO goods VALUES (1, 'a')");
    const char *id = world_change(w, "goods", "ALTER TABLE goods DROP COLUMN name");
    bo_rollback *assessment = assessed(w, id);
    assert_string_equal(assessment->recommended, "full");
    assert_string_equal(assessment->because,
        "the change altered the shape of a table, and can be undone as a whole only");
    assert_true(assessment->lost_unclear);
    bo_rollback_free(assessment);
}

static void a_change_is_undone_without_the_snapshot_when_that_is_lost(void **state)
{
    world *w = *state;
    for (int lost = 0; lost < 2; lost++) {
        const char *id = world_point(w, "orders");
        world_sql(w, "UPDATE orders SET total = 0 WHERE id = 10");
        world_seal(w, id);
        if (lost)
            assert_int_equal(unlink(world_path(w, world_record(w, id).file)), 0);
        else
            world_damage(w, world_record(w, id).file, -20);
        bo_error err = {0};
        bo_rollback_options full = {.type = BO_ROLLBACK_FULL};
        assert_null(try_to(w, id, full, lost ? BO_NOTFOUND : BO_CORRUPT, &err));
        said(err.text, "the change itself is whole: type partial undoes it without this file");
        bo_buf_clear(&w->warnings);
        bo_rollback *assessment = assessed(w, id);
        assert_string_equal(assessment->recommended, "partial");
        bo_rollback_free(assessment);
        said(bo_buf_str(&w->warnings), "type full is not possible: ");
        bo_rollback *done =
            try_to(w, id, (bo_rollback_options){.type = BO_ROLLBACK_PARTIAL}, BO_OK, &err);
        assert_string_equal(done->proof, "match");
        bo_rollback_free(done);
    }
}

static void a_change_that_cannot_be_read_either_is_not_offered(void **state)
{
    world *w = *state;
    const char *id = world_change(w, "orders", "UPDATE orders SET total = 0 WHERE id = 10");
    world_damage(w, world_record(w, id).file, -20);
    world_damage(w, world_record(w, id).change_file, -20);
    bo_error err = {0};
    assert_null(try_to(w, id, (bo_rollback_options){.type = BO_ROLLBACK_FULL}, BO_CORRUPT, &err));
    assert_null(strstr(err.text, "type partial"));
    bo_rollback *assessment = NULL;
    assert_int_equal(
        bo_rollback_assess(w->session, &w->database, id, &assessment, &err), BO_CORRUPT);
}

#define WITH_TABLES_MADE_AGAIN(name) WORLD_TEST(name), WORLD_TEST_POSTGRES(name)
#define EACH(name)                   WITH_TABLES_MADE_AGAIN(name), WORLD_TEST_MARIADB(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TABLES_MADE_AGAIN(a_dropped_table_is_not_made_again_with_some_of_its_rows),
        WITH_TABLES_MADE_AGAIN(a_table_that_others_renamed_is_planned_as_it_is_made_again),
        WITH_TABLES_MADE_AGAIN(a_dropped_table_that_others_refer_to_is_planned),
        WITH_TABLES_MADE_AGAIN(what_stands_in_the_way_of_making_a_table_is_known_to_the_plan),
        EACH(a_table_that_is_gone_is_refused_by_type_partial_in_words),
        EACH(type_full_is_not_named_where_it_makes_no_table),
        EACH(a_column_that_is_gone_is_the_one_reason_that_is_named),
        EACH(a_column_that_needs_a_value_is_named_by_a_restore),
        WITH_TABLES_MADE_AGAIN(what_a_change_to_the_shape_did_is_not_said_to_be_of_others),
        WORLD_TEST(a_change_is_undone_without_the_snapshot_when_that_is_lost),
        WORLD_TEST(a_change_that_cannot_be_read_either_is_not_offered),
    };
    return cmocka_run_group_tests_name("reshaped", tests, NULL, NULL);
}
