/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_export.c - rows as JSON Lines, JSON and CSV, and artefacts beside a point.
 */
#include "exported.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"

static void the_change_is_told_with_both_images(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_change(w, "customers",
        "UPDATE customers SET name = 'Eve' WHERE id = 1; INSERT INTO customers VALUES (3, '');");
    assert_string_equal(exported(w, id, BO_EXPORT_JSONL, BO_EXPORT_CHANGE),
        "{\"table\":\"customers\",\"op\":\"update\",\"before\":{\"id\":\"1\",\"name\":\"Ada\"},"
        "\"after\":{\"id\":\"1\",\"name\":\"Eve\"}}\n"
        "{\"table\":\"customers\",\"op\":\"insert\",\"after\":{\"id\":\"3\",\"name\":\"\"}}\n");
    assert_string_equal(exported(w, id, BO_EXPORT_CSV, BO_EXPORT_CHANGE),
        "table,op,image,id,name\r\n"
        "customers,update,before,1,Ada\r\n"
        "customers,update,after,1,Eve\r\n"
        "customers,insert,after,3,\"\"\r\n");
    json_t *json = json_loads(exported(w, id, BO_EXPORT_JSON, BO_EXPORT_CHANGE), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(json, "changes")), 2);
    json_decref(json);
}

static void the_rows_of_the_point_are_told_as_they_were(void **state)
{
    world *w = world_or_skip(state);
    world_sql(w, "INSERT INTO log VALUES (NULL), (''), ('=1+1, \"x\"')");
    const char *id = world_change(w, NULL, "DELETE FROM log; DELETE FROM orders;");
    const char *csv = exported(w, id, BO_EXPORT_CSV, BO_EXPORT_BEFORE);
    assert_non_null(strstr(csv, "table,line\r\nlog,opened\r\nlog,opened\r\nlog,\r\nlog,\"\"\r\n"
                                "log,\"=1+1, \"\"x\"\"\"\r\n"));
    assert_non_null(strstr(csv, "table,id,customer_id,total\r\norders,10,1,9.5"));
    assert_non_null(strstr(csv, "orders,12,2,\r\n"));
    assert_non_null(strstr(exported(w, id, BO_EXPORT_JSONL, BO_EXPORT_BEFORE),
        "{\"table\":\"orders\",\"row\":{\"id\":\"12\",\"customer_id\":\"2\",\"total\":null}}\n"));
    json_t *json = json_loads(exported(w, id, BO_EXPORT_JSON, BO_EXPORT_BEFORE), 0, NULL);
    const json_t *tables = json_object_get(json, "tables");
    assert_int_equal(json_array_size(tables), 3);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(tables, 1), "name")), "log");
    assert_int_equal(json_array_size(json_object_get(json_array_get(tables, 1), "rows")), 5);
    json_decref(json);
}

static void what_others_did_since_leaves_the_change_out(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_change(w, NULL,
        "UPDATE customers SET name = 'Eve' WHERE id = 1; DELETE FROM orders WHERE id = 10;"
        "UPDATE orders SET total = 1 WHERE id = 11; INSERT INTO log VALUES ('change');");
    assert_string_equal(exported(w, id, BO_EXPORT_JSONL, BO_EXPORT_SINCE), "");
    world_sql(w, "UPDATE customers SET name = 'Ada' WHERE id = 1;" /* put back by others */
                 "UPDATE customers SET name = 'Bea' WHERE id = 2;"
                 "INSERT INTO orders VALUES (10, 2, 7); DELETE FROM orders WHERE id = 11;"
                 "DELETE FROM log WHERE line = 'change';");
    const char *since = exported(w, id, BO_EXPORT_JSONL, BO_EXPORT_SINCE);
    assert_non_null(strstr(since, "\"op\":\"update\",\"before\":{\"id\":\"1\",\"name\":\"Eve\"},"
                                  "\"after\":{\"id\":\"1\",\"name\":\"Ada\"}"));
    assert_non_null(strstr(since, "\"after\":{\"id\":\"2\",\"name\":\"Bea\"}"));
    assert_non_null(
        strstr(since, "{\"table\":\"orders\",\"op\":\"insert\",\"after\":{\"id\":\"10\""));
    assert_non_null(
        strstr(since, "{\"table\":\"orders\",\"op\":\"delete\",\"before\":{\"id\":\"11\""));
    assert_non_null(strstr(since, "{\"table\":\"log\",\"op\":\"delete\",\"before\":"));
    unsigned lines = 0;
    for (const char *c = since; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 5);
}

static void equal_rows_without_a_key_are_told_apart_by_number(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_change(w, "log", "DELETE FROM log");
    world_sql(w, "INSERT INTO log VALUES ('opened'), ('opened'), ('opened')");
    assert_string_equal(exported(w, id, BO_EXPORT_CSV, BO_EXPORT_SINCE),
        "table,op,image,line\r\n"
        "log,insert,after,opened\r\nlog,insert,after,opened\r\nlog,insert,after,opened\r\n");
}

static void a_row_without_a_key_that_others_moved_is_the_same_row(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_change(w, "log", "INSERT INTO log VALUES ('change')");
    world_sql(w, "DELETE FROM log WHERE line = 'change'; INSERT INTO log VALUES ('other');"
                 "INSERT INTO log VALUES ('change');");
    assert_string_equal(exported(w, id, BO_EXPORT_CSV, BO_EXPORT_SINCE),
        "table,op,image,line\r\nlog,insert,after,other\r\n");
}

static void the_spool_of_an_export_does_not_stay(void **state)
{
    world *w = world_or_skip(state);
    const char *id = world_change(w, "log", "DELETE FROM log");
    exported(w, id, BO_EXPORT_SQL, BO_EXPORT_SINCE);
    const char *command = bo_arena_printf(w->arena, "! ls '%s' | grep -q '^since_'", w->repository);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void what_cannot_be_known_is_refused(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    const char *id = world_point(w, "log");
    assert_int_equal(
        bo_export(w->session, &w->database, id, BO_EXPORT_JSONL, BO_EXPORT_SINCE, NULL, NULL, &err),
        BO_REFUSED);
    assert_non_null(strstr(err.text, "is not sealed"));
    world_sql(w, "DELETE FROM log");
    world_seal(w, id);
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
    assert_int_equal(bo_export(w->session, &w->database, undo, BO_EXPORT_JSONL, BO_EXPORT_SINCE,
                         NULL, NULL, &err),
        BO_REFUSED);
    assert_non_null(strstr(err.text, "is the state before a rollback"));
    assert_non_null(strstr(exported(w, undo, BO_EXPORT_JSONL, BO_EXPORT_CHANGE), "insert"));
}

static const char *slurp(world *w, const char *path)
{
    bo_error err = {0};
    BO_OWN_VALUE(bo_buf) text = {0};
    world_ok(bo_file_slurp(path, 1 << 20, &text, &err), &err);
    bo_buf_add_byte(&text, '\0');
    return bo_arena_str(w->arena, bo_buf_str(&text));
}

static void artefacts_are_open_files_that_restore_the_rows(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_entity entity = {"campaign", "../12 3"};
    const bo_point_options options = {
        .migration = "m", .entities = &entity, .entity_count = 1, .kind = "dry-run"};
    bo_clock_pin(1763612259000000); /* 2025-11-20 04:17:39 */
    world_ok(bo_point_create(w->session, &w->database, &options, &points, &err), &err);
    bo_clock_pin(0);
    const char *id = bo_arena_str(w->arena, bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    world_ok(bo_export_artefacts(w->session, &w->database, id, w->folder, &err), &err);
    const char *stem =
        bo_arena_printf(w->arena, "%s/DRY_RUN_campaign_%s", w->folder, "_._12_3_20251120_041739");
    struct stat about;
    const char *metadata = bo_arena_printf(w->arena, "%s_metadata.json", stem);
    assert_int_equal(stat(metadata, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    json_t *json = json_loads(slurp(w, metadata), 0, NULL);
    assert_true(json_is_true(json_object_get(json, "dry_run")));
    assert_string_equal(
        json_string_value(json_object_get(json, "timestamp")), "2025-11-20T04:17:39.000000Z");
    assert_int_equal(json_array_size(json_object_get(json, "files")), 4);
    assert_int_equal(json_array_size(json_object_get(json, "tables")), 3);
    json_decref(json);
    world_sql(w, "DELETE FROM orders; DELETE FROM customers");
    const char *said = "";
    assert_int_equal(
        run_shell(w, slurp(w, bo_arena_printf(w->arena, "%s_customers.sql", stem)), &said), 0);
    assert_int_equal(
        run_shell(w, slurp(w, bo_arena_printf(w->arena, "%s_orders.sql", stem)), &said), 0);
    assert_true(verifies(w, id, BO_AGAINST_BEFORE));
    assert_int_equal(bo_export_artefacts(w->session, &w->database, id, w->folder, &err), BO_EXISTS);
}

#define BOTH(name) WORLD_TEST(name), WORLD_TEST_POSTGRES(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_change_is_told_with_both_images),
        BOTH(the_rows_of_the_point_are_told_as_they_were),
        BOTH(what_others_did_since_leaves_the_change_out),
        BOTH(equal_rows_without_a_key_are_told_apart_by_number),
        BOTH(a_row_without_a_key_that_others_moved_is_the_same_row),
        BOTH(the_spool_of_an_export_does_not_stay),
        BOTH(what_cannot_be_known_is_refused),
        BOTH(artefacts_are_open_files_that_restore_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
