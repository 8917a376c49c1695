/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_clock.c - clocks, times as text, random names. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

#include "support/unit.h"

static void the_wall_clock_is_the_systems(void **state)
{
    (void)state;
    int64_t seconds = (int64_t)time(NULL);
    int64_t now = bo_clock_now_us() / 1000000;
    assert_in_range(now, seconds - 1, seconds + 2);
}

static void a_pinned_clock_stands_still(void **state)
{
    (void)state;
    bo_clock_pin(1234567);
    assert_int_equal(bo_clock_now_us(), 1234567);
    int64_t before = bo_clock_monotonic_us();
    assert_int_equal(bo_clock_now_us(), 1234567);
    bo_clock_pin(0);
    assert_true(bo_clock_now_us() > 1600000000000000);
    assert_true(bo_clock_monotonic_us() >= before);
}

static void check_format(int64_t time_us, const char *text, const char *compact)
{
    char out[BO_TIME_TEXT_SIZE];
    bo_time_format(time_us, out);
    assert_string_equal(out, text);
    bo_time_compact(time_us, out);
    assert_string_equal(out, compact);
}

static void times_are_written_in_utc(void **state)
{
    (void)state;
    check_format(0, "1970-01-01T00:00:00.000000Z", "19700101_000000");
    check_format(1795148259123456, "2026-11-20T04:17:39.123456Z", "20261120_041739");
    check_format(951782400000001, "2000-02-29T00:00:00.000001Z", "20000229_000000");
    check_format(-1, "1969-12-31T23:59:59.999999Z", "19691231_235959");
}

static void no_time_is_too_long_for_its_text(void **state)
{
    (void)state;
    char out[BO_TIME_TEXT_SIZE];
    bo_time_format(INT64_MIN, out);
    assert_string_equal(out, "-290308-12-21T19:59:05.224192Z");
    bo_time_format(INT64_MAX, out);
    assert_string_equal(out, "294247-01-10T04:00:54.775807Z");
}

static int64_t parsed(const char *text)
{
    int64_t time_us = 0;
    assert_int_equal(bo_time_parse(text, &time_us, NULL), BO_OK);
    return time_us;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const int64_t times[] = {0, -1, 1, 1795148259123456, 951782400000001,
        -30610224000000000 /* year 1000 */, 253402300799999999 /* end of 9999 */};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[BO_TIME_TEXT_SIZE];
        bo_time_format(times[i], text);
        assert_true(parsed(text) == times[i]);
    }
}

static void fractions_and_zones_are_read(void **state)
{
    (void)state;
    assert_true(parsed("2026-11-20T04:17:39Z") == 1795148259000000);
    assert_true(parsed("2026-11-20T04:17:39.5Z") == 1795148259500000);
    assert_true(parsed("2026-11-20T04:17:39.1234567899Z") == 1795148259123456);
    assert_true(parsed("2026-11-20T06:17:39+02:00") == 1795148259000000);
    assert_true(parsed("2026-11-20T00:47:39.25-03:30") == 1795148259250000);
    assert_true(parsed("2026-11-19T23:59:59-00:00") == parsed("2026-11-19T23:59:59Z"));
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "now", "2026-11-20", "2026-11-20T04:17:39",
        "2026-11-20 04:17:39Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z",
        "2026-00-10T00:00:00Z", "2026-13-10T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+2:00",
        "2026-01-01T00:00:00+0200", "2026-01-01T00:00:00+24:00", "2026-1-1T00:00:00Z",
        " 2026-01-01T00:00:00Z", "+026-01-01T00:00:00Z", "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+", "2026-01-01T00:00:00+02", "99999-01-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bo_error err = {0};
        int64_t time_us = 42;
        assert_int_equal(bo_time_parse(wrong[i], &time_us, &err), BO_INVALID);
        assert_int_equal(time_us, 42);
        assert_non_null(strstr(err.text, "is not a time"));
    }
}

static void random_names_are_hex_and_differ(void **state)
{
    (void)state;
    char one[65], two[65];
    memset(one, '#', sizeof one);
    bo_random_hex(one, 32);
    bo_random_hex(two, 32);
    assert_int_equal(strlen(one), 64);
    assert_int_equal(strspn(one, "0123456789abcdef"), 64);
    assert_string_not_equal(one, two);
    memset(one, '#', sizeof one);
    bo_random_hex(one, 3);
    assert_int_equal(strlen(one), 6);
    assert_int_equal(one[7], '#');
    bo_random_hex(one, 0);
    assert_string_equal(one, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_clock_is_the_systems),
        cmocka_unit_test(a_pinned_clock_stands_still),
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(no_time_is_too_long_for_its_text),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(fractions_and_zones_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(random_names_are_hex_and_differ),
    };
    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
