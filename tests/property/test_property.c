/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/property/test_property.c - histories of random writers, rolled back at random, judged by a
 * model that knows nothing of the program.
 *
 *     test-property ENGINE          as many as BACKOUT_TEST_HISTORIES says; 10,000 with
 *                                   BACKOUT_TEST_SWEEP=full; otherwise a few
 *     test-property ENGINE SEED     that one alone, with what happened in it as SQL
 */
#include "support/unit.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "property/trial.h"

enum { FULL = 10000, FAILURES_MAX = 10, SHRINK_TRIALS = 120 };

static engine chosen_engine;
static uint64_t chosen_seed;

static finding *shared_finding(void)
{
    finding *found =
        mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(found, MAP_FAILED);
    return found;
}

/* In a process of its own: a crash is a finding like others. */
static bool survives(const place *p, uint64_t seed, const bool *left_out, finding *found)
{
    char command[100];
    *found = (finding){0};
    (void)fflush(NULL);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        bo_arena *arena = bo_arena_create();
        trial *t = calloc(1, sizeof *t);
        *t = (trial){.place = p, .left_out = left_out, .found = found};
        t->h = history_make(p->engine, seed, arena);
        trial_run(t);
        free(t);
        bo_arena_free(arena);
        _exit(0);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    if (!found->ended && !found->text[0])
        (void)snprintf(
            found->text, sizeof found->text, "the process ended with status %#x", (unsigned)how);
    (void)snprintf(command, sizeof command, "rm -rf '%s/state'", p->folder);
    assert_int_equal(system(command), 0);
    return found->ended;
}

/* ---- the shortest history that fails ---- */

static bool belongs(const step *one, const step *to)
{
    return to->transaction ? one->transaction == to->transaction : one == to;
}

/* Without one transaction or row after the other, as long as it fails; then without statements. */
static void shrink(const place *p, uint64_t seed, finding *found)
{
    bo_arena *arena = bo_arena_create();
    const history *h = history_make(p->engine, seed, arena);
    finding *attempt = shared_finding();
    bool left_out[STEPS_MAX] = {0};
    unsigned trials = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = h->step_count; i-- > 0 && trials < SHRINK_TRIALS;) {
            const step *one = &h->steps[i];
            bool before[STEPS_MAX];
            bool whole = pass == 0 && (one->kind == STEP_BEGIN || one->kind == STEP_ROW ||
                                          one->kind == STEP_TRIGGER);
            bool part = pass == 1 && (one->kind == STEP_SQL || one->kind == STEP_SAVEPOINT);
            if (left_out[i] || !(whole || part))
                continue;
            memcpy(before, left_out, sizeof before);
            for (unsigned k = 0; k < h->step_count; k++)
                left_out[k] = left_out[k] || (whole ? belongs(&h->steps[k], one) : k == i);
            trials++;
            if (survives(p, seed, left_out, attempt))
                memcpy(left_out, before, sizeof before);
            else
                *found = *attempt;
        }
    }
    assert_int_equal(munmap(attempt, sizeof *attempt), 0);
    bo_arena_free(arena);
}

static void show(const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        print_message("# %.*s\n", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static void tell(const place *p, uint64_t seed, finding *found)
{
    char first[sizeof found->text];
    memcpy(first, found->text, sizeof first);
    shrink(p, seed, found);
    print_message("# history %llu on %s: ", (unsigned long long)seed, place_engine(p->engine));
    show(first);
    show("shrunk:");
    show(found->script);
    show(found->text);
    print_message("# again: tests/property/replay %s %llu\n", place_engine(p->engine),
        (unsigned long long)seed);
}

/* ---- the test ---- */

static uint64_t how_many(void)
{
    static const unsigned few[] = {300, 40, 40};
    return number_from("BACKOUT_TEST_HISTORIES", at_full_length() ? FULL : few[chosen_engine]);
}

static void add_up(finding *all, const finding *one)
{
    all->commits += one->commits;
    all->changing += one->changing;
    all->rolled_back += one->rolled_back;
    all->refused += one->refused;
    all->rows += one->rows;
    all->conflicts += one->conflicts;
    all->kept_back += one->kept_back;
    all->lost += one->lost;
}

static void random_histories_end_as_the_model_says(void **state)
{
    (void)state;
    place p;
    if (!place_open(&p, chosen_engine))
        skip();
    finding *found = shared_finding();
    uint64_t first = chosen_seed ? chosen_seed : number_from("BACKOUT_TEST_SEED", 1);
    uint64_t count = chosen_seed ? 1 : how_many();
    static const bool nothing[STEPS_MAX];
    unsigned failed = 0;
    static finding all;
    for (uint64_t seed = first; seed < first + count && failed < FAILURES_MAX; seed++) {
        bool survived = survives(&p, seed, nothing, found);
        add_up(&all, found);
        if (chosen_seed && survived)
            show(found->script);
        if (survived)
            continue;
        failed++;
        tell(&p, seed, found);
    }
    print_message("# %u transactions, %u with changes; %u rollbacks, %u refusals; %u rows,"
                  " %u conflicts (%u kept back), %u lost\n",
        all.commits, all.changing, all.rolled_back, all.refused, all.rows, all.conflicts,
        all.kept_back, all.lost);
    static const char *const names[] = {"SQLite", "PostgreSQL", "MariaDB"};
    print_message("# sweep random histories on %s: %llu faults, %llu survived\n", names[p.engine],
        (unsigned long long)count, (unsigned long long)(count - failed));
    assert_int_equal(munmap(found, sizeof *found), 0);
    place_close(&p);
    assert_int_equal(failed, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_end_as_the_model_says),
    };
    for (unsigned i = ON_SQLITE; argc > 1 && i <= ON_MARIADB; i++)
        if (strcmp(argv[1], place_engine((engine)i)) == 0)
            chosen_engine = (engine)i;
    chosen_seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    return cmocka_run_group_tests_name("property", tests, NULL, NULL);
}
