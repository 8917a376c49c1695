/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/driver/test_mariadb_split.c - SQL files as the mariadb client reads them. */
#include "support/unit.h"

#include <string.h>

#include "driver/mariadb/my.h"

/* "line:statement|line:statement|", as it is split. */
static void check(const char *sql, bool no_backslash, const char *wanted)
{
    BO_OWN_VALUE(bo_buf) got = {0};
    my_splitter split = {.at = sql, .end = sql + strlen(sql), .no_backslash = no_backslash};
    my_piece piece;
    while (my_split(&split, &piece))
        bo_buf_printf(&got, "%u:%.*s|", piece.line, (int)piece.size, piece.text);
    if (strcmp(bo_buf_str(&got), wanted) != 0)
        fail_msg("[%s]: %s", sql, bo_buf_str(&got));
}

static void statements_end_at_semicolons(void **state)
{
    (void)state;
    check("", false, "");
    check(" \n;;\n ; ", false, "");
    check("SELECT 1", false, "1:SELECT 1|");
    check("a; b;\n\nc;", false, "1:a|1:b|3:c|");
    check("a\\G b\\g\nc", false, "1:a|1:b|2:c|");
}

static void quoted_text_hides_them(void **state)
{
    (void)state;
    check("a ';' \";\" `;`; b", false, "1:a ';' \";\" `;`|1:b|");
    check("a 'it''s;' ; b", false, "1:a 'it''s;' |1:b|");
    check("a '\\';' ; b", false, "1:a '\\';' |1:b|");
    check("a '\\'; b", true, "1:a '\\'|1:b|");
    check("a `\\`; b", false, "1:a `\\`|1:b|");
    check("a 'never closed; b", false, "1:a 'never closed; b|");
}

static void comments_hide_them(void **state)
{
    (void)state;
    check("-- one;\na; # two;\n/* three; */ b /* ; */; c -- d;\n;", false,
        "2:a|3:b /* ; */|3:c -- d;\n|");
    check("a --1; b", false, "1:a --1|1:b|"); /* no comment without a blank */
    check(
        "/*!50003 CREATE; */; /*M!100401 b */", false, "1:/*!50003 CREATE; */|1:/*M!100401 b */|");
    check("/* open; a", false, "");
}

static void delimiter_is_a_command_of_the_client(void **state)
{
    (void)state;
    check("a;\nDELIMITER //\nb; c //\ndelimiter ;\nd;", false, "1:a|3:b; c |5:d|");
    check("delimiter $$ \nBEGIN x; END$$\nb$$", false, "2:BEGIN x; END|3:b|");
    check("SELECT delimiter; b", false, "1:SELECT delimiter|1:b|");
    check("DELIMITERS; b", false, "1:DELIMITERS|1:b|");
}

static void words_are_found_past_comments(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *first, *second;
    } cases[] = {{"drop table t", "DROP", "TABLE"},
        {"/* a */ -- b\n drop # c\nTABLE", "DROP", "TABLE"},
        {"/*!40101 SET NAMES utf8 */", "SET", "NAMES"}, {"/*M!100401 begin*/", "BEGIN", "*"},
        {"(SELECT 1)", "(", "SELECT"}, {"", "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char first[32], second[32];
        const char *end = cases[i].sql + strlen(cases[i].sql);
        (void)my_next_word(my_next_word(cases[i].sql, end, first), end, second);
        assert_string_equal(first, cases[i].first);
        assert_string_equal(second, cases[i].second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_end_at_semicolons),
        cmocka_unit_test(quoted_text_hides_them),
        cmocka_unit_test(comments_hide_them),
        cmocka_unit_test(delimiter_is_a_command_of_the_client),
        cmocka_unit_test(words_are_found_past_comments),
    };
    return cmocka_run_group_tests_name("mariadb_split", tests, NULL, NULL);
}
