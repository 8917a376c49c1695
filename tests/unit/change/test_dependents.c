/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_dependents.c - transactions that used what a change wrote, in the three
 * backout modes: every story in every mode on every engine. */
#include "stories.h"

static void no_cascade_refuses_and_says_whose_the_rows_are(void **state)
{
    world *w = world_or_skip(state);
    const char *id = tell(w);
    const char *before = rows(w);
    bo_rollback *rollback = NULL;
    bo_status st = back_out(w, id, BO_BACKOUT_NO_CASCADE, false, &rollback);
    assert_int_equal(st, told->classes[0] ? BO_CONFLICT : BO_OK);
    if (told->classes[0])
        assert_string_equal(rows(w), before);
    assert_string_equal(classes(w, rollback), told->classes);
    assert_string_equal(tree(w, rollback), expected_tree(w));
    for (size_t i = 0; i < rollback->conflict_listed; i++)
        assert_int_equal(
            strstr(rollback->conflicts[i].because, "by transaction ") != NULL, w->created[0] != 0);
    for (size_t i = 0; i < rollback->dependent_listed; i++)
        assert_false(rollback->dependents[i].undone);
    bo_rollback_free(rollback);
}

static void non_conflict_only_undoes_what_nobody_used(void **state)
{
    world *w = world_or_skip(state);
    const char *id = tell(w);
    bo_rollback *rollback = NULL;
    bo_status st = back_out(w, id, BO_BACKOUT_NON_CONFLICT_ONLY, false, &rollback);
    assert_int_equal(st, told->classes[0] ? BO_MISMATCH : BO_OK);
    assert_string_equal(rows(w), expected_rows(w, &told->non_conflict));
    assert_string_equal(rollback->proof, told->non_conflict.same[0] ? rollback->proof : "match");
    assert_string_equal(tree(w, rollback), expected_tree(w));
    bo_rollback_free(rollback);
}

static void cascade_undoes_the_dependents_too_and_its_undo_point_brings_all_back(void **state)
{
    world *w = world_or_skip(state);
    const char *id = tell(w);
    const char *before = rows(w);
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, true, &rollback), BO_OK);
    assert_string_equal(rows(w), before);
    const char *planned = tree(w, rollback);
    bo_rollback_free(rollback);
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(rows(w), expected_rows(w, &told->cascade));
    assert_string_equal(rollback->proof, "match");
    assert_string_equal(tree(w, rollback), expected_tree(w));
    assert_string_equal(tree(w, rollback), planned);
    for (size_t i = 0; i < rollback->dependent_listed; i++)
        assert_true(rollback->dependents[i].undone);
    const char *undo = bo_arena_str(w->arena, rollback->undo_point);
    bo_rollback_free(rollback);
    (void)world_roll_back(w, undo, BO_ROLLBACK_PARTIAL);
    assert_string_equal(rows(w), before);
}

static int on_sqlite(void **state)
{
    told = *state;
    return world_set_up(state);
}

static int on_mariadb(void **state)
{
    told = *state;
    *state = NULL;
    return world_set_up_mariadb(state);
}

static int on_postgres(void **state)
{
    told = *state;
    *state = NULL; /* without a server it stays so */
    return world_set_up_postgres(state);
}

int main(void)
{
    static const struct {
        const char *name;
        CMUnitTestFunction run;
    } modes[] = {{"no-cascade", no_cascade_refuses_and_says_whose_the_rows_are},
        {"non-conflict-only", non_conflict_only_undoes_what_nobody_used},
        {"cascade", cascade_undoes_the_dependents_too_and_its_undo_point_brings_all_back}};
    static const struct {
        const char *name;
        CMFixtureFunction set_up;
    } engines[] = {{"SQLite", on_sqlite}, {"PostgreSQL", on_postgres}, {"MariaDB", on_mariadb}};
    enum { EACH = 9, TESTS_MAX = 20 * EACH };
    static struct CMUnitTest tests[TESTS_MAX];
    static char names[TESTS_MAX][120];
    assert_true(story_count * EACH <= TESTS_MAX);
    for (size_t i = 0; i < story_count * EACH; i++) {
        const struct story *story = &stories[i / EACH];
        (void)snprintf(names[i], sizeof names[i], "%s, %s, on %s", modes[i / 3 % 3].name,
            story->name, engines[i % 3].name);
        tests[i] = (struct CMUnitTest){names[i], modes[i / 3 % 3].run, engines[i % 3].set_up,
            world_tear_down, (void *)(uintptr_t)story};
    }
    return _cmocka_run_group_tests("backout modes", tests, story_count * EACH, NULL, NULL);
}
