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
        cmocka_unit_test(random_names_are_hex_and_differ),
    };
    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
