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

#define HELPERS_MAX 16u

struct helper {
    struct sweep *sweep;
    uint32_t worker;
    bo_conn *conn; /* a twin; NULL: one that joins */
    pthread_t thread;
    bool started;
};

static void *help(void *arg)
{
    struct helper *helper = arg;
    struct sweep *sweep = helper->sweep;
    bo_error error = {0};
    bo_status st = BO_OK;
    if (!helper->conn) {
        st = bo_target_connect(sweep->database, NULL, &helper->conn, &error);
        if (st == BO_OK)
            st = helper->conn->driver->join(helper->conn, sweep->token, &error);
    }
    if (st != BO_OK)
        report(sweep, st, &error);
    else
        work(sweep, helper->worker, helper->conn);
    return NULL;
}

/* A database that has no twin to give now is read by the connections that there are. */
static uint32_t add_twins(
    struct sweep *sweep, bo_conn *conn, struct helper *helpers, uint32_t wanted)
{
    for (uint32_t i = 0; conn->driver->twin && i < wanted; i++) {
        bo_error error = {0};
        bo_status st = conn->driver->twin(conn, &helpers[i].conn, &error);
        if (st != BO_OK && st != BO_BUSY)
            report(sweep, st, &error);
        if (st != BO_OK)
            return i;
    }
    return wanted;
}

static bo_status run_helpers(struct sweep *sweep, bo_conn *conn, uint32_t workers, bo_error *err)
{
    struct helper helpers[HELPERS_MAX] = {0};
    uint32_t wanted = workers - 1 < HELPERS_MAX ? workers - 1 : HELPERS_MAX;
    uint32_t extra = add_twins(sweep, conn, helpers, wanted);
    for (uint32_t i = 0; i < extra; i++) {
        helpers[i].sweep = sweep;
        helpers[i].worker = i + 1;
        /* a thread that cannot be made is no failure: the others do its work */
        helpers[i].started = pthread_create(&helpers[i].thread, NULL, help, &helpers[i]) == 0;
    }
    work(sweep, 0, conn);
    for (uint32_t i = 0; i < extra; i++) {
        if (helpers[i].started)
            pthread_join(helpers[i].thread, NULL);
        bo_conn_free(helpers[i].conn);
    }
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
    if (workers > 1 && target->conn->driver->share) {
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
