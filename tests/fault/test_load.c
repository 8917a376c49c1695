/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_load.c - kill -9 at any moment beside two writers that never pause; what is left
 * is settled as a person would. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backout/doctor.h"
#include "base/clock.h"
#include "change/content.h"
#include "fault/writers.h"

enum { MOMENTS = 8, FULL_MOMENTS = 200 };

static unsigned seed = 20261120, faults, survived;

static unsigned moments(void)
{
    return at_full_length() ? FULL_MOMENTS : MOMENTS;
}

static unsigned next_moment(unsigned longest_us)
{
    seed = seed * 1664525u + 1013904223u;
    return 1 + (seed >> 8) % longest_us;
}

/* ---- the process that is killed ---- */

/* Points overlap: each is released when the next change is undone. */
static void work_on(world *w, int round)
{
    const char *held = NULL;
    for (;; round++) {
        const char *id =
            bank_change(w, round % BANK_ROUNDS, round % 3 ? BO_METHOD_CAPTURE : BO_METHOD_BOTH);
        bank_undo(w, id, NULL, true);
        if (held)
            bank_release(w, held);
        held = id;
    }
}

/* Two rounds, as long as one takes here and now. */
static unsigned measure(world *w)
{
    const int64_t began_us = bo_clock_monotonic_us();
    const char *id = bank_change(w, 0, BO_METHOD_BOTH);
    bank_undo(w, id, NULL, true);
    bank_release(w, id);
    return 2 * (unsigned)(bo_clock_monotonic_us() - began_us);
}

static void kill_in_the_middle(world *w, int round, unsigned longest_us)
{
    int how = 0;
    world_close(w);
    (void)fflush(NULL);
    const pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        world_reopen(w);
        work_on(w, round);
    }
    (void)usleep(next_moment(longest_us));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL); /* it has not failed before */
    world_reopen(w);
}

/* ---- what it has left ---- */

static void check_explained(const bo_point *point)
{
    for (size_t i = 0; i < point->run_count; i++) {
        const bo_run_info *run = &point->runs[i];
        const bool running = strcmp(run->status, "running") == 0;
        if (running && !run->dead)
            fail_msg("run %s (%s) at step '%s' looks alive", run->id, run->kind, run->step);
        if ((running || strcmp(run->status, "died") == 0) && !(run->explained[0] && run->next[0]))
            fail_msg("run %s (%s) at step '%s' is not explained", run->id, run->kind, run->step);
    }
}

static void check_files(world *w, const bo_point *point)
{
    for (size_t i = 0; i < point->file_count; i++) {
        bo_error err = {0};
        BO_OWN(bo_content) *content = NULL;
        world_ok(bo_content_open(w->session, point->files[i].name, NULL, &content, &err), &err);
        world_ok(bo_content_verify(w->session, content, false, &err), &err);
    }
}

/* The change that the point is for: its id, or NULL. */
static const char *change_of(const bo_point *point)
{
    for (size_t i = 0; i < point->run_count; i++)
        if (strcmp(point->runs[i].kind, "run") == 0)
            return point->runs[i].id;
    return NULL;
}

/* Whatever the change has done is undone, and its capture ends. */
static void settle_point(world *w, const char *id)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    world_ok(bo_point_get(w->session, id, &points, &err), &err);
    const bo_point *point = bo_point_list_get(points, 0);
    const bool taken =
        strcmp(point->status, "creating") != 0 && strcmp(point->status, "failed") != 0;
    check_explained(point);
    if (taken)
        check_files(w, point);
    if (strcmp(point->status, "ready") == 0)
        world_seal(w, id);
    if (taken && strcmp(point->status, "rolled-back") != 0)
        bank_undo(w, id, change_of(point), true);
    if (taken && !point->released_us)
        bank_release(w, id);
    bo_point_list_free(points);
}

static void settle(world *w)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    world_ok(bo_point_find(w->session, &(bo_point_query){0}, &points, &err), &err);
    for (size_t i = 0; i < bo_point_list_count(points); i++)
        if (!bo_point_list_get(points, i)->released_us)
            settle_point(w, bo_point_list_get(points, i)->id);
    bo_point_list_free(points);
}

static void examine(world *w, bool fix)
{
    bo_error err = {0};
    bo_doctor *found = NULL;
    bo_status st =
        bo_doctor_examine(w->session, &w->database, &(bo_doctor_options){.fix = fix}, &found, &err);
    if (st != BO_MISMATCH)
        world_ok(st, &err);
    for (size_t i = 0; i < found->finding_count; i++)
        if (!fix || (found->findings[i].fixable && !found->findings[i].fixed))
            fail_msg("%s: %s", found->findings[i].kind, found->findings[i].what);
    bo_doctor_free(found);
}

/* Of the changes nothing is left. */
static void check_accounts(world *w)
{
    static const char *const wrong[] = {"SELECT count(*) FROM accounts WHERE id >= 100000",
        "SELECT count(*) FROM accounts WHERE flag <> 0"};
    char all[32];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_string_equal(world_value(w, wrong[i]), "0");
    (void)snprintf(all, sizeof all, "%d", BANK_ROUNDS);
    assert_string_equal(
        world_value(w, "SELECT count(*) FROM accounts WHERE id BETWEEN 50000 AND 60000"), all);
}

static void a_kill_at_any_moment_costs_the_writers_beside_it_nothing(void **state)
{
    world *w = world_or_skip(state);
    const unsigned count = moments();
    print_message("# seed %u\n", seed);
    bank_make(w);
    writers *beside = writers_start(w);
    const unsigned longest_us = measure(w);
    for (unsigned i = 0; i < count; i++) {
        kill_in_the_middle(w, (int)i * 7, longest_us);
        faults++;
        bank_check(w, (int)i);
        examine(w, true);
        settle(w);
        examine(w, true); /* a marker that a dying session was in the way of */
        examine(w, false);
        check_accounts(w);
        bank_check(w, (int)i);
        survived++;
    }
    writers_stop(beside, w);
    bank_check(w, (int)count);
}

static const char test_name[] = "a kill at any moment costs the writers beside it nothing on ";

int main(int argc, char **argv)
{
    const bool mariadb = argc > 1 && strstr(argv[1], "MariaDB");
    char name[100];
    (void)snprintf(name, sizeof name, "%s%s", test_name, mariadb ? "MariaDB" : "PostgreSQL");
    const struct CMUnitTest tests[] = {
        {.name = name,
            .test_func = a_kill_at_any_moment_costs_the_writers_beside_it_nothing,
            .setup_func = mariadb ? world_set_up_mariadb : world_set_up_postgres,
            .teardown_func = world_tear_down},
    };
    const int failed = cmocka_run_group_tests_name("load", tests, NULL, NULL);
    if (faults > 0)
        print_message(
            "# sweep kill -9 at any moment beside writers on %s: %u faults, %u survived\n",
            mariadb ? "MariaDB" : "PostgreSQL", faults, survived);
    return failed;
}
