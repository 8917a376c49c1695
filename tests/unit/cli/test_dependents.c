/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/cli/test_dependents.c - dependent transactions as text and as JSON. */
#include "support/unit.h"

#include <locale.h>

#include "report/json.h"
#include "report/text.h"

static const bo_dependent dependents[] = {
    {.parent = SIZE_MAX,
        .transaction = "815",
        .user = "alice",
        .application = "psql",
        .run = "",
        .because = "changed orders 7, and 2 more rows",
        .table = "orders",
        .key = "7",
        .rows = 3},
    {.parent = 0,
        .depth = 1,
        .transaction = "822",
        .user = "bob",
        .application = "app\033[2J",
        .run = "",
        .because = "refers to orders 9 from order_items 31",
        .table = "order_items",
        .key = "31",
        .rows = 1},
    {.parent = 1,
        .depth = 2,
        .transaction = "823",
        .user = "carol",
        .application = "",
        .run = "",
        .because = "changed order_items 31",
        .table = "order_items",
        .key = "31",
        .rows = 1},
    {.parent = SIZE_MAX,
        .transaction = "",
        .user = "",
        .application = "",
        .run = "",
        .because = "changed orders 8",
        .table = "orders",
        .key = "8",
        .rows = 1},
};

static const bo_rollback rollback = {
    .id = "rb_shop",
    .type = "partial",
    .status = "planned",
    .proof = "",
    .plan_digest = "",
    .dependent_count = 9,
    .dependent_listed = 4,
    .dependents = dependents,
};

static void dependents_are_drawn_under_what_they_depend_on(void **state)
{
    (void)state;
    const bo_style style = {.width = 0};
    BO_OWN_VALUE(bo_buf) text = {0};
    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
    bo_text_rollback(&text, &style, &rollback);
    assert_non_null(strstr(bo_buf_str(&text),
        "used since by\n"
        "rb_shop (the change)\n"
        "├─transaction 815 of alice (psql): changed orders 7, and 2 more rows\n"
        "│ └─transaction 822 of bob (app\\x1b[2J): refers to orders 9 from order_items 31\n"
        "│   └─transaction 823 of carol: changed order_items 31\n"
        "└─changed orders 8\n"
        "  ... and 5 more dependents (--output json lists more)\n"));
}

static void dependents_are_nested_in_json(void **state)
{
    (void)state;
    json_t *whole = bo_json_rollback(&rollback);
    const json_t *top = json_object_get(whole, "dependents");
    assert_int_equal(json_integer_value(json_object_get(whole, "dependent_count")), 9);
    assert_int_equal(json_array_size(top), 2);
    const json_t *first = json_array_get(top, 0);
    assert_string_equal(json_string_value(json_object_get(first, "transaction")), "815");
    assert_int_equal(json_integer_value(json_object_get(first, "rows")), 3);
    assert_true(json_is_false(json_object_get(first, "undone")));
    const json_t *second = json_array_get(json_object_get(first, "dependents"), 0);
    assert_string_equal(json_string_value(json_object_get(second, "user")), "bob");
    const json_t *third = json_array_get(json_object_get(second, "dependents"), 0);
    assert_string_equal(
        json_string_value(json_object_get(third, "because")), "changed order_items 31");
    assert_int_equal(json_array_size(json_object_get(third, "dependents")), 0);
    json_decref(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dependents_are_drawn_under_what_they_depend_on),
        cmocka_unit_test(dependents_are_nested_in_json),
    };
    return cmocka_run_group_tests_name("dependents in reports", tests, NULL, NULL);
}
