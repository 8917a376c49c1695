/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_text.c - text that is safe to show, hex, names for files. */
#include "base/text.h"

#include <ctype.h>
#include <string.h>

#include "base/scope.h"
#include "support/unit.h"

static void check_escape(const char *text, size_t size, const char *expected)
{
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_text_escape(&out, text, size);
    assert_string_equal(bo_buf_str(&out), expected);
    assert_true(bo_text_is_utf8(out.data, out.size));
}
#define CHECK_ESCAPE(text, expected) check_escape(text, sizeof text - 1, expected)

static void ordinary_text_stays_as_it_is(void **state)
{
    (void)state;
    CHECK_ESCAPE("", "");
    CHECK_ESCAPE("plain 'quoted' \\ 100%", "plain 'quoted' \\ 100%");
    CHECK_ESCAPE("\xc3\xa9t\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80",
        "\xc3\xa9t\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80");
    CHECK_ESCAPE("\xd7\xa2\xd7\x91 \xd8\xb9\xd8\xb1", "\xd7\xa2\xd7\x91 \xd8\xb9\xd8\xb1");
}

static void control_characters_cannot_reach_the_terminal(void **state)
{
    (void)state;
    CHECK_ESCAPE("a\nb\tc\rd", "a\\nb\\tc\\rd");
    CHECK_ESCAPE("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07");
    CHECK_ESCAPE("a\0b\x7f", "a\\x00b\\x7f");
    CHECK_ESCAPE("\xc2\x9b\x32J\xc2\x85", "\\u009b2J\\u0085"); /* C1: CSI, next line */
}

static void writing_direction_and_lines_cannot_be_turned(void **state)
{
    (void)state;
    CHECK_ESCAPE("\xe2\x80\xaegnp.exe", "\\u202egnp.exe");
    CHECK_ESCAPE("\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069");
    CHECK_ESCAPE("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "\\u061c\\u200e\\u200f");
    CHECK_ESCAPE("a\xe2\x80\xa8\x62\xe2\x80\xa9", "a\\u2028b\\u2029");
    CHECK_ESCAPE("\xe2\x80\xa7\xe2\x80\xaf", "\xe2\x80\xa7\xe2\x80\xaf"); /* their neighbours */
}

static void invalid_utf8_becomes_bytes(void **state)
{
    (void)state;
    CHECK_ESCAPE("\xff\xfe", "\\xff\\xfe");
    CHECK_ESCAPE("\xc3", "\\xc3"); /* cut */
    CHECK_ESCAPE("\xe2\x82"
                 "x",
        "\\xe2\\x82x");                                       /* cut before x */
    CHECK_ESCAPE("\xf0\x9f\x98", "\\xf0\\x9f\\x98");          /* cut at the end */
    CHECK_ESCAPE("\xc0\xaf", "\\xc0\\xaf");                   /* overlong '/' */
    CHECK_ESCAPE("\xe0\x80\xaf", "\\xe0\\x80\\xaf");          /* overlong '/' */
    CHECK_ESCAPE("\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b"); /* overlong CSI */
    CHECK_ESCAPE("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* surrogate */
    CHECK_ESCAPE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* over U+10FFFF */
    CHECK_ESCAPE("\x80", "\\x80");
}

static void every_pair_of_bytes_comes_out_as_safe_utf8(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 65536; pair++) {
        char text[2] = {(char)(pair >> 8), (char)pair};
        BO_OWN_VALUE(bo_buf) out = {0};
        bo_text_escape(&out, text, sizeof text);
        assert_true(bo_text_is_utf8(out.data, out.size));
        for (size_t i = 0; i < out.size; i++)
            assert_true(out.data[i] >= 0x20 && out.data[i] != 0x7f);
    }
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    assert_true(bo_text_is_utf8("", 0));
    assert_true(bo_text_is_utf8("a\0b", 3));
    assert_true(bo_text_is_utf8("\xf4\x8f\xbf\xbf", 4));
    assert_true(bo_text_is_utf8("\xed\x9f\xbf\xee\x80\x80", 6));
    assert_false(bo_text_is_utf8("\xf4\x90\x80\x80", 4));
    assert_false(bo_text_is_utf8("\xc1\xbf", 2));
    assert_false(bo_text_is_utf8("caf\xe9", 4));
    assert_false(bo_text_is_utf8("\xe2\x82\xac", 2));
}

static void hex_goes_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    BO_OWN_VALUE(bo_buf) hex = {0}, back = {0};
    bo_text_hex(&hex, bytes, sizeof bytes);
    assert_int_equal(hex.size, 512);
    assert_memory_equal(hex.data + 2 * 0xab, "ab", 2);
    assert_true(bo_text_unhex(&back, bo_buf_str(&hex), hex.size));
    assert_int_equal(back.size, sizeof bytes);
    assert_memory_equal(back.data, bytes, sizeof bytes);
    bo_buf_clear(&back);
    assert_true(bo_text_unhex(&back, "AbCd", 4));
    assert_memory_equal(back.data, "\xab\xcd", 2);
}

static void what_is_not_hex_adds_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a", "abc", "0g", "g0", "0x12", "12 4", "ab\xff\x30"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        BO_OWN_VALUE(bo_buf) out = {0};
        bo_buf_add_str(&out, "kept");
        assert_false(bo_text_unhex(&out, wrong[i], strlen(wrong[i])));
        assert_string_equal(bo_buf_str(&out), "kept");
    }
}

static void a_prefix_is_found_only_at_the_beginning(void **state)
{
    (void)state;
    assert_true(bo_text_starts("sqlite:shop.db", "sqlite:"));
    assert_true(bo_text_starts("x", ""));
    assert_false(bo_text_starts("sqlit", "sqlite:"));
    assert_false(bo_text_starts("a sqlite:", "sqlite:"));
}

static void check_slug(const char *text, size_t limit, const char *expected)
{
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_text_slug(&out, text, limit);
    assert_string_equal(bo_buf_str(&out), expected);
}

static void a_slug_is_safe_as_a_file_name(void **state)
{
    (void)state;
    check_slug("migration_001.v2-b", 64, "migration_001.v2-b");
    check_slug("../../etc/passwd", 64, "_._.._etc_passwd");
    check_slug("..", 64, "_.");
    check_slug("-rf *", 64, "_rf__");
    check_slug("\xc3\xa9 \n$(x)", 64, "______x_");
    check_slug("abcdef", 3, "abc");
    check_slug("", 3, "");
}

static void an_error_of_several_layers_is_one_line(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_text_one_line(&out, "");
    assert_string_equal(bo_buf_str(&out), "");
    bo_text_one_line(&out, "cannot read t\nno such table\n");
    assert_string_equal(bo_buf_str(&out), "cannot read t: no such table: ");
}

static void numbers_are_said_in_words(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_text_count(&out, 1, "row", "rows");
    bo_buf_add_str(&out, " ");
    bo_text_count(&out, 0, "row", "rows");
    bo_buf_add_str(&out, " ");
    bo_text_bytes(&out, 3565158);
    assert_string_equal(bo_buf_str(&out), "1 row 0 rows 3.4 MiB");
}

static void classes_of_bytes_are_those_of_ascii(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        const char c = (char)byte;
        bool ascii = byte < 128; /* and there as in the locale "C", which the tests are in */
        assert_int_equal(bo_text_is_digit(c), ascii && isdigit(byte) != 0);
        assert_int_equal(bo_text_is_alnum(c), ascii && isalnum(byte) != 0);
        assert_int_equal(bo_text_is_space(c), ascii && isspace(byte) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_text_stays_as_it_is),
        cmocka_unit_test(control_characters_cannot_reach_the_terminal),
        cmocka_unit_test(writing_direction_and_lines_cannot_be_turned),
        cmocka_unit_test(invalid_utf8_becomes_bytes),
        cmocka_unit_test(every_pair_of_bytes_comes_out_as_safe_utf8),
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(what_is_not_hex_adds_nothing),
        cmocka_unit_test(a_prefix_is_found_only_at_the_beginning),
        cmocka_unit_test(a_slug_is_safe_as_a_file_name),
        cmocka_unit_test(numbers_are_said_in_words),
        cmocka_unit_test(an_error_of_several_layers_is_one_line),
        cmocka_unit_test(classes_of_bytes_are_those_of_ascii),
    };
    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
