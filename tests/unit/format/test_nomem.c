/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/format/test_nomem.c - every allocation of data/ and format/ fails once. */
#include "support/unit.h"
#include "unit/data/definition.h"
#include "world.h"

static unsigned left; /* allocations until one fails; 0: none fails */
static bool fired;

static bool fails(void)
{
    if (left == 0 || --left > 0)
        return false;
    fired = true;
    return true;
}

/*
 * The linker sends the layers' own calls here (--wrap).  A parser of JSON that has no memory may
 * say that the text is wrong, so jansson's allocations fail only where it writes.
 */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static void arm(unsigned nth)
{
    left = nth;
    fired = false;
}

static void packs(bo_pack_kind kind, const bo_pack_key *key)
{
    for (unsigned nth = 1; nth == 1 || fired; nth++) {
        BO_OWN_VALUE(bo_buf) file = {0};
        bo_error err = {0};
        arm(nth);
        bo_status st = world_pack(&file, kind, key, &err);
        left = 0;
        assert_int_equal(st, fired ? BO_NOMEM : BO_OK);
    }
    BO_OWN_VALUE(bo_buf) file = {0};
    assert_int_equal(world_pack(&file, kind, key, NULL), BO_OK);
    for (unsigned nth = 1; nth == 1 || fired; nth++) {
        bo_error err = {0};
        arm(nth);
        bo_status st = world_read_all(&file, key, &err);
        left = 0;
        assert_int_equal(st, fired ? BO_NOMEM : BO_OK);
    }
}

static void a_pack_is_written_and_read_or_there_was_no_memory(void **state)
{
    (void)state;
    const bo_pack_key key = {.kind = BO_KEY_BYTES};
    packs(BO_PACK_SNAPSHOT, NULL);
    packs(BO_PACK_CHANGESET, &key);
}

static void a_definition_is_read_or_there_was_no_memory(void **state)
{
    (void)state;
    definition d;
    definition_fill(&d);
    json_t *json = bo_table_to_json(&d.table);
    for (unsigned nth = 1; nth == 1 || fired; nth++) {
        const bo_table *read = NULL;
        arm(nth);
        BO_OWN(bo_arena) *arena = bo_arena_create();
        bo_status st = arena ? bo_table_from_json(json, arena, &read, NULL) : BO_NOMEM;
        left = 0;
        assert_int_equal(st, fired ? BO_NOMEM : BO_OK);
        assert_int_equal(read == NULL, fired);
    }
    json_decref(json);
}

static void a_definition_is_written_or_there_was_no_memory(void **state)
{
    (void)state;
    definition d;
    definition_fill(&d);
    json_set_alloc_funcs(__wrap_malloc, free);
    for (unsigned nth = 1; nth == 1 || fired; nth++) {
        arm(nth);
        json_t *json = bo_table_to_json(&d.table);
        left = 0;
        assert_true(json || fired);
        BO_OWN(bo_arena) *arena = bo_arena_create();
        const bo_table *read = NULL;
        if (json)
            assert_int_equal(bo_table_from_json(json, arena, &read, NULL), BO_OK);
        json_decref(json);
    }
    json_set_alloc_funcs(malloc, free);
}

static void two_definitions_are_compared_or_there_was_no_memory(void **state)
{
    (void)state;
    definition was;
    definition now;
    definition_fill(&was);
    definition_fill(&now);
    now.columns[3].type = "text";
    now.foreign_keys[0].deferred = true;
    now.triggers[0].enabled = 'D';
    for (unsigned nth = 1; nth == 1 || fired; nth++) {
        bo_table_change *changes = NULL;
        uint16_t count = 0;
        int *map = NULL;
        arm(nth);
        BO_OWN(bo_arena) *arena = bo_arena_create();
        bo_status st = arena
                           ? bo_table_compare(&was.table, &now.table, arena, &changes, &count, NULL)
                           : BO_NOMEM;
        if (st == BO_OK)
            st = bo_table_map(&was.table, &now.table, arena, &map, NULL);
        left = 0;
        assert_int_equal(st, fired ? BO_NOMEM : BO_OK);
        assert_true(fired || count == 3);
    }
}

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_is_written_and_read_or_there_was_no_memory),
        cmocka_unit_test(a_definition_is_read_or_there_was_no_memory),
        cmocka_unit_test(a_definition_is_written_or_there_was_no_memory),
        cmocka_unit_test(two_definitions_are_compared_or_there_was_no_memory),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
