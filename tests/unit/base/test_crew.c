/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_crew.c - threads that share a queue. */
#include "base/crew.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "support/unit.h"

enum { ITEMS = 20000 };

struct ground {
    bo_queue queue;
    atomic_int taken[ITEMS];
    atomic_int done;
    size_t broken; /* this item fails; ITEMS: none */
    bool came[BO_CREW_MAX];
    pthread_t thread_of_0;
};

static struct ground ground;

static void prepare(void)
{
    memset(&ground, 0, sizeof ground);
    ground.queue.count = ITEMS;
    ground.broken = ITEMS;
}

static bo_status dig(void *ctx, bo_worker *worker, bo_error *err)
{
    struct ground *g = ctx;
    assert_false(g->came[worker->number]);
    g->came[worker->number] = true;
    if (worker->number == 0)
        g->thread_of_0 = pthread_self();
    for (size_t item = 0; bo_queue_take(worker, &item);) {
        if (item == g->broken)
            return bo_fail(err, BO_CORRUPT, "item %zu is broken", item);
        atomic_fetch_add(&g->taken[item], 1);
        atomic_fetch_add(&g->done, 1);
    }
    return BO_OK;
}

static void assert_done_by(uint32_t workers)
{
    for (int i = 0; i < ITEMS; i++)
        assert_int_equal(atomic_load(&ground.taken[i]), 1);
    for (uint32_t i = 0; i < BO_CREW_MAX; i++)
        assert_int_equal(ground.came[i], i < workers);
    assert_true(pthread_equal(ground.thread_of_0, pthread_self()));
}

static void each_item_is_taken_once(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 8; workers *= 2) {
        prepare();
        bo_error err = {0};
        assert_int_equal(bo_crew_run(&ground.queue, workers, dig, &ground, &err), BO_OK);
        assert_done_by(workers);
    }
}

static void there_are_not_more_workers_than_places(void **state)
{
    (void)state;
    prepare();
    assert_int_equal(bo_crew_run(&ground.queue, 1000, dig, &ground, NULL), BO_OK);
    assert_done_by(BO_CREW_MAX);
}

static void a_failure_ends_the_work_of_all(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 4; workers++) {
        prepare();
        ground.broken = 3;
        bo_error err = {0};
        assert_int_equal(bo_crew_run(&ground.queue, workers, dig, &ground, &err), BO_CORRUPT);
        assert_string_equal(err.text, "item 3 is broken");
        size_t item = 0;
        assert_false(bo_queue_take(&(bo_worker){.queue = &ground.queue}, &item));
        assert_true(workers > 1 || atomic_load(&ground.done) == 3);
    }
}

static bo_status fail_by_number(void *ctx, bo_worker *worker, bo_error *err)
{
    (void)ctx;
    return bo_fail(err, BO_BUSY, "worker %u", worker->number);
}

static void one_failure_is_told(void **state)
{
    (void)state;
    bo_queue queue = {.count = 1};
    bo_error err = {0};
    assert_int_equal(bo_crew_run(&queue, 4, fail_by_number, NULL, &err), BO_BUSY);
    assert_int_equal(strncmp(err.text, "worker ", 7), 0);
    assert_int_equal(strlen(err.text), strlen("worker 0"));
    assert_int_equal(bo_crew_run(&queue, 4, fail_by_number, NULL, NULL), BO_BUSY);
}

/* The last item fails first. */
static bo_status fail_in_turn(void *ctx, bo_worker *worker, bo_error *err)
{
    struct ground *g = ctx;
    size_t item = 0;
    if (!bo_queue_take(worker, &item))
        return bo_fail(err, BO_BUSY, "nothing is left to do");
    while (atomic_load(&g->done) < (int)(g->queue.count - item - 1))
        (void)usleep(100);
    atomic_fetch_add(&g->done, 1);
    return bo_fail(err, BO_CORRUPT, "item %zu is broken", item);
}

static void of_several_failures_the_first_item_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        bo_error err = {0};
        prepare();
        ground.queue.count = 4;
        assert_int_equal(bo_crew_run(&ground.queue, 5, fail_in_turn, &ground, &err), BO_CORRUPT);
        assert_string_equal(err.text, "item 0 is broken");
    }
}

static void without_threads_the_caller_does_it(void **state)
{
    (void)state;
    pthread_attr_t usual, endless;
    pthread_getattr_default_np(&usual);
    pthread_getattr_default_np(&endless);
    pthread_attr_setstacksize(&endless, (size_t)1 << 50); /* no machine has room for its stack */
    prepare();
    assert_int_equal(pthread_setattr_default_np(&endless), 0);
    bo_status st = bo_crew_run(&ground.queue, 4, dig, &ground, NULL);
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
    assert_int_equal(st, BO_OK);
    assert_done_by(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_taken_once),
        cmocka_unit_test(there_are_not_more_workers_than_places),
        cmocka_unit_test(a_failure_ends_the_work_of_all),
        cmocka_unit_test(one_failure_is_told),
        cmocka_unit_test(of_several_failures_the_first_item_is_told),
        cmocka_unit_test(without_threads_the_caller_does_it),
    };
    return cmocka_run_group_tests_name("base/crew", tests, NULL, NULL);
}
