/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/sweep.c - operations with one kind of fault, at one place after the other. */
#include "fault/sweep.h"

enum { TESTS_MAX = 1024 };

struct one {
    const sweep *sweep;
    const operation *op;
    setting setting;
    unsigned shift; /* the strides do not begin at the same place in every operation */
    char name[160];
    unsigned faults, survived;
};

static unsigned next_place(const struct one *one, unsigned nth)
{
    const sweep *how = one->sweep;
    const unsigned stride = at_full_length() ? how->full_stride : how->stride;
    if (stride == 0 || nth < how->dense)
        return nth + 1;
    return nth == how->dense ? nth + 1 + one->shift % stride : nth + stride;
}

/* Until the operation ends before the fault. */
static void try_places(struct one *one, scene *s)
{
    unsigned nth = next_place(one, 0);
    while (scene_attempt(s, one->sweep->kind, nth)) {
        one->faults++;
        scene_check(s);
        one->survived++;
        nth = next_place(one, nth);
    }
    scene_expect(s, s->found->status == BO_OK, "it fails without a fault");
    scene_expect(s, !one->op->through || s->found->through, "it does not take its step");
    scene_check(s);
    scene_expect(s, s->attempts > 1, "there is no place for this fault");
    print_message("# %u attempts, the last at %u\n", s->attempts, nth);
}

static void try_moments(struct one *one, scene *s)
{
    const sweep *how = one->sweep;
    const unsigned moments = at_full_length() ? how->full_moments : how->moments;
    unsigned seed = 20261120 + one->shift;
    print_message("# seed %u\n", seed);
    for (unsigned i = 0; i < moments; i++) {
        seed = seed * 1664525u + 1013904223u;
        const bool fired = scene_attempt(s, how->kind, 1 + (seed >> 8) % how->longest_us);
        one->faults += fired;
        scene_check(s);
        one->survived += fired;
    }
}

static void sweep_operation(void **state)
{
    struct one *one = *state;
    scene *s = scene_open(one->op, &one->setting);
    if (!s)
        skip();
    s->network = one->sweep->network;
    if (one->sweep->longest_us)
        try_moments(one, s);
    else
        try_places(one, s);
    scene_close(s);
}

/* Is `name` one of the list's? */
static bool listed(const char *list, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, size) == 0 && (at[size] == ',' || at[size] == '\0'))
            return true;
    }
    return false;
}

static bool concerns(const sweep *how, const operation *op, const setting *at)
{
    return (how->engines & op->engines & ON(at->engine)) &&
           (how->methods & op->methods & BY(at->method)) &&
           (!how->only || listed(how->only, op->name)) &&
           !(how->skip && listed(how->skip, op->name)) && (!how->full || at_full_length());
}

static const char *const engines[] = {"SQLite", "PostgreSQL", "MariaDB"};

static void name_test(struct one *one)
{
    static const char *const methods[] = {"", ", captured,", ", captured and stored,"};
    (void)snprintf(one->name, sizeof one->name, "%s %s%s on %s", one->sweep->name, one->op->name,
        methods[one->setting.method], engines[one->setting.engine]);
}

static bool same_sweep(const struct one *a, const struct one *b)
{
    return a->setting.engine == b->setting.engine && strcmp(a->sweep->name, b->sweep->name) == 0;
}

/* A line for each kind of sweep and engine. */
static void report(const struct one *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned faults = 0, survived = 0;
        bool told = false;
        for (size_t j = 0; j < i; j++)
            told |= same_sweep(&all[i], &all[j]);
        for (size_t j = i; j < count && !told; j++) {
            faults += same_sweep(&all[i], &all[j]) ? all[j].faults : 0;
            survived += same_sweep(&all[i], &all[j]) ? all[j].survived : 0;
        }
        if (faults > 0)
            print_message("# sweep %s operations on %s: %u faults, %u survived\n",
                all[i].sweep->name, engines[all[i].setting.engine], faults, survived);
    }
}

int sweep_run(const sweep *sweeps, size_t count, const char *only)
{
    static struct one all[TESTS_MAX];
    static struct CMUnitTest tests[TESTS_MAX];
    const size_t kinds = 9; /* of engine and method */
    size_t used = 0;
    for (size_t i = 0; i < count * scene_operation_count * kinds; i++) {
        const sweep *how = &sweeps[i / (scene_operation_count * kinds)];
        const operation *op = &scene_operations[i / kinds % scene_operation_count];
        const setting at = {
            (world_engine)(i % kinds / 3), (bo_method)(i % 3), how->shared, how->journal};
        if (!concerns(how, op, &at))
            continue;
        assert_true(used < TESTS_MAX);
        all[used] = (struct one){how, op, at, (unsigned)used % 7, .name = ""};
        name_test(&all[used]);
        tests[used] = (struct CMUnitTest){
            .name = all[used].name, .test_func = sweep_operation, .initial_state = &all[used]};
        used++;
    }
    cmocka_set_test_filter(only);
    int failed = _cmocka_run_group_tests("faults", tests, used, NULL, NULL);
    report(all, used);
    return failed;
}
