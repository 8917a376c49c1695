/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_error.c - statuses and the text of an error. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "support/unit.h"

static void every_status_has_its_name_in_lower_case(void **state)
{
    (void)state;
#define CHECK_NAME(name, exit_code, meaning)                         \
    {                                                                \
        char lower[] = #name;                                        \
        for (char *p = lower; *p; p++)                               \
            *p = (char)tolower((unsigned char)*p);                   \
        assert_string_equal(bo_status_name(BO_##name), lower);       \
        assert_string_equal(bo_status_meaning(BO_##name), meaning);  \
        assert_int_equal(bo_status_exit_code(BO_##name), exit_code); \
    }
    BO_STATUS_MAP(CHECK_NAME)
}

static void a_number_that_is_no_status_fails_safely(void **state)
{
    (void)state;
    for (int wrong = -1; wrong < 10000; wrong += 10000) {
        assert_string_equal(bo_status_name((bo_status)wrong), "unknown-status");
        assert_string_equal(bo_status_meaning((bo_status)wrong), "not a status");
        assert_int_equal(bo_status_exit_code((bo_status)wrong), 1);
    }
}

static void wrap_puts_context_above_the_cause(void **state)
{
    (void)state;
    bo_error err = {0};
    bo_status st = bo_fail(&err, BO_NOTFOUND, "no such table: %s", "users");
    st = bo_wrap(&err, st, "cannot roll back to '%s'", "before-cleanup");
    assert_int_equal(st, BO_NOTFOUND);
    assert_int_equal(err.status, BO_NOTFOUND);
    assert_string_equal(err.text, "cannot roll back to 'before-cleanup'\nno such table: users");
}

static void detail_puts_a_line_below_the_cause(void **state)
{
    (void)state;
    bo_error err = {0};
    bo_status st = bo_fail(&err, BO_DATABASE, "refused");
    assert_int_equal(bo_detail(&err, st, "key %d is used", 7), BO_DATABASE);
    assert_string_equal(err.text, "refused\nkey 7 is used");
}

static void wrap_of_an_empty_error_is_one_line(void **state)
{
    (void)state;
    bo_error err = {0};
    assert_int_equal(bo_wrap(&err, BO_IO, "no cause"), BO_IO);
    assert_string_equal(err.text, "no cause");
    err = (bo_error){0};
    assert_int_equal(bo_detail(&err, BO_IO, "no cause"), BO_IO);
    assert_string_equal(err.text, "no cause");
}

static void a_new_failure_forgets_the_sqlstate_of_the_last(void **state)
{
    (void)state;
    bo_error err = {.status = BO_DATABASE, .sqlstate = "42P01", .text = "old"};
    bo_fail(&err, BO_IO, "new");
    assert_string_equal(err.sqlstate, "");
    assert_string_equal(err.text, "new");
}

static void context_keeps_the_sqlstate(void **state)
{
    (void)state;
    bo_error err = {.status = BO_DATABASE, .sqlstate = "42P01", .text = "cause"};
    bo_wrap(&err, BO_DATABASE, "context");
    bo_detail(&err, BO_DATABASE, "detail");
    assert_string_equal(err.sqlstate, "42P01");
}

static void an_error_may_be_built_from_its_own_text(void **state)
{
    (void)state;
    bo_error err = {.status = BO_IO, .text = "inner"};
    bo_fail(&err, BO_FAILED, "outer: %s", err.text);
    assert_string_equal(err.text, "outer: inner");
    bo_wrap(&err, BO_FAILED, "again %s", err.text);
    assert_string_equal(err.text, "again outer: inner\nouter: inner");
}

static void errno_becomes_words_after_the_text(void **state)
{
    (void)state;
    bo_error err = {0};
    assert_int_equal(bo_fail_errno(&err, BO_DENIED, EACCES, "cannot open '%s'", "f"), BO_DENIED);
    assert_string_equal(err.text, "cannot open 'f': Permission denied");
}

static void nobody_has_to_want_the_text(void **state)
{
    (void)state;
    assert_int_equal(bo_fail(NULL, BO_IO, "%s", "x"), BO_IO);
    assert_int_equal(bo_fail_errno(NULL, BO_IO, EIO, "%s", "x"), BO_IO);
    assert_int_equal(bo_wrap(NULL, BO_IO, "%s", "x"), BO_IO);
    assert_int_equal(bo_detail(NULL, BO_IO, "%s", "x"), BO_IO);
    assert_int_equal(bo_nomem(NULL), BO_NOMEM);
}

/* Shifts a text of 2-, 3- and 4-byte characters over the cut, byte by byte. */
static void a_cut_never_halves_a_character(void **state)
{
    (void)state;
    static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t c = 0; c < 3; c++) {
        for (int shift = 0; shift < 8; shift++) {
            char text[2048] = "";
            memset(text, 'x', (size_t)shift);
            while (strlen(text) < 1500)
                strcat(text, characters[c]);
            bo_error err = {0};
            bo_fail(&err, BO_IO, "%s", text);
            assert_true(bo_text_is_utf8(err.text, strlen(err.text)));
            assert_in_range(strlen(err.text), sizeof err.text - 4, sizeof err.text - 1);
            bo_fail(&err, BO_IO, "%.600s", "cause");
            bo_wrap(&err, BO_IO, "%s", text);
            assert_true(bo_text_is_utf8(err.text, strlen(err.text)));
            bo_fail(&err, BO_IO, "cause");
            bo_detail(&err, BO_IO, "%s", text);
            assert_true(bo_text_is_utf8(err.text, strlen(err.text)));
            assert_memory_equal(err.text, "cause\n", 6);
        }
    }
}

static void a_whole_character_at_the_cut_stays(void **state)
{
    (void)state;
    bo_error err = {0};
    char text[sizeof err.text + 1];
    memset(text, 'x', sizeof text);
    strcpy(text + sizeof err.text - 4, "\xe2\x82\xac"); /* ends at the last byte */
    bo_fail(&err, BO_IO, "%s", text);
    assert_string_equal(err.text, text);
    strcpy(text + sizeof err.text - 4, "\xe2\x82\xac!");
    bo_fail(&err, BO_IO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_true(bo_text_is_utf8(err.text, strlen(err.text)));
}

static void context_survives_when_the_cause_does_not_fit(void **state)
{
    (void)state;
    bo_error err = {0};
    char text[1000];
    memset(text, 'c', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    bo_fail(&err, BO_IO, "%s", text);
    bo_wrap(&err, BO_IO, "%s", "the context of a cause that fills the error almost");
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_memory_equal(err.text, "the context of a cause that fills the error almost\nccc", 54);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_name_in_lower_case),
        cmocka_unit_test(a_number_that_is_no_status_fails_safely),
        cmocka_unit_test(wrap_puts_context_above_the_cause),
        cmocka_unit_test(detail_puts_a_line_below_the_cause),
        cmocka_unit_test(wrap_of_an_empty_error_is_one_line),
        cmocka_unit_test(a_new_failure_forgets_the_sqlstate_of_the_last),
        cmocka_unit_test(context_keeps_the_sqlstate),
        cmocka_unit_test(an_error_may_be_built_from_its_own_text),
        cmocka_unit_test(errno_becomes_words_after_the_text),
        cmocka_unit_test(nobody_has_to_want_the_text),
        cmocka_unit_test(a_cut_never_halves_a_character),
        cmocka_unit_test(a_whole_character_at_the_cut_stays),
        cmocka_unit_test(context_survives_when_the_cause_does_not_fit),
    };
    return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
