/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdlib.h>

#include "support/fault_memory.h"
#include "support/unit.h"

static json_t *example(void)
{
    json_t *inner = json_pack("{s:s, s:i, s:[s, n, b]}", "name", "o'clock \"six\" \xc3\xa4", "rows",
        7, "reasons", "a long enough line to need more memory than there is at first", 1);
    json_t *json = json_pack("{s:o, s:{}, s:f}", "table", inner, "empty", "seconds", 0.5);
    assert_non_null(json);
    return json;
}

static void text_reads_back_as_the_same_value(void **state)
{
    (void)state;
    json_t *json = example();
    char *text = bo_json_dump(json, JSON_COMPACT);
    assert_non_null(text);
    json_t *again = json_loads(text, 0, NULL);
    assert_true(json_equal(json, again));
    json_decref(again);
    json_decref(json);
    free(text);
}

static void nothing_has_no_text(void **state)
{
    (void)state;
    json_t *json = json_array();
    char *text = bo_json_dump(json, 0);
    assert_string_equal(text, "[]");
    assert_null(bo_json_dump(NULL, 0));
    json_decref(json);
    free(text);
}

static void without_memory_there_is_no_text_rather_than_a_part_of_it(void **state)
{
    (void)state;
    json_t *json = example();
    char *whole = bo_json_dump(json, JSON_COMPACT | JSON_SORT_KEYS);
    assert_non_null(whole);
    bool fired = true;
    for (unsigned nth = 1; fired; nth++) {
        fault_memory_arm(nth);
        char *text = bo_json_dump(json, JSON_COMPACT | JSON_SORT_KEYS);
        fired = fault_memory_fired();
        if (text)
            assert_string_equal(text, whole);
        assert_true(fired || text);
        free(text);
    }
    free(whole);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_reads_back_as_the_same_value),
        cmocka_unit_test(nothing_has_no_text),
        cmocka_unit_test(without_memory_there_is_no_text_rather_than_a_part_of_it),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
