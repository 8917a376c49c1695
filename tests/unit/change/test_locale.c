/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/change/test_locale.c - in a program whose locale writes 0,5 and takes i and I for two
 * letters (a Turkish one does both).  Its definition is made here: a system need not have any.
 */
#include "world.h"

#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backout/run.h"

#define CHARACTERS                           \
    "<code_set_name> ODD\n<escape_char> /\n" \
    "CHARMAP\n<U0000>..<U007F> /x00 ascii\nEND CHARMAP\n"
#define DEFINITION                                                          \
    "LC_CTYPE\nspace <U0009>..<U000D>;<U0020>\ntoupper (<U006D>,<U004D>)\n" \
    "tolower (<U004D>,<U006D>)\nEND LC_CTYPE\n"                             \
    "LC_NUMERIC\ndecimal_point \"<U002C>\"\nthousands_sep \"\"\ngrouping -1\nEND LC_NUMERIC\n"

static char folder[] = "/tmp/backout-locale-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int enter(void **state)
{
    (void)state;
    char command[256], half[8];
    assert_non_null(mkdtemp(folder));
    put("characters", CHARACTERS);
    put("definition", DEFINITION);
    (void)snprintf(command, sizeof command,
        "cd %s && localedef -c -f ./characters -i ./definition ./odd 2>/dev/null", folder);
    (void)!system(command); /* warns of what is not defined, and fails because of that */
    assert_int_equal(setenv("LOCPATH", folder, 1), 0);
    assert_non_null(setlocale(LC_CTYPE, "odd"));
    assert_non_null(setlocale(LC_NUMERIC, "odd"));
    (void)snprintf(half, sizeof half, "%.1f", 0.5);
    assert_string_equal(half, "0,5");
    assert_int_equal(toupper('i'), 'i');
    return 0;
}

static int leave(void **state)
{
    (void)state;
    char command[128];
    (void)setlocale(LC_ALL, "C");
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void the_end_of_a_transaction_is_seen_in_capitals_and_without(void **state)
{
    static const char *const files[] = {"DELETE FROM log; COMMIT; SELECT 1",
        "delete from log; commit; select 1", "BEGIN; DELETE FROM log; COMMIT",
        "begin; delete from log; commit"};
    world *w = world_or_skip(state);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        bo_error err = {0};
        assert_int_equal(
            bo_sql_execute(&w->database, "run", files[i], strlen(files[i]), true, false, &err),
            BO_REFUSED);
        assert_string_equal(world_value(w, "SELECT count(*) FROM log"), "2");
    }
}

static void changes_are_captured_with_a_lock_timeout_below_a_second(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_scope_item orders = {"orders", NULL};
    const bo_point_options options = {
        .scope = &orders, .scope_count = 1, .method = BO_METHOD_CAPTURE};
    w->database.lock_timeout_ms = 500;
    world_ok(bo_point_create(w->session, &w->database, &options, &points, &err), &err);
    assert_true(bo_point_list_get(points, 0)->tables[0].captured);
    bo_point_list_free(points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_end_of_a_transaction_is_seen_in_capitals_and_without),
        WORLD_TEST(changes_are_captured_with_a_lock_timeout_below_a_second),
        WORLD_TEST_POSTGRES(the_end_of_a_transaction_is_seen_in_capitals_and_without),
        WORLD_TEST_POSTGRES(changes_are_captured_with_a_lock_timeout_below_a_second),
        WORLD_TEST_MARIADB(the_end_of_a_transaction_is_seen_in_capitals_and_without),
        WORLD_TEST_MARIADB(changes_are_captured_with_a_lock_timeout_below_a_second),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
