/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/cli/test_report.c - results as JSON and as text. */
#include <locale.h>

#include "base/scope.h"
#include "cli/advice.h"
#include "report/json.h"
#include "report/text.h"
#include "support/unit.h"

static const char *const columns[] = {"price", "na\x1bme"};
static const bo_conflict conflict = {.table = "orders",
    .key = "7",
    .conflict_class = "data",
    .because = "others changed it",
    .column_count = 2,
    .columns = columns};
static const bo_rollback_table table = {.name = "orders", .inserted = 1, .proof = "match"};
static const bo_rollback rollback = {.id = "rb_x",
    .type = "partial",
    .status = "done",
    .inserted = 1,
    .conflict_count = 1,
    .conflict_listed = 1,
    .conflicts = &conflict,
    .proof = "match",
    .undo_point = "rb_undo_x",
    .duration_s = 0.5,
    .table_count = 1,
    .tables = &table};

static void a_rollback_has_the_keys_that_scripts_read(void **state)
{
    (void)state;
    json_t *json = bo_json_rollback(&rollback);
    const char *status, *proof, *undo, *class, *key;
    json_int_t inserted, updated, deleted, lost;
    assert_int_equal(
        json_unpack(json,
            "{s:s, s:s, s:s, s:{s:I, s:I, s:I}, s:[{s:s, s:s, s:s, s:[s, s]}], s:{s:I, s:n}, s:F}",
            "status", &status, "proof", &proof, "undo_point", &undo, "applied", "inserted",
            &inserted, "updated", &updated, "deleted", &deleted, "conflicts", "class", &class,
            "key", &key, "table", &key, "columns", &key, &key, "lost", "rows", &lost, "export",
            "duration_s", &(double){0}),
        0);
    assert_string_equal(status, "done");
    assert_string_equal(undo, "rb_undo_x");
    assert_string_equal(class, "data");
    assert_int_equal(inserted, 1);
    json_decref(json);
}

static void text_cannot_steer_the_terminal(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_text_rollback(&out, &(bo_style){0}, &rollback);
    assert_false(out.failed);
    assert_null(strchr(bo_buf_str(&out), '\x1b'));
    assert_non_null(strstr(bo_buf_str(&out), "price, na\\x1bme"));
    assert_non_null(strstr(bo_buf_str(&out), "backout execute rb_undo_x brings the state before"));
}

static void colours_come_only_when_asked_for(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_text_rollback(&out, &(bo_style){.color = true}, &rollback);
    assert_non_null(strstr(bo_buf_str(&out), "\x1b[32mmatch"));
}

static void wide_tables_are_cut_to_the_terminal(void **state)
{
    (void)state;
    bo_grid_column names[] = {{"Id"}, {"Text", .trim = true}};
    bo_style narrow = {.width = 30};
    BO_OWN(bo_grid) *grid = bo_grid_create(&narrow, names, 2);
    assert_non_null(grid);
    bo_grid_row(grid);
    bo_grid_text(grid, "rb_1234567890");
    bo_grid_text(grid, "\xc3\xa9t\xc3\xa9 and much more than thirty columns of text");
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_grid_print(grid, &out);
    assert_non_null(strstr(bo_buf_str(&out), "rb_1234567890"));
    assert_null(strstr(bo_buf_str(&out), "columns of text"));
}

static void an_error_has_message_causes_and_hint(void **state)
{
    (void)state;
    bo_error err = {.status = BO_NOTFOUND, .text = "cannot return to 'a'\nno such point"};
    BO_OWN_VALUE(bo_buf) advice = {0};
    cli_advice(&advice, &err, NULL);
    json_t *json = bo_json_error(&err, bo_buf_str(&advice));
    const char *status, *message, *because, *hint;
    assert_int_equal(json_unpack(json, "{s:s, s:s, s:[s], s:s}", "status", &status, "message",
                         &message, "because", &because, "hint", &hint),
        0);
    assert_string_equal(status, "notfound");
    assert_string_equal(message, "cannot return to 'a'");
    assert_string_equal(because, "no such point");
    assert_string_equal(hint, "list the points with: backout list --all");
    json_decref(json);
}

static void assert_advice(bo_error error, const char *point, const char *words)
{
    BO_OWN_VALUE(bo_buf) advice = {0};
    cli_advice(&advice, &error, point);
    if (words)
        assert_non_null(strstr(bo_buf_str(&advice), words));
    else
        assert_string_equal(bo_buf_str(&advice), "");
}

static void advice_fits_the_situation(void **state)
{
    (void)state;
    const bo_error wrong = {.status = BO_DATABASE, .sqlstate = "28P01", .text = "x"};
    assert_advice(wrong, NULL, "pgpass");
    const bo_error full = {.status = BO_IO, .text = "cannot write 'f': No space left on device"};
    assert_advice(full, NULL, "prune");
    const bo_error catalog = {.status = BO_IO,
        .text =
            "cannot open the catalog\nthe operating system failed to read or write the database "
            "file: see its log (disk I/O error): No space left on device"};
    assert_advice(catalog, NULL, "a megabyte is enough for 'backout prune'");
    const bo_error changed = {
        .status = BO_CONFLICT, .text = "2 rows were changed since the change"};
    assert_advice(changed, NULL, "backout assess ID");
    assert_advice(changed, "rb_a_20261120_214653", "backout assess rb_a_20261120_214653");
    const bo_error plain = {.status = BO_INVALID, .text = "x"};
    assert_advice(plain, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rollback_has_the_keys_that_scripts_read),
        cmocka_unit_test(text_cannot_steer_the_terminal),
        cmocka_unit_test(colours_come_only_when_asked_for),
        cmocka_unit_test(wide_tables_are_cut_to_the_terminal),
        cmocka_unit_test(an_error_has_message_causes_and_hint),
        cmocka_unit_test(advice_fits_the_situation),
    };
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
