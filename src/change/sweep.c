/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/sweep.c - a queue of ranges and the threads that empty it. */
#include "change/sweep.h"

#include <pthread.h>
#include <string.h>

#include "base/step.h"

bo_status bo_jobs_add(bo_jobs *jobs, uint32_t table, uint32_t range, bo_span id, bo_error *err)
{
    bo_job *items = bo_arena_grow(jobs->arena, jobs->items, jobs->count, sizeof *items);
    uint8_t *copy = bo_arena_alloc(jobs->arena, id.size + 1);
    if (!items || !copy)
        return bo_nomem(err);
    if (id.size)
        memcpy(copy, id.data, id.size);
    jobs->items = items;
    items[jobs->count++] = (bo_job){.table = table, .range = range, .id = {copy, id.size}};
    return BO_OK;
}

struct adding {
    bo_jobs *jobs;
    uint32_t table;
};

static bo_status add_range(void *ctx, bo_span range, bo_error *err)
{
    struct adding *adding = ctx;
    return bo_jobs_add(adding->jobs, adding->table, BO_JOB_NEW, range, err);
}

bo_status bo_jobs_add_ranges(bo_jobs *jobs, bo_conn *conn, uint32_t table, const bo_part *part,
    const bo_span *known, size_t known_count, bo_error *err)
{
    struct adding adding = {jobs, table};
    return conn->driver->ranges(conn, part->now, known, known_count, add_range, &adding, err);
}

struct sweep {
    const bo_jobs *jobs;
    bo_job_fn *fn;
    void *ctx;
    const char *token;
    const bo_database *database;
    pthread_mutex_t lock;
    size_t next;      /* under lock */
    bo_status status; /* under lock: of the first failure */
    bo_error error;
};

static const bo_job *take_job(struct sweep *sweep)
{
    pthread_mutex_lock(&sweep->lock);
    const bo_job *job = NULL;
    if (sweep->status == BO_OK && sweep->next < sweep->jobs->count)
        job = &sweep->jobs->items[sweep->next++];
    pthread_mutex_unlock(&sweep->lock);
    return job;
}

static void report(struct sweep *sweep, bo_status st, const bo_error *error)
{
    pthread_mutex_lock(&sweep->lock);
    if (sweep->status == BO_OK && st != BO_OK) {
        sweep->status = st;
        sweep->error = *error;
    }
    pthread_mutex_unlock(&sweep->lock);
}

static void work(struct sweep *sweep, uint32_t worker, bo_conn *conn)
{
    const bo_job *job;
    while ((job = take_job(sweep))) {
        bo_error error = {0};
        bo_status st = bo_interrupt_check(&error);
        if (st == BO_OK)
            st = sweep->fn(sweep->ctx, worker, conn, job, &error);
        if (st != BO_OK)
            report(sweep, st, &error);
    }
}

struct helper {
    struct sweep *sweep;
    uint32_t worker;
    pthread_t thread;
    bool started;
};

static void *help(void *arg)
{
    struct helper *helper = arg;
    struct sweep *sweep = helper->sweep;
    bo_error error = {0};
    BO_OWN(bo_conn) *conn = NULL;
    bo_status st = bo_target_connect(sweep->database, NULL, &conn, &error);
    if (st == BO_OK)
        st = conn->driver->join(conn, sweep->token, &error);
    if (st != BO_OK)
        report(sweep, st, &error);
    else
        work(sweep, helper->worker, conn);
    return NULL;
}

static bo_status run_helpers(struct sweep *sweep, bo_conn *conn, uint32_t workers, bo_error *err)
{
    struct helper helpers[16] = {0};
    uint32_t extra = workers - 1 < 16 ? workers - 1 : 16;
    for (uint32_t i = 0; i < extra; i++) {
        helpers[i] = (struct helper){.sweep = sweep, .worker = i + 1};
        /* a thread that cannot be made is no failure: the others do its work */
        helpers[i].started = pthread_create(&helpers[i].thread, NULL, help, &helpers[i]) == 0;
    }
    work(sweep, 0, conn);
    for (uint32_t i = 0; i < extra; i++)
        if (helpers[i].started)
            pthread_join(helpers[i].thread, NULL);
    if (sweep->status != BO_OK && err)
        *err = sweep->error;
    return sweep->status;
}

bo_status bo_sweep(bo_target *target, const bo_jobs *jobs, uint32_t workers, bo_job_fn *fn,
    void *ctx, bo_error *err)
{
    struct sweep sweep = {.jobs = jobs, .fn = fn, .ctx = ctx, .database = target->database};
    BO_OWN_VALUE(bo_buf) token = {0};
    if (workers > jobs->count)
        workers = jobs->count ? (uint32_t)jobs->count : 1;
    if (workers > 1) {
        bo_status st = target->conn->driver->share(target->conn, &token, err);
        if (st != BO_OK)
            return st;
        sweep.token = bo_buf_str(&token);
    }
    pthread_mutex_init(&sweep.lock, NULL);
    bo_status st = run_helpers(&sweep, target->conn, workers ? workers : 1, err);
    pthread_mutex_destroy(&sweep.lock);
    return st;
}
