/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_moments.c - kill -9 at moments that no step names. */
#include "fault/scene.h"

enum { MOMENTS = 40, LONGEST_US = 30000 };

static unsigned seed = 20261120;

static unsigned next_moment(void)
{
    seed = seed * 1664525u + 1013904223u;
    return 1 + (seed >> 8) % LONGEST_US;
}

static void a_kill_at_any_moment_leaves_all_or_nothing(void **state)
{
    (void)state;
    print_message("# seed %u\n", seed);
    for (size_t i = 0; i < scene_operation_count; i++) {
        const operation *op = &scene_operations[i];
        const bool stores = op->methods & BY(BO_METHOD_SNAPSHOT);
        if (!(op->engines & ON(WORLD_SQLITE)))
            continue;
        const setting at = {.method = stores && i % 2 ? BO_METHOD_SNAPSHOT : BO_METHOD_BOTH};
        scene *s = scene_open(op, &at);
        for (int n = 0; n < MOMENTS; n++) {
            (void)scene_attempt(s, FAULT_KILL_AFTER_US, next_moment());
            scene_check(s);
        }
        scene_close(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_at_any_moment_leaves_all_or_nothing),
    };
    return cmocka_run_group_tests_name("moments", tests, NULL, NULL);
}
