/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_buf.c - the growing buffer. */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "support/unit.h"

static void an_untouched_buffer_is_an_empty_text(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) buf = {0};
    assert_string_equal(bo_buf_str(&buf), "");
    assert_int_equal(bo_buf_check(&buf, NULL), BO_OK);
    bo_buf_add(&buf, NULL, 0);
    bo_buf_add_str(&buf, "");
    bo_buf_clear(&buf);
    assert_string_equal(bo_buf_str(&buf), "");
}

static void additions_are_kept_over_many_growths(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) buf = {0};
    for (unsigned i = 0; i < 100000; i++)
        bo_buf_add_byte(&buf, (uint8_t)(i * 7));
    assert_int_equal(buf.size, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(buf.data[i], (uint8_t)(i * 7));
    assert_int_equal(buf.data[buf.size], 0);
}

static void there_is_always_a_zero_after_the_text(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) buf = {0};
    for (size_t size = 1; size < 300; size++) {
        bo_buf_printf(&buf, "%c", 'a');
        assert_int_equal(strlen(bo_buf_str(&buf)), size);
    }
    bo_buf_clear(&buf);
    bo_buf_add(&buf, "xyz", 3);
    assert_string_equal(bo_buf_str(&buf), "xyz");
}

static void printf_grows_to_what_it_needs(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) buf = {0};
    bo_buf_printf(&buf, "%05000d|%s", 7, "end");
    assert_int_equal(buf.size, 5004);
    assert_string_equal(bo_buf_str(&buf) + 4999, "7|end");
}

static void integers_are_big_endian_and_come_back(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) buf = {0};
    bo_buf_add_u16(&buf, 0x0102);
    bo_buf_add_u32(&buf, 0xfffefdfc);
    bo_buf_add_u64(&buf, 0x8000000000000001u);
    static const uint8_t expected[] = {1, 2, 0xff, 0xfe, 0xfd, 0xfc, 0x80, 0, 0, 0, 0, 0, 0, 1};
    assert_int_equal(buf.size, sizeof expected);
    assert_memory_equal(buf.data, expected, sizeof expected);
    assert_int_equal(bo_get_u16(buf.data), 0x0102);
    assert_int_equal(bo_get_u32(buf.data + 2), 0xfffefdfc);
    assert_true(bo_get_u64(buf.data + 6) == 0x8000000000000001u);
}

static void a_failed_addition_keeps_the_rest_and_is_told_at_the_end(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) buf = {0};
    bo_buf_add_str(&buf, "kept");
    assert_false(bo_buf_reserve(&buf, SIZE_MAX));
    bo_buf_add_str(&buf, "lost");
    bo_buf_printf(&buf, "lost");
    assert_string_equal(bo_buf_str(&buf), "kept");
    bo_error err = {0};
    assert_int_equal(bo_buf_check(&buf, &err), BO_NOMEM);
    assert_string_equal(err.text, "out of memory");
    bo_buf_clear(&buf);
    bo_buf_add_str(&buf, "new");
    assert_string_equal(bo_buf_str(&buf), "new");
}

static void no_size_overflows(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 4, SIZE_MAX / 2, SIZE_MAX / 2 - 4};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        BO_OWN_VALUE(bo_buf) buf = {0};
        bo_buf_add_str(&buf, "text");
        assert_false(bo_buf_reserve(&buf, sizes[i]));
        assert_true(buf.failed);
    }
}

static void a_taken_text_leaves_an_empty_buffer(void **state)
{
    (void)state;
    bo_buf buf = {0};
    bo_buf_add_str(&buf, "mine");
    BO_OWN_MEM char *text = bo_buf_take_str(&buf);
    assert_string_equal(text, "mine");
    assert_null(buf.data);
    assert_int_equal(buf.size + buf.capacity, 0);
    BO_OWN_MEM char *empty = bo_buf_take_str(&buf);
    assert_string_equal(empty, "");
}

static void a_failed_buffer_gives_no_text(void **state)
{
    (void)state;
    bo_buf buf = {0};
    bo_buf_add_str(&buf, "half");
    buf.failed = true;
    assert_null(bo_buf_take_str(&buf));
    assert_null(buf.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untouched_buffer_is_an_empty_text),
        cmocka_unit_test(additions_are_kept_over_many_growths),
        cmocka_unit_test(there_is_always_a_zero_after_the_text),
        cmocka_unit_test(printf_grows_to_what_it_needs),
        cmocka_unit_test(integers_are_big_endian_and_come_back),
        cmocka_unit_test(a_failed_addition_keeps_the_rest_and_is_told_at_the_end),
        cmocka_unit_test(no_size_overflows),
        cmocka_unit_test(a_taken_text_leaves_an_empty_buffer),
        cmocka_unit_test(a_failed_buffer_gives_no_text),
    };
    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
