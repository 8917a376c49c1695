/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/data/test_table_compare.c - what happened to a definition since, and what blocks. */
#include <stdio.h>
#include <string.h>

#include "definition.h"
#include "support/unit.h"

typedef struct pair {
    definition was;
    definition now;
} pair;

static int set_up(void **state)
{
    static pair p;
    definition_fill(&p.was);
    definition_fill(&p.now);
    *state = &p;
    return 0;
}

/** The changes, one line each: what, '!' if it blocks, name, was, now. */
static void assert_changes(const pair *p, const char *expected)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_VALUE(bo_buf) lines = {0};
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    assert_int_equal(
        bo_table_compare(&p->was.table, &p->now.table, arena, &changes, &count, NULL), BO_OK);
    for (uint16_t i = 0; i < count; i++)
        bo_buf_printf(&lines, "%c%s %s: %s -> %s\n", changes[i].what, changes[i].blocks ? "!" : "",
            changes[i].name, changes[i].was ? changes[i].was : "none",
            changes[i].now ? changes[i].now : "none");
    assert_string_equal(bo_buf_str(&lines), expected);
}

static void equal_definitions_have_no_changes(void **state)
{
    assert_changes(*state, "");
}

static void a_dropped_column_of_the_image_blocks(void **state)
{
    pair *p = *state;
    p->was.columns[3].name = "gone";
    p->was.columns[2].name = "computed";
    assert_changes(p, "- computed: numeric(12,2) -> none\n-! gone: integer -> none\n"
                      "+ total: none -> numeric(12,2)\n+ owner: none -> integer\n"
                      "k u: UNIQUE NULLS NOT DISTINCT (id, gone) -> UNIQUE NULLS NOT DISTINCT "
                      "(id, owner)\n");
}

static void an_added_column_blocks_only_if_it_needs_a_value(void **state)
{
    pair *p = *state;
    p->was.table.column_count = 3;
    p->was.table.key_count = p->now.table.key_count = 1;
    p->now.columns[3].not_null = true;
    assert_changes(p, "+! owner: none -> integer\n");
    p->now.columns[3].default_expr = "0";
    assert_changes(p, "+ owner: none -> integer\n");
    p->now.columns[3].default_expr = NULL;
    p->now.columns[3].identity = 'd';
    assert_changes(p, "+ owner: none -> integer\n");
}

static void another_type_blocks_except_in_sqlite(void **state)
{
    pair *p = *state;
    p->now.columns[3].type = "text";
    assert_changes(p, "t! owner: integer -> text\n");
    p->was.table.encoding = p->now.table.encoding = BO_ENCODING_SQLITE;
    assert_changes(p, "t owner: integer -> text\n");
}

static void a_column_that_is_generated_now_blocks(void **state)
{
    pair *p = *state;
    p->now.columns[3].in_image = false;
    p->now.columns[3].generated = BO_GENERATED_STORED;
    p->now.columns[3].default_expr = "id";
    assert_changes(p, "d! owner: none -> GENERATED ALWAYS AS (id) STORED\n");
}

static void defaults_nullability_and_collation_do_not_block(void **state)
{
    pair *p = *state;
    p->now.columns[3].default_expr = "1";
    p->now.columns[3].not_null = true;
    p->now.columns[3].collation = "C";
    assert_changes(p, "t owner: none -> C\nn owner: NULL -> NOT NULL\nd owner: none -> 1\n");
}

static void another_character_set_of_mariadb_blocks(void **state)
{
    pair *p = *state;
    static const struct {
        const char *was, *now, *change;
    } cases[] = {{"latin1_swedish_ci", "utf8mb4_general_ci", "t!"},
        {"latin1_swedish_ci", "latin1_bin", "t"}, {"utf8mb3_bin", "utf8mb4_bin", "t"},
        {"utf8mb4_bin", "utf16_bin", "t!"}, {"latin1_bin", "latin2_bin", "t!"}};
    p->was.table.encoding = p->now.table.encoding = BO_ENCODING_MARIADB;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[128];
        p->was.columns[3].collation = cases[i].was;
        p->now.columns[3].collation = cases[i].now;
        (void)snprintf(expected, sizeof expected, "%s owner: %s -> %s\n", cases[i].change,
            cases[i].was, cases[i].now);
        assert_changes(p, expected);
    }
}

static void other_columns_in_the_row_key_block(void **state)
{
    pair *p = *state;
    p->now.keys[0].columns = &p->now.key_columns[1];
    assert_changes(p, "k! orders_pkey: (id) -> (owner)\n");
    p->now.table.row_key = NULL;
    p->now.table.key_count = 0;
    assert_changes(p, "k! orders_pkey: (id) -> none\n"
                      "k u: UNIQUE NULLS NOT DISTINCT (id, owner) -> none\n");
}

static void a_row_key_that_came_is_told_once(void **state)
{
    pair *p = *state;
    p->was.table.row_key = NULL;
    p->was.table.keys = &p->was.keys[1];
    p->was.table.key_count = 1;
    assert_changes(p, "k orders_pkey: none -> (id)\n");
}

static void a_new_name_of_the_row_key_does_not_block(void **state)
{
    pair *p = *state;
    p->now.keys[0].name = "pk";
    assert_changes(p, "k orders_pkey: PRIMARY KEY (id) -> none\nk pk: none -> PRIMARY KEY (id)\n");
}

static void foreign_keys_triggers_checks_and_indexes_do_not_block(void **state)
{
    pair *p = *state;
    p->now.foreign_keys[0].deferred = true;
    p->now.triggers[0].enabled = 'D';
    p->now.checks[0].definition = "CHECK (id > 1)";
    p->now.table.index_count = 0;
    assert_changes(p,
        "f fk: FOREIGN KEY (owner) REFERENCES owners(id) ON DELETE CASCADE DEFERRABLE -> "
        "FOREIGN KEY (owner) REFERENCES owners(id) ON DELETE CASCADE DEFERRABLE INITIALLY "
        "DEFERRED\n"
        "g trg: CREATE TRIGGER trg ... -> CREATE TRIGGER trg ... (disabled)\n"
        "c ck: CHECK (id > 0) -> CHECK (id > 1)\n"
        "i ix: CREATE INDEX ix ... -> none\n");
}

static void rows_are_mapped_by_name(void **state)
{
    pair *p = *state;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    bo_column moved = p->now.columns[0];
    p->now.columns[0] = p->now.columns[3];
    p->now.columns[3] = moved;
    p->was.columns[1].name = "gone";
    int *map = NULL;
    assert_int_equal(bo_table_map(&p->was.table, &p->now.table, arena, &map, NULL), BO_OK);
    assert_int_equal(map[0], 3);
    assert_int_equal(map[1], -1);
    assert_int_equal(map[2], 0);
    p->now.columns[0].in_image = false;
    assert_int_equal(bo_table_map(&p->was.table, &p->now.table, arena, &map, NULL), BO_OK);
    assert_int_equal(map[2], -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(equal_definitions_have_no_changes),
        TEST(a_dropped_column_of_the_image_blocks),
        TEST(an_added_column_blocks_only_if_it_needs_a_value),
        TEST(another_type_blocks_except_in_sqlite),
        TEST(a_column_that_is_generated_now_blocks),
        TEST(defaults_nullability_and_collation_do_not_block),
        TEST(another_character_set_of_mariadb_blocks),
        TEST(other_columns_in_the_row_key_block),
        TEST(a_row_key_that_came_is_told_once),
        TEST(a_new_name_of_the_row_key_does_not_block),
        TEST(foreign_keys_triggers_checks_and_indexes_do_not_block),
        TEST(rows_are_mapped_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
