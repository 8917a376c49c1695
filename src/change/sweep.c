/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/sweep.c - a queue of ranges and the threads that empty it. */
#include "change/sweep.h"

#include <string.h>

#include "base/crew.h"
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
    bo_queue queue;
    bo_conn *conns[BO_CREW_MAX]; /* by worker: the target's own, twins; NULL: one that joins */
};

static bo_status join(struct sweep *sweep, bo_conn **conn, bo_error *err)
{
    bo_status st = bo_target_connect(sweep->database, NULL, conn, err);
    return st == BO_OK ? (*conn)->driver->join(*conn, sweep->token, err) : st;
}

static bo_status work(void *ctx, bo_worker *worker, bo_error *err)
{
    struct sweep *sweep = ctx;
    bo_conn **conn = &sweep->conns[worker->number];
    bo_status st = *conn ? BO_OK : join(sweep, conn, err);
    for (size_t at = 0; st == BO_OK && bo_queue_take(worker, &at);) {
        st = bo_interrupt_check(err);
        if (st == BO_OK)
            st = sweep->fn(sweep->ctx, worker->number, *conn, &sweep->jobs->items[at], err);
    }
    return st;
}

/* A database that has no twin to give now is read by the connections that there are. */
static bo_status add_twins(struct sweep *sweep, uint32_t *workers, bo_error *err)
{
    bo_conn *conn = sweep->conns[0];
    for (uint32_t i = 1; conn->driver->twin && i < *workers; i++) {
        bo_error error = {0};
        bo_status st = conn->driver->twin(conn, &sweep->conns[i], &error);
        if (st == BO_OK)
            continue;
        *workers = i;
        if (st != BO_BUSY && err)
            *err = error;
        return st == BO_BUSY ? BO_OK : st;
    }
    return BO_OK;
}

static bo_status run(struct sweep *sweep, uint32_t workers, bo_error *err)
{
    if (workers > BO_CREW_MAX)
        workers = BO_CREW_MAX;
    bo_status st = add_twins(sweep, &workers, err);
    if (st == BO_OK)
        st = bo_crew_run(&sweep->queue, workers, work, sweep, err);
    for (uint32_t i = 1; i < BO_CREW_MAX; i++)
        bo_conn_free(sweep->conns[i]);
    return st;
}

bo_status bo_sweep(bo_target *target, const bo_jobs *jobs, uint32_t workers, bo_job_fn *fn,
    void *ctx, bo_error *err)
{
    struct sweep sweep = {.jobs = jobs,
        .fn = fn,
        .ctx = ctx,
        .database = target->database,
        .queue = {.count = jobs->count},
        .conns = {target->conn}};
    BO_OWN_VALUE(bo_buf) token = {0};
    if (workers > jobs->count)
        workers = (uint32_t)jobs->count;
    if (workers > 1 && target->conn->driver->share) {
        bo_status st = target->conn->driver->share(target->conn, &token, err);
        if (st != BO_OK)
            return st;
        sweep.token = bo_buf_str(&token);
    }
    return run(&sweep, workers, err);
}
