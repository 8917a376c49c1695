/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/data/test_table.c - a table's definition: lookups, and JSON and back. */
#include <string.h>

#include "definition.h"
#include "support/unit.h"

static void columns_are_found_by_name_and_by_position(void **state)
{
    (void)state;
    definition d;
    definition_fill(&d);
    assert_int_equal(bo_table_column(&d.table, "total"), 2);
    assert_int_equal(bo_table_column(&d.table, "Total"), -1);
    assert_int_equal(bo_table_image_position(&d.table, 3), 2);
    assert_int_equal(bo_table_image_position(&d.table, 2), -1);
}

static void key_positions_are_those_in_the_image(void **state)
{
    (void)state;
    definition d;
    definition_fill(&d);
    uint16_t positions[2];
    d.table.row_key = &d.keys[1];
    assert_int_equal(bo_table_key_positions(&d.table, positions), 2);
    assert_int_equal(positions[0], 0);
    assert_int_equal(positions[1], 2);
    d.key_columns[1] = 2; /* generated: not in the image */
    assert_int_equal(bo_table_key_positions(&d.table, positions), 0);
    d.table.row_key = NULL;
    assert_int_equal(bo_table_key_positions(&d.table, positions), 0);
}

/** What the definition is after a trip through the text of its JSON. */
static const bo_table *travel(const bo_table *table, bo_arena *arena)
{
    json_t *json = bo_table_to_json(table);
    assert_non_null(json);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    assert_non_null(json);
    const bo_table *read = NULL;
    bo_error err = {0};
    bo_status st = bo_table_from_json(json, arena, &read, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(st, BO_OK);
    json_decref(json);
    return read;
}

static void a_definition_is_the_same_after_json_and_back(void **state)
{
    (void)state;
    definition d;
    definition_fill(&d);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const bo_table *read = travel(&d.table, arena);

    json_t *before = bo_table_to_json(&d.table);
    json_t *after = bo_table_to_json(read);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);

    assert_ptr_equal(read->row_key, read->keys);
    assert_int_equal(read->columns[0].identity, 'a');
    assert_int_equal(read->columns[3].type_oid, 4294967295u);
    assert_int_equal(read->columns[2].generated, BO_GENERATED_STORED);
    assert_int_equal(read->encoding, BO_ENCODING_PG_BINARY);
    assert_int_equal(read->keys[1].columns[1], 3);
    assert_int_equal(read->foreign_keys[0].count, 1);
    assert_string_equal(read->foreign_keys[0].parent_columns[0], "id");
    assert_null(read->foreign_keys[0].definition);
    assert_true(read->sequences[0].last_value == INT64_MIN);
    assert_int_equal(read->sequences[0].increment, -1);
    assert_string_equal(read->after[1], "a sentence");
    assert_int_equal(read->partition_count, 0);
}

static void text_that_is_not_utf8_survives(void **state)
{
    (void)state;
    definition d;
    definition_fill(&d);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const bo_table *read = travel(&d.table, arena);
    assert_string_equal(read->columns[1].name, "na\xefve \"x\"");
    assert_string_equal(read->columns[1].default_expr, "'\xff'::text");
}

static void a_table_without_row_key_has_none_afterwards(void **state)
{
    (void)state;
    definition d;
    definition_fill(&d);
    d.table.row_key = NULL;
    d.table.key_count = 0;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    assert_null(travel(&d.table, arena)->row_key);
}

/** Reading `json` fails with BO_CORRUPT and an error that names `member`. */
static void assert_refused(const json_t *json, const char *member)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const bo_table *read = NULL;
    bo_error err = {0};
    assert_int_equal(bo_table_from_json(json, arena, &read, &err), BO_CORRUPT);
    assert_null(read);
    assert_non_null(strstr(err.text, member));
}

static void a_missing_or_wrong_member_is_named(void **state)
{
    (void)state;
    definition d;
    definition_fill(&d);
    json_t *good = bo_table_to_json(&d.table);
    const char *name;
    json_t *value;
    json_object_foreach(good, name, value)
    {
        json_t *bad = json_deep_copy(good);
        char quoted[64];
        (void)snprintf(quoted, sizeof quoted, "'%s'", name);
        json_object_del(bad, name);
        if (strcmp(name, "row_key") != 0) { /* absent: null or wrong, tested below */
            assert_refused(bad, quoted);
        }
        json_object_set_new(bad, name, json_real(1.5));
        assert_refused(bad, quoted);
        json_decref(bad);
    }
    json_decref(good);
}

static void assert_refused_with(const char *path, json_t *replacement, const char *member)
{
    definition d;
    definition_fill(&d);
    json_t *json = bo_table_to_json(&d.table);
    json_t *at = json;
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", path);
    char *rest = NULL;
    char *step = strtok_r(copy, "/", &rest);
    for (char *next; (next = strtok_r(NULL, "/", &rest)); step = next)
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(step)) : json_object_get(at, step);
    if (json_is_array(at))
        json_array_set_new(at, (size_t)atoi(step), replacement);
    else
        json_object_set_new(at, step, replacement);
    assert_refused(json, member);
    json_decref(json);
}

static void positions_that_lead_nowhere_are_refused(void **state)
{
    (void)state;
    assert_refused_with("image_columns/0", json_integer(4), "'image_columns'");
    assert_refused_with("image_columns/0", json_integer(2), "'image_columns'"); /* generated */
    assert_refused_with("image_columns/0", json_integer(1), "'image_columns'"); /* twice */
    assert_refused_with("image_columns/0", json_integer(-1), "'image_columns'");
    assert_refused_with("keys/0/columns/0", json_integer(4), "'keys'");
    assert_refused_with("row_key", json_integer(2), "'row_key'");
    assert_refused_with("row_key", json_integer(-1), "'row_key'");
}

static void lists_that_must_be_of_one_length_are(void **state)
{
    (void)state;
    assert_refused_with("foreign_keys/0/child_columns", json_array(), "'parent_columns'");
    assert_refused_with("foreign_keys/0/parent_columns", json_array(), "'parent_columns'");
}

static void text_with_a_nul_and_words_never_written_are_refused(void **state)
{
    (void)state;
    assert_refused_with("columns/0/name", json_stringn("a\0b", 3), "'name'");
    assert_refused_with("columns/0/name", json_pack("{s:s}", "hex", "610062"), "'name'");
    assert_refused_with("columns/0/name", json_pack("{s:s}", "hex", "6"), "'name'");
    assert_refused_with("columns/0/type", json_null(), "'type'");
    assert_refused_with("columns/0/generated", json_string("sometimes"), "'generated'");
    assert_refused_with("encoding", json_string(""), "'encoding'");
    assert_refused_with("kind", json_string("rr"), "'kind'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name_and_by_position),
        cmocka_unit_test(key_positions_are_those_in_the_image),
        cmocka_unit_test(a_definition_is_the_same_after_json_and_back),
        cmocka_unit_test(text_that_is_not_utf8_survives),
        cmocka_unit_test(a_table_without_row_key_has_none_afterwards),
        cmocka_unit_test(a_missing_or_wrong_member_is_named),
        cmocka_unit_test(positions_that_lead_nowhere_are_refused),
        cmocka_unit_test(lists_that_must_be_of_one_length_are),
        cmocka_unit_test(text_with_a_nul_and_words_never_written_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
