/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/sweep.c - every operation with one kind of fault, at every place, on both engines. */
#include "fault/sweep.h"

enum { TESTS_MAX = 64 };

struct one {
    const sweep *sweep;
    const operation *op;
    bool postgres;
    char name[128];
};

static void sweep_operation(void **state)
{
    const struct one *one = *state;
    const sweep *how = one->sweep;
    scene *s = scene_open(one->op, one->postgres, how->shared);
    if (!s)
        skip();
    unsigned nth = 1;
    while (scene_attempt(s, how->kind, nth)) {
        scene_check(s);
        nth += how->dense > 0 && nth >= how->dense ? how->stride : 1;
    }
    scene_expect(s, s->found->status == BO_OK, "it fails without a fault");
    scene_check(s);
    scene_expect(s, nth > 1, "there is no place for this fault");
    print_message("# %u attempts\n", s->attempts);
    scene_close(s);
}

int sweep_run(const sweep *sweeps, size_t count, const char *only)
{
    static struct one all[TESTS_MAX];
    static struct CMUnitTest tests[TESTS_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t op = 0; op < scene_operation_count; op++) {
            for (int postgres = 0; postgres < 2; postgres++) {
                const operation *what = &scene_operations[op];
                if (!(postgres ? sweeps[i].postgres : sweeps[i].sqlite) ||
                    (sweeps[i].skip && strstr(sweeps[i].skip, what->name)))
                    continue;
                assert_true(used < TESTS_MAX);
                all[used] = (struct one){&sweeps[i], what, postgres == 1, ""};
                (void)snprintf(all[used].name, sizeof all[used].name, "%s %s on %s", sweeps[i].name,
                    what->name, postgres ? "PostgreSQL" : "SQLite");
                tests[used] = (struct CMUnitTest){.name = all[used].name,
                    .test_func = sweep_operation,
                    .initial_state = &all[used]};
                used++;
            }
        }
    }
    cmocka_set_test_filter(only);
    return _cmocka_run_group_tests("faults", tests, used, NULL, NULL);
}
