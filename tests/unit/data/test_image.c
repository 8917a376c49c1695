/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/data/test_image.c - writing, checking and taking apart images. */
#include <string.h>

#include "base/scope.h"
#include "data/image.h"
#include "support/unit.h"

/** (NULL, "", "abc") */
static void make_row(bo_buf *out)
{
    bo_image_begin(out, 3);
    bo_image_add_null(out);
    bo_image_add(out, NULL, 0);
    bo_image_add(out, "abc", 3);
    assert_false(out->failed);
}

static bo_image image_of(const bo_buf *buf)
{
    return (bo_image){buf->data, buf->size};
}

static void an_image_has_the_framing_of_copy_binary(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) row = {0};
    make_row(&row);
    static const uint8_t expected[] = "\0\3\xff\xff\xff\xff\0\0\0\0\0\0\0\3"
                                      "abc";
    assert_int_equal(row.size, sizeof expected - 1);
    assert_memory_equal(row.data, expected, row.size);
}

static void values_come_back_as_they_were_added(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) row = {0};
    make_row(&row);
    bo_value values[3];
    assert_int_equal(bo_image_count(image_of(&row)), 3);
    bo_image_values(image_of(&row), values);
    assert_int_equal(values[0].size, -1);
    assert_int_equal(values[1].size, 0);
    assert_int_equal(values[2].size, 3);
    assert_memory_equal(values[2].data, "abc", 3);
    for (uint16_t i = 0; i < 3; i++)
        assert_true(bo_value_equal(values[i], bo_image_value(image_of(&row), i)));
}

static void null_and_empty_are_different_values(void **state)
{
    (void)state;
    bo_value null = {NULL, -1};
    bo_value empty = {(const uint8_t *)"", 0};
    assert_false(bo_value_equal(null, empty));
    assert_true(bo_value_equal(null, null));
    assert_true(bo_value_equal(empty, empty));
}

static void measure_accepts_the_image_and_ignores_what_follows(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) row = {0};
    make_row(&row);
    size_t size = row.size;
    bo_buf_add_str(&row, "next");
    size_t measured = 0;
    assert_int_equal(bo_image_measure(image_of(&row), &measured, NULL), BO_OK);
    assert_int_equal(measured, size);
}

static void measure_refuses_an_image_cut_anywhere(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) row = {0};
    make_row(&row);
    for (size_t size = 0; size < row.size; size++) {
        size_t measured = 77;
        bo_error err = {0};
        bo_span cut = {row.data, size};
        assert_int_equal(bo_image_measure(cut, &measured, &err), BO_CORRUPT);
        assert_int_equal(measured, 77);
        assert_non_null(strstr(err.text, "cut short"));
    }
}

static void measure_refuses_negative_lengths_and_too_many_values(void **state)
{
    (void)state;
    size_t measured = 0;
    bo_error err = {0};
    bo_span negative = {(const uint8_t *)"\0\1\xff\xff\xff\xfe", 6};
    assert_int_equal(bo_image_measure(negative, &measured, &err), BO_CORRUPT);
    assert_string_equal(err.text, "value 1 of an image has a negative length");
    bo_span end_of_copy = {(const uint8_t *)"\xff\xff", 2};
    assert_int_equal(bo_image_measure(end_of_copy, &measured, &err), BO_CORRUPT);
    assert_string_equal(err.text, "an image has 65535 values, more than 4096");
}

static void an_absent_image_equals_only_an_absent_one(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) row = {0};
    bo_image_begin(&row, 0);
    bo_image none = {NULL, 0};
    assert_true(bo_image_equal(none, none));
    assert_false(bo_image_equal(none, image_of(&row)));
    assert_true(bo_image_equal(image_of(&row), image_of(&row)));
}

static void project_takes_columns_in_the_order_asked_for(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) row = {0};
    BO_OWN_VALUE(bo_buf) key = {0};
    BO_OWN_VALUE(bo_buf) expected = {0};
    make_row(&row);
    bo_image_begin(&expected, 2);
    bo_image_add(&expected, "abc", 3);
    bo_image_add_null(&expected);
    static const uint16_t columns[] = {2, 0};
    bo_image_project(&key, image_of(&row), columns, 2);
    assert_true(bo_image_equal(image_of(&key), image_of(&expected)));
}

static void spans_are_ordered_by_bytes_then_length(void **state)
{
    (void)state;
    bo_span a = {(const uint8_t *)"a", 1};
    bo_span ab = {(const uint8_t *)"ab", 2};
    bo_span high = {(const uint8_t *)"\xff", 1};
    bo_span none = {NULL, 0};
    assert_true(bo_span_compare(a, ab) < 0);
    assert_true(bo_span_compare(ab, a) > 0);
    assert_true(bo_span_compare(high, ab) > 0);
    assert_true(bo_span_compare(none, a) < 0);
    assert_int_equal(bo_span_compare(none, none), 0);
    assert_int_equal(bo_span_compare(ab, ab), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_has_the_framing_of_copy_binary),
        cmocka_unit_test(values_come_back_as_they_were_added),
        cmocka_unit_test(null_and_empty_are_different_values),
        cmocka_unit_test(measure_accepts_the_image_and_ignores_what_follows),
        cmocka_unit_test(measure_refuses_an_image_cut_anywhere),
        cmocka_unit_test(measure_refuses_negative_lengths_and_too_many_values),
        cmocka_unit_test(an_absent_image_equals_only_an_absent_one),
        cmocka_unit_test(project_takes_columns_in_the_order_asked_for),
        cmocka_unit_test(spans_are_ordered_by_bytes_then_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
