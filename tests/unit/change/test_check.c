/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_check.c - what is stored is read back, compared and really restored. */
#include "world.h"

#include "backout/export.h"
#include "base/step.h"
#include "change/stored.h"
#include "support/fault_driver.h"
#include "support/fault_memory.h"

static bo_check *check_with(
    world *w, const bo_database *database, const char *id, bool restore, bo_status expected)
{
    bo_error err = {0};
    bo_check *check = NULL;
    bo_status st = bo_check_stored(w->session, database, id, restore, &check, &err);
    if (st != expected)
        print_message("# %s\n", err.text);
    assert_int_equal(st, expected);
    return check;
}

static bo_check *check(world *w, bo_status expected)
{
    return check_with(w, NULL, NULL, false, expected);
}

/* "file result problem", one line for each item; strays begin with '!'. */
static const char *describe(world *w, bo_check *result)
{
    bo_buf text = {0};
    for (size_t i = 0; i < result->item_count; i++) {
        const bo_check_item *item = &result->items[i];
        const char *dot = item->point[0] ? item->file + strlen(item->point) : item->file;
        bo_buf_printf(&text, "%s%s %s%s%s\n", item->point[0] ? "" : "!", dot, item->result,
            item->problem[0] ? " " : "", item->problem);
    }
    const char *copy = bo_arena_str(w->arena, bo_buf_str(&text));
    bo_buf_done(&text);
    bo_check_free(result);
    return copy;
}

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        print_message("# '%s' is not in '%s'\n", part, text);
    assert_non_null(strstr(text, part));
}

static void an_empty_repository_matches(void **state)
{
    bo_check *result = check(*state, BO_OK);
    assert_string_equal(result->result, "match");
    assert_int_equal(result->item_count, 0);
    bo_check_free(result);
}

static void whole_files_match_with_their_rows(void **state)
{
    world *w = *state;
    const char *id = world_change(
        w, NULL, "DELETE FROM orders WHERE id = 10; UPDATE customers SET name = 'Eve'");
    world_roll_back(w, id, BO_ROLLBACK_FULL);
    bo_check *result = check(w, BO_OK);
    assert_string_equal(result->result, "match");
    assert_int_equal(result->item_count, 3); /* snapshot, change, change of the undo point */
    assert_string_equal(result->items[0].point, id);
    assert_int_equal(result->items[0].rows, 7);
    assert_int_equal(result->items[1].rows, 3);
    assert_true(result->items[0].bytes > 100);
    assert_string_equal(result->items[0].problem, "");
    bo_check_free(result);
}

static void one_point_is_checked_by_the_beginning_of_its_id(void **state)
{
    world *w = *state;
    world_point(w, "log");
    const char *id = world_point(w, "orders");
    bo_check *result = check_with(w, NULL, id, false, BO_OK);
    assert_int_equal(result->item_count, 1);
    assert_string_equal(result->items[0].point, id);
    bo_check_free(result);
    check_with(w, NULL, "nowhere", false, BO_NOTFOUND);
    world_set_status(w, id, BO_POINT_PRUNED);
    check_with(w, NULL, id, false, BO_REFUSED);
}

static void a_missing_file_is_a_mismatch(void **state)
{
    world *w = *state;
    const char *id = world_point(w, NULL);
    assert_int_equal(remove(world_path(w, bo_arena_printf(w->arena, "%s.snapshot", id))), 0);
    const char *said = describe(w, check(w, BO_MISMATCH));
    assert_holds(said, ".snapshot mismatch ");
    assert_holds(said, "nothing of it can be restored");
}

static void a_broken_frame_leaves_the_other_tables_restorable(void **state)
{
    world *w = *state;
    const char *id = world_point(w, NULL);
    const char *name = bo_arena_printf(w->arena, "%s.snapshot", id);
    bo_content *content = NULL;
    bo_error err = {0};
    world_ok(bo_content_open(w->session, name, NULL, &content, &err), &err);
    int orders = bo_content_find(content, "orders");
    const bo_frame *frame = NULL;
    for (uint32_t i = 0; i < bo_pack_frame_count(content->pack); i++)
        if (bo_pack_get_frame(content->pack, i)->table == (uint32_t)orders)
            frame = bo_pack_get_frame(content->pack, i);
    assert_non_null(frame);
    long middle = (long)(frame->offset + frame->stored_size / 2);
    bo_content_free(content);
    world_damage(w, name, middle);
    const char *said = describe(w, check(w, BO_MISMATCH));
    assert_holds(said, ".snapshot mismatch cannot read frame");
    assert_holds(said, "whole: customers, log; readable in part: orders (0 of 3 rows)");
}

static void a_damaged_index_leaves_nothing(void **state)
{
    world *w = *state;
    const char *id = world_point(w, NULL);
    world_damage(w, bo_arena_printf(w->arena, "%s.snapshot", id), -20);
    assert_holds(describe(w, check(w, BO_MISMATCH)), "nothing of it can be restored");
}

static void the_file_of_another_point_is_noticed(void **state)
{
    world *w = *state;
    const char *first = world_point(w, "orders");
    world_sql(w, "DELETE FROM orders WHERE id = 11");
    const char *second = world_point(w, "orders");
    const char *from = world_path(w, bo_arena_printf(w->arena, "%s.snapshot", second));
    const char *to = world_path(w, bo_arena_printf(w->arena, "%s.snapshot", first));
    assert_int_equal(remove(to), 0);
    assert_int_equal(rename(from, to), 0);
    assert_holds(describe(w, check_with(w, NULL, first, false, BO_MISMATCH)),
        "not the one that was written for this point");
}

static void counts_and_digests_are_those_of_the_catalog(void **state)
{
    world *w = *state;
    const char *id = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    bo_error err = {0};
    bo_point_record record = world_record(w, id);
    json_t *details = json_loads(record.details, 0, NULL);
    json_t *table = json_array_get(json_object_get(details, "tables"), 0);
    json_object_set_new(table, "digest", json_string("0123456789abcdef0123456789abcdef"));
    json_object_set_new(table, "deleted", json_integer(2));
    char *text = json_dumps(details, JSON_COMPACT);
    record.details = text;
    world_ok(bo_catalog_point_update(w->session->catalog, &record, &err), &err);
    free(text);
    json_decref(details);
    const char *said = describe(w, check(w, BO_MISMATCH));
    assert_holds(said, ".snapshot mismatch table 'orders'");
    assert_holds(said, ".change mismatch table 'orders' has 1 changes, and 2 in the catalog");
}

static void encrypted_files_need_their_passphrase(void **state)
{
    world *w = *state;
    w->settings.passphrase = "correct horse";
    world_reopen(w);
    world_point(w, NULL);
    assert_holds(describe(w, check(w, BO_OK)), ".snapshot match");
    w->settings.passphrase = NULL;
    world_reopen(w);
    bo_check *result = check(w, BO_OK);
    assert_string_equal(result->result, "inconclusive"); /* not known to be wrong */
    assert_true(result->items[0].problem[0] != '\0');
    bo_check_free(result);
}

static void strays_and_leftovers_are_named(void **state)
{
    world *w = *state;
    const char *pruned = world_point(w, "log");
    world_set_status(w, pruned, BO_POINT_PRUNED);
    world_put_file(w, "intent_0123.change", "half");
    world_put_file(w, "rb_unknown_20200101_000000.snapshot", "x");
    world_put_file(w, "notes.txt", "x");
    bo_check *result = check(w, BO_OK);
    assert_string_equal(result->result, "inconclusive");
    const char *said = describe(w, result);
    assert_holds(said, "!intent_0123.change inconclusive a process that died left it");
    assert_holds(said, "!notes.txt inconclusive it belongs to no point");
    assert_holds(said, "!rb_unknown_20200101_000000.snapshot inconclusive it belongs to no point");
    assert_holds(said, "its point was pruned");
}

static void what_a_rollback_discarded_is_checked_and_a_dead_seal_is_said(void **state)
{
    world *w = *state;
    const char *id = world_point(w, "orders"), *open = world_point(w, "log");
    world_sql(w, "DELETE FROM orders WHERE id = 10");
    world_seal(w, id);
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 11"); /* by others, later */
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_FULL);
    const char *lost = bo_arena_printf(w->arena, "%s.lost.change", undo);
    assert_holds(describe(w, check(w, BO_OK)), "\n.lost.change match\n");
    world_damage(w, lost, -20);
    assert_holds(describe(w, check(w, BO_MISMATCH)), ".lost.change mismatch");
    const char *half = bo_arena_printf(w->arena, "%s.change", open);
    world_put_file(w, half, "of a seal that died");
    assert_holds(describe(w, check(w, BO_MISMATCH)),
        bo_arena_printf(w->arena, "!%s inconclusive its point does not name it", half));
}

static world *others;
static const char *going;

static void prune_and_take(const char *step)
{
    if (strcmp(step, "check.points-listed") == 0) {
        world_set_status(others, going, BO_POINT_PRUNED);
        const char *file = bo_arena_printf(others->arena, "%s.snapshot", going);
        assert_int_equal(unlink(world_path(others, file)), 0);
    } else if (strcmp(step, "check.points-read") == 0) {
        bo_step_hook = NULL;
        world_seal(others, world_point(others, "orders"));
    }
}

/* Others prune, take and seal points while the files are read. */
static void what_others_do_meanwhile_is_no_damage(void **state)
{
    world *w = others = *state;
    going = world_point(w, "log");
    world_point(w, "customers");
    bo_step_hook = prune_and_take;
    bo_check *result = check(w, BO_OK);
    assert_string_equal(result->result, "match");
    assert_int_equal(result->item_count, 1);
    bo_check_free(result);
}

static bo_session *open_session(world *w)
{
    bo_error err = {0};
    bo_session *session = NULL;
    world_ok(bo_session_open(&w->settings, &session, &err), &err);
    return session;
}

static bo_session *looking;
static unsigned looks;

static void look(const char *step)
{
    bo_error err = {0};
    bo_check *result = NULL;
    if (strcmp(step, "file.stored") != 0)
        return;
    bo_step_hook = NULL;
    bo_status st = bo_check_stored(looking, NULL, NULL, false, &result, &err);
    for (size_t i = 0; st == BO_OK && i < result->item_count; i++)
        if (strcmp(result->items[i].result, "match") != 0)
            print_message("# %s: %s\n", result->items[i].file, result->items[i].problem);
    world_ok(st, &err);
    assert_string_equal(result->result, "match");
    bo_check_free(result);
    looks++;
    bo_step_hook = look;
}

/* Files come before the record that names them. */
static void what_a_rollback_at_work_has_stored_is_no_remnant(void **state)
{
    world *w = *state;
    const char *id = world_change(w, "orders", "DELETE FROM orders WHERE id = 10");
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 11"); /* by others, later */
    looking = open_session(w);
    looks = 0;
    bo_step_hook = look;
    world_roll_back(w, id, BO_ROLLBACK_FULL);
    bo_step_hook = NULL;
    bo_session_free(looking);
    assert_true(looks >= 4); /* spool, lost changes as two files, undo point */
}

static void the_spool_of_an_export_is_a_remnant_only_when_it_died(void **state)
{
    world *w = *state;
    bo_error err = {0};
    const char *id = world_point(w, "orders"), *spool = "since_0123.change";
    world_sql(w, "DELETE FROM orders WHERE id = 10");
    world_seal(w, id);
    looking = open_session(w);
    looks = 0;
    bo_step_hook = look;
    world_ok(bo_export(w->session, &w->database, id, BO_EXPORT_JSONL, BO_EXPORT_SINCE,
                 world_swallow, NULL, &err),
        &err);
    bo_step_hook = NULL;
    bo_session_free(looking);
    assert_int_equal(looks, 1);

    world_reopen(w); /* nobody is at work any more */
    world_put_file(w, spool, "half");
    assert_holds(describe(w, check(w, BO_OK)),
        "!since_0123.change inconclusive a process that died left it; prune removes it");
    const bo_prune_options keep = {.keep_last = 9};
    bo_prune *prune = NULL;
    world_ok(bo_prune_points(w->session, &keep, &prune, &err), &err);
    bo_prune_free(prune);
    assert_false(world_has_file(w, spool));
}

static const char *sealing;
static char sealing_run[64];

static void end_seal(const char *step)
{
    bo_error err = {0};
    if (strcmp(step, "check.nobody-at-work") != 0)
        return;
    bo_step_hook = NULL;
    bo_point_record record = world_record(others, sealing);
    record.status = BO_POINT_SEALED;
    record.change_file = bo_arena_printf(others->arena, "%s.change", sealing);
    world_ok(bo_catalog_point_update(others->session->catalog, &record, &err), &err);
}

static void begin_seal(const char *step)
{
    bo_error err = {0};
    if (strcmp(step, "check.points-read") != 0)
        return;
    world_put_file(others, bo_arena_printf(others->arena, "%s.change", sealing), "x");
    world_ok(bo_catalog_run_end(others->session->catalog, sealing_run, "done", NULL, &err), &err);
    bo_step_hook = end_seal;
}

/* The runs are asked first, and the record is read after them. */
static void a_seal_that_just_ended_is_no_dead_one(void **state)
{
    world *w = others = *state;
    bo_error err = {0};
    sealing = world_point(w, "log");
    world_ok(
        bo_catalog_run_begin(w->session->catalog, "seal", sealing, "tester", sealing_run, &err),
        &err);
    bo_step_hook = begin_seal;
    assert_string_equal(describe(w, check(w, BO_OK)), ".snapshot match\n");
    assert_null(bo_step_hook);
}

static void finish_taking(const char *step)
{
    if (strcmp(step, "check.points-listed") == 0)
        world_set_status(others, going, BO_POINT_READY);
}

static void a_point_that_was_taken_meanwhile_is_checked(void **state)
{
    world *w = others = *state;
    going = world_point(w, "log");
    world_set_status(w, going, BO_POINT_CREATING);
    bo_step_hook = finish_taking;
    assert_string_equal(describe(w, check(w, BO_OK)), ".snapshot match\n");
    bo_step_hook = NULL;
    assert_string_equal(bo_buf_str(&w->warnings), "");
}

static void a_point_whose_maker_died_is_said(void **state)
{
    world *w = *state;
    const char *id = world_point(w, "log");
    world_set_status(w, id, BO_POINT_CREATING);
    assert_string_equal(describe(w, check(w, BO_OK)), "");
    assert_holds(bo_buf_str(&w->warnings), id);
    assert_holds(bo_buf_str(&w->warnings), "died while it was taken");
}

/* ---- test restores ---- */

static void a_snapshot_is_really_restored(void **state)
{
    world *w = *state;
    world_sql(w, "CREATE TABLE odd (a TEXT COLLATE NOCASE, b BLOB, c, d REAL DEFAULT 1.5,"
                 " e INTEGER GENERATED ALWAYS AS (length(a)) STORED, UNIQUE (a, b));"
                 "CREATE INDEX odd_c ON odd (c);"
                 "CREATE TRIGGER odd_t AFTER INSERT ON odd BEGIN DELETE FROM odd; END;"
                 "CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT) STRICT;"
                 "CREATE TABLE keyed (k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
                 "INSERT INTO numbered VALUES (9000000000, 'x');"
                 "INSERT INTO keyed VALUES ('k', NULL), ('l', 2)");
    world_sql(w,
        "DROP TRIGGER odd_t;"
        "INSERT INTO odd (a, b, c, d) VALUES ('x', x'00ff', '1', 1e300), (NULL, '', 1, -0.0);"
        "CREATE TRIGGER odd_t AFTER INSERT ON odd BEGIN DELETE FROM odd; END");
    world_point(w, NULL);
    world_point(w, "log");
    const char *said = describe(w, check_with(w, NULL, NULL, true, BO_OK));
    assert_string_equal(said, ".snapshot match\n.snapshot match\n");
}

/* The file is whole, but what it holds does not fit the definition it holds. */
static void a_snapshot_that_its_table_does_not_take_is_found(void **state)
{
    world *w = *state;
    world_sql(w, "CREATE TABLE checked (n INTEGER);"
                 "INSERT INTO checked VALUES (5);"
                 "PRAGMA writable_schema = ON;"
                 "UPDATE sqlite_schema SET sql = 'CREATE TABLE checked (n INTEGER CHECK (n < 3))'"
                 " WHERE name = 'checked'; PRAGMA writable_schema = RESET");
    world_point(w, "checked");
    bo_check_free(check(w, BO_OK));
    const char *said = describe(w, check_with(w, NULL, NULL, true, BO_MISMATCH));
    assert_holds(said, "table 'checked' cannot be restored");
}

static void postgresql_needs_a_database_to_restore_into(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_point(w, NULL);
    bo_error err = {0};
    bo_check *result = NULL;
    assert_int_equal(bo_check_stored(w->session, NULL, id, true, &result, &err), BO_INVALID);
    assert_holds(err.text, "--db");
}

static void postgresql_restores_into_temporary_tables(void **state)
{
    world *w = world_or_skip(state);
    world_sql(w,
        "CREATE SCHEMA sales; CREATE TYPE sales.mood AS ENUM ('good', 'bad');"
        "CREATE TABLE sales.odd (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n numeric,"
        " m sales.mood[], d double precision, j json, b bytea, t timestamptz,"
        " g bigint GENERATED ALWAYS AS (id * 2) STORED);"
        "INSERT INTO sales.odd (n, m, d, j, b, t) VALUES (1.00, '{good,bad}', '-0', '{ }',"
        " '\\x00ff', now()), ('NaN', NULL, 'NaN', NULL, '', 'infinity');"
        "CREATE TABLE plain (x xml, c \"char\"); INSERT INTO plain VALUES ('<a/>', 'z')");
    world_point(w, NULL);
    const char *said = describe(w, check_with(w, &w->database, NULL, true, BO_OK));
    assert_string_equal(said, ".snapshot match\n");
    assert_string_equal(
        world_value(w, "SELECT count(*) FROM pg_class WHERE relname LIKE 'backout%'"), "0");
}

static void what_the_scratch_database_lacks_leaves_the_check_open(void **state)
{
    world *w = world_or_skip(state);
    world_sql(w, "CREATE SCHEMA sales; CREATE TYPE sales.mood AS ENUM ('good');"
                 "CREATE TABLE sales.odd (m sales.mood); INSERT INTO sales.odd VALUES ('good')");
    world_point(w, "sales.odd");
    world_point(w, "log");
    world_sql(w, "DROP SCHEMA sales CASCADE");
    bo_check *result = check_with(w, &w->database, NULL, true, BO_OK);
    assert_string_equal(result->result, "inconclusive");
    const char *said = describe(w, result);
    assert_holds(said, ".snapshot inconclusive table 'sales.odd' cannot be restored");
    assert_holds(said, "\n.snapshot match\n");
}

/* A scratch database that fails says nothing about the file. */
static void every_failed_call_of_the_scratch_database_leaves_the_check_open(world *w)
{
    world_point(w, "orders");
    fault_driver_install();
    unsigned nth = 0;
    bool fired;
    do {
        fault_driver_arm(++nth);
        bo_check *result = check_with(w, &w->database, NULL, true, BO_OK);
        fired = fault_driver_fired();
        assert_string_equal(result->result, fired ? "inconclusive" : "match");
        bo_check_free(result);
    } while (fired);
    fault_driver_arm(0);
    fault_driver_remove();
    assert_true(nth > 2);
}

static void a_scratch_file_that_fails_leaves_the_check_open(void **state)
{
    every_failed_call_of_the_scratch_database_leaves_the_check_open(*state);
}

static void temporary_tables_that_fail_leave_the_check_open(void **state)
{
    every_failed_call_of_the_scratch_database_leaves_the_check_open(world_or_skip(state));
}

static void every_failed_allocation_is_said(void **state)
{
    world *w = *state;
    (void)world_change(w, NULL, "DELETE FROM orders WHERE id = 10");
    bo_status st;
    unsigned nth = 0;
    bool fired;
    do {
        bo_error err = {0};
        bo_check *result = NULL;
        fault_memory_arm(++nth);
        st = bo_check_stored(w->session, NULL, NULL, true, &result, &err);
        fired = fault_memory_fired();
        /* a scratch database that could not be made leaves the check open, never right or wrong */
        if (st == BO_OK && strcmp(result->result, "match") != 0)
            assert_string_equal(result->result, "inconclusive");
        else if (st != BO_OK)
            assert_int_equal(st, BO_NOMEM);
        bo_check_free(result);
    } while (fired);
    assert_int_equal(st, BO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_empty_repository_matches),
        WORLD_TEST(whole_files_match_with_their_rows),
        WORLD_TEST(one_point_is_checked_by_the_beginning_of_its_id),
        WORLD_TEST(a_missing_file_is_a_mismatch),
        WORLD_TEST(a_broken_frame_leaves_the_other_tables_restorable),
        WORLD_TEST(a_damaged_index_leaves_nothing),
        WORLD_TEST(the_file_of_another_point_is_noticed),
        WORLD_TEST(counts_and_digests_are_those_of_the_catalog),
        WORLD_TEST(encrypted_files_need_their_passphrase),
        WORLD_TEST(strays_and_leftovers_are_named),
        WORLD_TEST(what_a_rollback_discarded_is_checked_and_a_dead_seal_is_said),
        WORLD_TEST(what_others_do_meanwhile_is_no_damage),
        WORLD_TEST(what_a_rollback_at_work_has_stored_is_no_remnant),
        WORLD_TEST(the_spool_of_an_export_is_a_remnant_only_when_it_died),
        WORLD_TEST(a_seal_that_just_ended_is_no_dead_one),
        WORLD_TEST(a_point_that_was_taken_meanwhile_is_checked),
        WORLD_TEST(a_point_whose_maker_died_is_said),
        WORLD_TEST(a_snapshot_is_really_restored),
        WORLD_TEST(a_snapshot_that_its_table_does_not_take_is_found),
        WORLD_TEST(every_failed_allocation_is_said),
        WORLD_TEST(a_scratch_file_that_fails_leaves_the_check_open),
        WORLD_TEST_POSTGRES(temporary_tables_that_fail_leave_the_check_open),
        WORLD_TEST_POSTGRES(postgresql_needs_a_database_to_restore_into),
        WORLD_TEST_POSTGRES(what_the_scratch_database_lacks_leaves_the_check_open),
        WORLD_TEST_POSTGRES(postgresql_restores_into_temporary_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
