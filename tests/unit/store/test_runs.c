/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/store/test_runs.c - runs: journalled steps, one per point, and noticed deaths. */
#include "world.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/step.h"
#include "store/keeper.h"
#include "store/live.h"

static bo_run_record only_run(world *w)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    assert_int_equal(bo_catalog_runs(w->catalog, NULL, 1, w->arena, &runs, &count, NULL), BO_OK);
    assert_int_equal(count, 1);
    return runs[0];
}

static void a_run_keeps_each_step_and_how_it_ended(void **state)
{
    world *w = *state;
    char run[64];
    bo_clock_pin(INT64_C(1795148259000000));
    assert_int_equal(bo_catalog_run_begin(w->catalog, "rollback", "rb_a", "me", run, NULL), BO_OK);
    assert_int_equal(strncmp(run, "run_20261120_", 13), 0);
    assert_int_equal(strlen(run), strlen("run_20261120_041739_ab12"));
    bo_run_record record = only_run(w);
    assert_string_equal(record.status, "running");
    assert_string_equal(record.step, "begin");
    assert_string_equal(record.point, "rb_a");
    assert_string_equal(record.actor, "me");
    assert_string_equal(record.details, "{}");
    assert_null(record.token);
    assert_int_equal(record.ended_us, 0);
    assert_int_equal(record.pid, getpid());
    assert_int_equal(record.lease_us - record.started_us, 60000000);

    bo_clock_pin(INT64_C(1795148269000000));
    assert_int_equal(
        bo_catalog_run_step(w->catalog, run, "applying", "token", "{\"n\":1}", NULL), BO_OK);
    assert_int_equal(bo_catalog_run_step(w->catalog, run, "proved", NULL, NULL, NULL), BO_OK);
    record = only_run(w);
    assert_string_equal(record.step, "proved");
    assert_string_equal(record.token, "token");
    assert_string_equal(record.details, "{\"n\":1}");
    assert_int_equal(record.lease_us - record.started_us, 70000000);

    assert_int_equal(bo_catalog_run_end(w->catalog, run, "done", NULL, NULL), BO_OK);
    record = only_run(w);
    assert_string_equal(record.status, "done");
    assert_int_equal(record.ended_us, INT64_C(1795148269000000));
    bo_clock_pin(0);
    bo_error err = {0};
    assert_int_equal(bo_catalog_run_step(w->catalog, run, "again", NULL, NULL, &err), BO_CONFLICT);
    assert_non_null(strstr(err.text, run));
}

enum { WAIT_MS = 200 };

static void world_wait_briefly(world *w)
{
    world_close(w);
    w->catalog = world_open_waiting(w, WAIT_MS);
}

static void a_second_run_of_a_point_is_refused_while_the_first_lives(void **state)
{
    world *w = *state;
    char run[64];
    char other[64];
    bo_error err = {0};
    world_wait_briefly(w);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "rollback", "rb_a", "me", run, NULL), BO_OK);
    assert_int_equal(bo_catalog_run_step(w->catalog, run, "applying", NULL, NULL, NULL), BO_OK);
    assert_int_equal(
        bo_catalog_run_begin(w->catalog, "rollback", "rb_a", "you", other, &err), BO_BUSY);
    assert_non_null(strstr(err.text, run));
    assert_non_null(strstr(err.text, "(rollback) of process "));
    assert_non_null(strstr(err.text, "'applying', since 2026-"));
    assert_non_null(strstr(err.text, "begun by me"));
    assert_int_equal(
        bo_catalog_run_begin(w->catalog, "rollback", "rb_b", "me", other, NULL), BO_OK);
    assert_int_equal(bo_catalog_run_end(w->catalog, run, "done", NULL, NULL), BO_OK);
    assert_int_equal(
        bo_catalog_run_begin(w->catalog, "rollback", "rb_a", "me", other, NULL), BO_OK);
}

static void add_point(world *w, const char *id, const char *parent)
{
    const bo_point_record point = {.id = id, .kind = parent ? "undo" : "point", .parent = parent};
    assert_int_equal(bo_catalog_point_add(w->catalog, &point, NULL), BO_OK);
}

static void a_point_and_its_undo_points_are_worked_on_one_at_a_time(void **state)
{
    world *w = *state;
    char run[64];
    char other[64];
    bo_error err = {0};
    world_wait_briefly(w);
    add_point(w, "rb_a", NULL);
    add_point(w, "rb_undo_a", "rb_a");
    add_point(w, "rb_b", NULL);
    static const char *const pairs[][2] = {{"rb_a", "rb_undo_a"}, {"rb_undo_a", "rb_a"}};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            bo_catalog_run_begin(w->catalog, "rollback", pairs[i][0], "me", run, NULL), BO_OK);
        assert_int_equal(
            bo_catalog_run_begin(w->catalog, "rollback", pairs[i][1], "me", other, &err), BO_BUSY);
        assert_non_null(strstr(err.text, run));
        assert_non_null(strstr(err.text, pairs[i][0]));
        assert_int_equal(
            bo_catalog_run_begin(w->catalog, "rollback", "rb_b", "me", other, NULL), BO_OK);
        assert_int_equal(bo_catalog_run_end(w->catalog, other, "done", NULL, NULL), BO_OK);
        assert_int_equal(bo_catalog_run_end(w->catalog, run, "done", NULL, NULL), BO_OK);
    }
}

/* In a process of its own, on return at the step 'applying': after `for_us` it ends its run, and
 * with 0 it goes on until it is killed. */
static _Noreturn void work_on(const world *w, int ready, useconds_t for_us)
{
    bo_catalog *own = NULL;
    char run[64];
    if (bo_catalog_open(w->url, NULL, 0, &own, NULL) != BO_OK ||
        bo_catalog_run_begin(own, "seal", "rb_a", "me", run, NULL) != BO_OK ||
        bo_catalog_run_step(own, run, "applying", NULL, NULL, NULL) != BO_OK ||
        write(ready, "x", 1) != 1)
        _exit(1);
    while (for_us == 0)
        (void)pause();
    (void)usleep(for_us);
    _exit(bo_catalog_run_end(own, run, "done", NULL, NULL) == BO_OK ? 0 : 1);
}

static pid_t begin_elsewhere(world *w, useconds_t for_us)
{
    char byte = 0;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    world_close(w);
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        work_on(w, ready[1], for_us);
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    return child;
}

static void whoever_waits_for_a_point_goes_on_when_its_run_has_ended(void **state)
{
    world *w = *state;
    char run[64];
    pid_t child = begin_elsewhere(w, 300000);
    w->catalog = world_open(w);
    int how = 0;
    assert_int_equal(bo_catalog_run_begin(w->catalog, "rollback", "rb_a", "me", run, NULL), BO_OK);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    bo_run_record *runs = NULL;
    size_t count = 0;
    assert_int_equal(bo_catalog_runs(w->catalog, "rb_a", 0, w->arena, &runs, &count, NULL), BO_OK);
    assert_int_equal(count, 2);
    assert_string_equal(runs[1].status, "done");
}

static void a_run_takes_the_place_of_another_with_nobody_in_between(void **state)
{
    world *w = *state;
    char first[64];
    char second[64];
    char third[64];
    world_wait_briefly(w);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "run", "rb_a", "me", first, NULL), BO_OK);
    assert_int_equal(
        bo_catalog_run_follow(w->catalog, first, "failed", "rollback", "rb_a", "me", second, NULL),
        BO_OK);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "prune", "rb_a", "me", third, NULL), BO_BUSY);
    bo_run_record *runs = NULL;
    size_t count = 0;
    assert_int_equal(bo_catalog_runs(w->catalog, "rb_a", 0, w->arena, &runs, &count, NULL), BO_OK);
    assert_int_equal(count, 2);
    assert_string_equal(runs[0].id, second);
    assert_string_equal(runs[0].status, "running");
    assert_string_equal(runs[1].status, "failed");
}

static char at_hook[64];
static world *hook_world;
static void look_from_outside(const char *name)
{
    if (strcmp(name, "applying") != 0)
        return;
    bo_step_hook = NULL; /* the second catalog has steps of its own */
    BO_OWN(bo_catalog) *other = world_open(hook_world);
    bo_run_record *runs = NULL;
    size_t count = 0;
    assert_int_equal(
        bo_catalog_runs(other, NULL, 1, hook_world->arena, &runs, &count, NULL), BO_OK);
    (void)snprintf(at_hook, sizeof at_hook, "%s/%s", name, runs[0].step);
}

static void a_step_is_durable_before_it_is_acted_on(void **state)
{
    world *w = *state;
    char run[64];
    hook_world = w;
    assert_int_equal(bo_catalog_run_begin(w->catalog, "rollback", "rb_a", "me", run, NULL), BO_OK);
    bo_step_hook = look_from_outside;
    bo_status st = bo_catalog_run_step(w->catalog, run, "applying", NULL, NULL, NULL);
    bo_step_hook = NULL;
    assert_int_equal(st, BO_OK);
    assert_string_equal(at_hook, "applying/applying");
}

static void a_killed_run_is_dead_at_once_and_the_next_one_begins(void **state)
{
    world *w = *state;
    char run[64];
    pid_t child = begin_elsewhere(w, 0);
    w->catalog = world_open_waiting(w, WAIT_MS);
    bo_run_record record = only_run(w);
    assert_int_equal(record.pid, child);
    assert_false(bo_run_is_dead(&record));
    bo_error err = {0};
    assert_int_equal(
        bo_catalog_run_begin(w->catalog, "rollback", "rb_a", "me", run, &err), BO_BUSY);

    assert_int_equal(kill(child, SIGKILL), 0);
    siginfo_t how;
    assert_int_equal(waitid(P_PID, (id_t)child, &how, WEXITED | WNOWAIT), 0);
    assert_true(bo_run_is_dead(&record)); /* a zombie is dead */
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(bo_run_is_dead(&record));

    assert_int_equal(bo_catalog_run_begin(w->catalog, "rollback", "rb_a", "me", run, &err), BO_OK);
    bo_run_record *runs = NULL;
    size_t count = 0;
    assert_int_equal(bo_catalog_runs(w->catalog, "rb_a", 0, w->arena, &runs, &count, NULL), BO_OK);
    assert_int_equal(count, 2);
    assert_string_equal(runs[0].id, run);
    assert_string_equal(runs[1].id, record.id);
    assert_string_equal(runs[1].status, "died");
    assert_string_equal(runs[1].step, "applying");
    assert_true(runs[1].ended_us > 0);
    assert_int_equal(
        bo_catalog_run_step(w->catalog, runs[1].id, "more", NULL, NULL, &err), BO_CONFLICT);
    assert_int_equal(bo_catalog_run_end(w->catalog, runs[1].id, "failed", NULL, &err), BO_OK);
}

static void a_reused_process_id_is_not_mistaken_for_the_run(void **state)
{
    world *w = *state;
    char run[64];
    assert_int_equal(bo_catalog_run_begin(w->catalog, "point", NULL, "me", run, NULL), BO_OK);
    bo_run_record record = only_run(w);
    char process[160];
    (void)snprintf(process, sizeof process, "%s0", record.process);
    assert_false(bo_run_is_dead(&record));
    record.process = process; /* the same id, started at another time */
    assert_true(bo_run_is_dead(&record));
}

static void a_run_before_the_hosts_last_start_is_dead(void **state)
{
    world *w = *state;
    char run[64];
    assert_int_equal(bo_catalog_run_begin(w->catalog, "point", NULL, "me", run, NULL), BO_OK);
    bo_run_record record = only_run(w);
    char process[160];
    (void)snprintf(process, sizeof process, "%s", record.process);
    process[0] = process[0] == 'f' ? 'e' : 'f';
    record.process = process;
    assert_true(bo_run_is_dead(&record));
}

/* ---- leases ---- */

enum { KEEP_EVERY_MS = 20, KEPT_WITHIN_MS = 20000 };

/* False: it was not renewed for long. */
static bool is_renewed(world *w, int64_t before_us)
{
    for (int i = 0; i < KEPT_WITHIN_MS / KEEP_EVERY_MS; i++) {
        if (only_run(w).lease_us > before_us)
            return true;
        (void)usleep(KEEP_EVERY_MS * 1000);
    }
    return false;
}

static void a_step_that_takes_long_keeps_its_lease(void **state)
{
    world *w = *state;
    char run[64];
    char older[64];
    char ended[64];
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_c", "me", older, NULL), BO_OK);
    int64_t older_lease_us = only_run(w).lease_us;
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_b", "me", ended, NULL), BO_OK);
    assert_int_equal(bo_catalog_run_end(w->catalog, ended, "done", NULL, NULL), BO_OK);
    int64_t ended_lease_us = only_run(w).lease_us;
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", run, NULL), BO_OK);
    int64_t lease_us = only_run(w).lease_us;
    bo_keeper *keeper = bo_keeper_start(w->catalog, KEEP_EVERY_MS);
    assert_non_null(keeper);
    bool renewed = is_renewed(w, lease_us);
    bo_keeper_free(keeper);
    assert_true(renewed);
    bo_run_record *runs = NULL;
    size_t count = 0;
    assert_int_equal(bo_catalog_runs(w->catalog, "rb_b", 0, w->arena, &runs, &count, NULL), BO_OK);
    assert_int_equal(runs[0].lease_us, ended_lease_us);
    assert_int_equal(bo_catalog_runs(w->catalog, "rb_c", 0, w->arena, &runs, &count, NULL), BO_OK);
    assert_true(runs[0].lease_us > older_lease_us);

    lease_us = only_run(w).lease_us;
    (void)usleep(3 * KEEP_EVERY_MS * 1000);
    assert_int_equal(only_run(w).lease_us, lease_us); /* nobody is at it any more */
}

/* On another host the lease is all that tells that this process lives. */
static void whoever_has_begun_a_run_keeps_its_lease(void **state)
{
    world *w = *state;
    char run[64];
    assert_null(w->catalog->keeper);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", run, NULL), BO_OK);
    assert_non_null(w->catalog->keeper);
    assert_true((int64_t)BO_LEASE_EVERY_MS * 1000 * 2 < BO_LEASE_US); /* one may fail */
}

enum { SELDOM_MS = 2000, LOCKED_MS = SELDOM_MS * 11 / 10 };

static void a_lease_that_could_not_be_renewed_is_soon_renewed(void **state)
{
    world *w = *state;
    char run[64];
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", run, NULL), BO_OK);
    int64_t lease_us = only_run(w).lease_us;
    bo_keeper *keeper = bo_keeper_start(w->catalog, SELDOM_MS);
    assert_int_equal(bo_catalog_begin(w->catalog, NULL), BO_OK);
    (void)usleep(LOCKED_MS * 1000); /* its first attempt comes meanwhile */
    assert_int_equal(only_run(w).lease_us, lease_us);
    assert_int_equal(bo_catalog_end(w->catalog, false, NULL), BO_OK);
    int64_t free_us = bo_clock_monotonic_us();
    bool renewed = is_renewed(w, lease_us);
    int64_t renewed_us = bo_clock_monotonic_us();
    bo_keeper_free(keeper);
    assert_true(renewed);
    assert_true(renewed_us - free_us < (int64_t)SELDOM_MS * 1000 * 3 / 4);
}

/* On PostgreSQL the catalog is where it is. */
static void leases_are_kept_wherever_the_process_goes(void **state)
{
    world *w = *state;
    char run[64];
    char before[4096];
    char other[96];
    if (world_is_postgres())
        skip();
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(w->folder), 0);
    world_close(w);
    (void)snprintf(w->url, sizeof w->url, "sqlite:state/catalog.db");
    w->catalog = world_open(w);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", run, NULL), BO_OK);
    int64_t lease_us = only_run(w).lease_us;
    (void)snprintf(other, sizeof other, "%s/other", w->folder);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(chdir(other), 0);
    bo_keeper *keeper = bo_keeper_start(w->catalog, KEEP_EVERY_MS);
    bool renewed = is_renewed(w, lease_us);
    bo_keeper_free(keeper);
    assert_int_equal(chdir(before), 0);
    assert_true(renewed);
    assert_int_equal(rmdir(other), 0); /* nothing was made in it */
}

static void keeping_leases_never_makes_a_catalog(void **state)
{
    world *w = *state;
    char run[64];
    char aside[128];
    if (world_is_postgres())
        skip();
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", run, NULL), BO_OK);
    (void)snprintf(aside, sizeof aside, "%s.aside", w->path);
    assert_int_equal(rename(w->path, aside), 0);
    bo_keeper *keeper = bo_keeper_start(w->catalog, KEEP_EVERY_MS);
    (void)usleep(5 * KEEP_EVERY_MS * 1000);
    bo_keeper_free(keeper);
    assert_int_equal(access(w->path, F_OK), -1);
    assert_int_equal(rename(aside, w->path), 0);
}

enum { CHILD_SECONDS = 5 };

static void a_child_that_frees_the_catalog_ends_and_leaves_it_to_its_parent(void **state)
{
    world *w = *state;
    char run[64];
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", run, NULL), BO_OK);
    (void)usleep(KEEP_EVERY_MS * 1000); /* its keeper waits */
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(CHILD_SECONDS);
        bo_catalog_free(w->catalog);
        _exit(0);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_int_equal(bo_catalog_run_step(w->catalog, run, "applying", NULL, NULL, NULL), BO_OK);
    int64_t lease_us = only_run(w).lease_us;
    bo_keeper *keeper = bo_keeper_start(w->catalog, KEEP_EVERY_MS);
    bool renewed = is_renewed(w, lease_us);
    bo_keeper_free(keeper);
    assert_true(renewed);
}

/* ---- runs of this very process ---- */

static void a_run_whose_end_could_not_be_recorded_is_over(void **state)
{
    world *w = *state;
    char run[64];
    char next[64];
    world_wait_briefly(w);
    BO_OWN(bo_catalog) *other = world_open(w);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", run, NULL), BO_OK);
    assert_int_equal(bo_catalog_begin(other, NULL), BO_OK);
    assert_int_equal(bo_catalog_run_end(w->catalog, run, "done", NULL, NULL), BO_BUSY);
    assert_int_equal(bo_catalog_end(other, false, NULL), BO_OK);

    bo_run_record record = only_run(w);
    assert_string_equal(record.status, "running");
    assert_true(bo_run_is_dead(&record));
    bo_keeper *keeper = bo_keeper_start(w->catalog, KEEP_EVERY_MS);
    (void)usleep(5 * KEEP_EVERY_MS * 1000);
    bo_keeper_free(keeper);
    assert_int_equal(only_run(w).lease_us, record.lease_us);

    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", next, NULL), BO_OK);
    bo_run_record *runs = NULL;
    size_t count = 0;
    assert_int_equal(bo_catalog_runs(w->catalog, "rb_a", 0, w->arena, &runs, &count, NULL), BO_OK);
    assert_int_equal(count, 2);
    assert_string_equal(runs[1].status, "died");
}

static void a_run_of_another_catalog_handle_lives_until_that_is_freed(void **state)
{
    world *w = *state;
    char run[64];
    char next[64];
    world_wait_briefly(w);
    bo_catalog *other = world_open(w);
    assert_int_equal(bo_catalog_run_begin(other, "seal", "rb_a", "me", run, NULL), BO_OK);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", next, NULL), BO_BUSY);
    bo_run_record record = only_run(w);
    assert_false(bo_run_is_dead(&record));
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_b", "me", next, NULL), BO_OK);
    bo_catalog_free(other);
    assert_true(bo_run_is_dead(&record));
    assert_true(bo_live_has(next)); /* it is not the other's */
    assert_int_equal(bo_catalog_run_begin(w->catalog, "seal", "rb_a", "me", next, NULL), BO_OK);
}

static void a_run_that_does_not_begin_after_all_leaves_the_one_before_it_alive(void **state)
{
    world *w = *state;
    char run[64];
    char next[64] = "";
    char third[64];
    world_wait_briefly(w);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "run", "rb_a", "me", run, NULL), BO_OK);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "run", "rb_b", "me", third, NULL), BO_OK);
    assert_int_equal(
        bo_catalog_run_follow(w->catalog, run, "failed", "rollback", "rb_b", "me", next, NULL),
        BO_BUSY);
    assert_true(bo_live_has(run));
    assert_int_equal(bo_catalog_run_step(w->catalog, run, "again", NULL, NULL, NULL), BO_OK);

    assert_int_equal(bo_catalog_begin(w->catalog, NULL), BO_OK);
    assert_int_equal(bo_catalog_run_begin(w->catalog, "point", "rb_c", "me", next, NULL), BO_OK);
    assert_true(bo_live_has(next));
    assert_int_equal(bo_catalog_end(w->catalog, false, NULL), BO_OK);
    assert_false(bo_live_has(next));

    assert_int_equal(
        bo_catalog_run_follow(w->catalog, run, "failed", "rollback", "rb_a", "me", next, NULL),
        BO_OK);
    assert_true(bo_live_has(next));
    assert_false(bo_live_has(run));
}

static void a_run_of_another_host_or_container_is_dead_when_its_lease_is_over(void **state)
{
    world *w = *state;
    char run[64];
    assert_int_equal(bo_catalog_run_begin(w->catalog, "point", NULL, "me", run, NULL), BO_OK);
    bo_run_record record = only_run(w);
    char process[160];
    (void)snprintf(process, sizeof process, "%s", record.process);
    *strrchr(process, ']') = '9';

    bo_run_record elsewhere = record;
    elsewhere.host = "elsewhere";
    bo_run_record contained = record;
    contained.process = process;
    assert_false(bo_run_is_dead(&elsewhere));
    assert_false(bo_run_is_dead(&contained));
    bo_clock_pin(record.lease_us + 1);
    assert_true(bo_run_is_dead(&elsewhere));
    assert_true(bo_run_is_dead(&contained));
    assert_false(bo_run_is_dead(&record)); /* it can be seen to live */
    bo_clock_pin(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_run_keeps_each_step_and_how_it_ended),
        WORLD_TEST(a_second_run_of_a_point_is_refused_while_the_first_lives),
        WORLD_TEST(a_point_and_its_undo_points_are_worked_on_one_at_a_time),
        WORLD_TEST(whoever_waits_for_a_point_goes_on_when_its_run_has_ended),
        WORLD_TEST(a_run_takes_the_place_of_another_with_nobody_in_between),
        WORLD_TEST(a_step_is_durable_before_it_is_acted_on),
        WORLD_TEST(a_killed_run_is_dead_at_once_and_the_next_one_begins),
        WORLD_TEST(a_reused_process_id_is_not_mistaken_for_the_run),
        WORLD_TEST(a_run_before_the_hosts_last_start_is_dead),
        WORLD_TEST(a_step_that_takes_long_keeps_its_lease),
        WORLD_TEST(whoever_has_begun_a_run_keeps_its_lease),
        WORLD_TEST(a_lease_that_could_not_be_renewed_is_soon_renewed),
        WORLD_TEST(leases_are_kept_wherever_the_process_goes),
        WORLD_TEST(keeping_leases_never_makes_a_catalog),
        WORLD_TEST(a_child_that_frees_the_catalog_ends_and_leaves_it_to_its_parent),
        WORLD_TEST(a_run_whose_end_could_not_be_recorded_is_over),
        WORLD_TEST(a_run_of_another_catalog_handle_lives_until_that_is_freed),
        WORLD_TEST(a_run_that_does_not_begin_after_all_leaves_the_one_before_it_alive),
        WORLD_TEST(a_run_of_another_host_or_container_is_dead_when_its_lease_is_over),
    };
    return WORLD_RUN(tests);
}
