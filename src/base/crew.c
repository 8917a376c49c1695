/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/crew.c - starting a crew, and waiting for it. */
#include "base/crew.h"

#include <pthread.h>

bool bo_queue_take(bo_worker *worker, size_t *item_out)
{
    *item_out = worker->item = atomic_fetch_add(&worker->queue->next, 1);
    return *item_out < worker->queue->count;
}

struct crew {
    bo_crew_fn *fn;
    void *ctx;
    pthread_mutex_t lock;
    bo_status status; /* under lock: of the failure that is told */
    size_t item;      /* under lock: where it was; SIZE_MAX: nowhere */
    bo_error *err;    /* under lock; or NULL */
};

struct member {
    struct crew *crew;
    bo_worker worker;
    pthread_t thread;
};

/* All items before the one that failed were taken, and are worked at to their ends. */
static void *work(void *arg)
{
    struct member *member = arg;
    struct crew *crew = member->crew;
    bo_worker *worker = &member->worker;
    bo_error error = {0};
    bo_status st = crew->fn(crew->ctx, worker, &error);
    if (st == BO_OK)
        return NULL;
    atomic_store(&worker->queue->next, worker->queue->count);
    pthread_mutex_lock(&crew->lock);
    if (worker->item < crew->item) {
        crew->status = st;
        crew->item = worker->item;
        if (crew->err)
            *crew->err = error;
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

static struct member join(struct crew *crew, bo_queue *queue, uint32_t number)
{
    return (struct member){
        .crew = crew, .worker = {.queue = queue, .number = number, .item = queue->count}};
}

bo_status bo_crew_run(bo_queue *queue, uint32_t workers, bo_crew_fn *fn, void *ctx, bo_error *err)
{
    struct crew crew = {.fn = fn, .ctx = ctx, .status = BO_OK, .item = SIZE_MAX, .err = err};
    struct member members[BO_CREW_MAX] = {join(&crew, queue, 0)};
    uint32_t count = 1;
    if (workers > BO_CREW_MAX)
        workers = BO_CREW_MAX;
    pthread_mutex_init(&crew.lock, NULL);
    for (; count < workers; count++) {
        members[count] = join(&crew, queue, count);
        if (pthread_create(&members[count].thread, NULL, work, &members[count]) != 0)
            break;
    }
    (void)work(&members[0]);
    for (uint32_t i = 1; i < count; i++)
        pthread_join(members[i].thread, NULL);
    pthread_mutex_destroy(&crew.lock);
    return crew.status;
}
