/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_arena.c - objects that are freed together. */
#include "base/arena.h"

#include <string.h>

#include "support/unit.h"

static void objects_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    unsigned char *last = NULL;
    for (size_t size = 1; size < 3000; size += 7) {
        unsigned char *object = bo_arena_alloc(arena, size);
        assert_non_null(object);
        assert_int_equal((uintptr_t)object % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(object[i], 0);
        memset(object, 0xff, size); /* the next one is zeroed all the same */
        if (last)
            assert_int_equal(*last, 0xff);
        last = object;
    }
}

static void a_large_object_does_not_waste_the_block(void **state)
{
    (void)state;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    char *before = bo_arena_alloc(arena, 16);
    assert_non_null(bo_arena_alloc(arena, 1u << 20));
    char *after = bo_arena_alloc(arena, 16);
    assert_ptr_equal(after, before + 16);
}

static void the_first_object_may_be_large(void **state)
{
    (void)state;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    char *large = bo_arena_alloc(arena, 100000);
    memset(large, 1, 100000);
    char *small = bo_arena_alloc(arena, 10);
    assert_int_equal(small[0], 0);
    assert_int_equal(large[99999], 1);
}

static void texts_are_copies(void **state)
{
    (void)state;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    char text[] = "original";
    char *copy = bo_arena_str(arena, text);
    char *part = bo_arena_strn(arena, text, 4);
    text[0] = 'X';
    assert_string_equal(copy, "original");
    assert_string_equal(part, "orig");
    assert_string_equal(bo_arena_strn(arena, NULL, 0), "");
    assert_string_equal(bo_arena_printf(arena, "%s=%d", "a", 7), "a=7");
    assert_null(bo_arena_str(arena, NULL));
}

static void impossible_sizes_are_no_memory(void **state)
{
    (void)state;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    assert_null(bo_arena_alloc(arena, SIZE_MAX));
    assert_null(bo_arena_alloc(arena, SIZE_MAX / 2 + 1));
    assert_null(bo_arena_array(arena, SIZE_MAX / 4, 8));
    assert_null(bo_arena_array(arena, SIZE_MAX, SIZE_MAX));
    assert_null(bo_arena_strn(arena, "x", SIZE_MAX));
    assert_non_null(bo_arena_array(arena, 0, 8));
}

static void an_array_grows_and_keeps_its_elements(void **state)
{
    (void)state;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    int *items = NULL;
    for (int i = 0; i < 5000; i++) {
        items = bo_arena_grow(arena, items, (size_t)i, sizeof *items);
        assert_non_null(items);
        items[i] = i;
    }
    for (int i = 0; i < 5000; i++)
        assert_int_equal(items[i], i);
}

static void an_array_moves_only_at_powers_of_two(void **state)
{
    (void)state;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    int *items = bo_arena_grow(arena, NULL, 0, sizeof *items);
    items = bo_arena_grow(arena, items, 1, sizeof *items);
    items = bo_arena_grow(arena, items, 2, sizeof *items);
    assert_ptr_equal(bo_arena_grow(arena, items, 3, sizeof *items), items);
    assert_ptr_not_equal(bo_arena_grow(arena, items, 4, sizeof *items), items);
    assert_null(bo_arena_grow(arena, items, SIZE_MAX / 2 + 1, 1));
}

static void texts_are_listed_as_they_come(void **state)
{
    (void)state;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    bo_texts texts = {.arena = arena};
    assert_false(bo_texts_have(&texts, "", 0));
    assert_int_equal(bo_texts_add(&texts, "orders, items", 6, NULL), BO_OK);
    assert_int_equal(bo_texts_add(&texts, "ord", 3, NULL), BO_OK);
    assert_int_equal(bo_texts_add(&texts, "", 0, NULL), BO_OK);
    assert_int_equal(texts.count, 3);
    assert_string_equal(texts.items[0], "orders");
    assert_string_equal(texts.items[1], "ord");
    assert_string_equal(texts.items[2], "");
    assert_true(bo_texts_have(&texts, "orders, items", 6));
    assert_true(bo_texts_have(&texts, "", 0));
    assert_false(bo_texts_have(&texts, "orders", 5));
    assert_false(bo_texts_have(&texts, "orders, items", 7));
}

static void freeing_nothing_is_nothing(void **state)
{
    (void)state;
    bo_arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_aligned_zeroed_and_apart),
        cmocka_unit_test(a_large_object_does_not_waste_the_block),
        cmocka_unit_test(the_first_object_may_be_large),
        cmocka_unit_test(texts_are_copies),
        cmocka_unit_test(impossible_sizes_are_no_memory),
        cmocka_unit_test(an_array_grows_and_keeps_its_elements),
        cmocka_unit_test(an_array_moves_only_at_powers_of_two),
        cmocka_unit_test(texts_are_listed_as_they_come),
        cmocka_unit_test(freeing_nothing_is_nothing),
    };
    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
