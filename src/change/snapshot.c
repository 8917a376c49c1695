/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/snapshot.c - every range becomes frames; each worker compresses its own. */
#include "change/snapshot.h"

#include <string.h>

#include "base/step.h"
#include "change/sweep.h"

#define WORKERS_MAX     17u
#define INTERRUPT_EVERY 4096u

struct reading {
    const bo_part *parts;
    bo_draft *draft;
    bo_frame_writer *frames[WORKERS_MAX];
    bo_extent *extents;
    pthread_mutex_t lock; /* of extents */
    bo_meter meter;
};

struct reading_range {
    bo_frame_writer *frame;
    uint64_t rows;
};

static bo_status keep_row(void *ctx, bo_image row, bo_error *err)
{
    struct reading_range *range = ctx;
    if (++range->rows % INTERRUPT_EVERY == 0) {
        bo_status st = bo_interrupt_check(err);
        if (st != BO_OK)
            return st;
    }
    return bo_frame_writer_row(range->frame, row, err);
}

static bo_status read_range(
    void *ctx, uint32_t worker, bo_conn *conn, const bo_job *job, bo_error *err)
{
    struct reading *reading = ctx;
    const bo_part *part = &reading->parts[job->table];
    struct reading_range range = {.frame = reading->frames[worker]};
    uint32_t number = 0;
    bo_status st = bo_pack_writer_range(reading->draft->writer, job->table, job->id, &number, err);
    if (st != BO_OK)
        return st;
    bo_frame_writer_begin(range.frame, job->table, number);
    bo_scan scan = {
        .table = part->now, .shape = part->was, .range = job->id, .predicate = part->predicate};
    st = conn->driver->scan(conn, &scan, keep_row, &range, err);
    if (st == BO_OK)
        st = bo_frame_writer_flush(range.frame, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read table '%s'", part->was->name);
    bo_extent extent = {0};
    bo_frame_writer_total(range.frame, &extent.digest, &extent.bytes);
    pthread_mutex_lock(&reading->lock);
    bo_digest_merge(&reading->extents[job->table].digest, &extent.digest);
    reading->extents[job->table].bytes += extent.bytes;
    pthread_mutex_unlock(&reading->lock);
    bo_meter_add(&reading->meter, part->was->name, extent.digest.rows, extent.bytes);
    return BO_OK;
}

static bo_status list_jobs(
    bo_target *target, const bo_part *parts, uint32_t count, bo_jobs *jobs, bo_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].unstored)
            continue;
        /* rows chosen by a predicate are few: one range, so that an index can serve it */
        bo_status st = parts[i].predicate
                           ? bo_jobs_add(jobs, i, BO_JOB_NEW, (bo_span){0}, err)
                           : bo_jobs_add_ranges(jobs, target->conn, i, &parts[i], NULL, 0, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot divide table '%s'", parts[i].was->name);
    }
    return BO_OK;
}

static uint64_t estimate_rows(
    bo_target *target, const bo_part *parts, uint32_t count, uint64_t *bytes_out)
{
    uint64_t rows = 0, bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t table_rows = 0, table_bytes = 0;
        bo_error ignored = {
            0}; /* an estimate that cannot be had is 0: it must not fail what it is for */
        if (!parts[i].unstored && !parts[i].predicate &&
            target->conn->driver->estimate(
                target->conn, parts[i].now, &table_rows, &table_bytes, &ignored) == BO_OK) {
            rows += table_rows;
            bytes += table_bytes;
        }
    }
    *bytes_out = bytes;
    return rows;
}

bo_status bo_snapshot_check_space(bo_session *session, bo_target *target, const bo_part *parts,
    uint32_t count, uint64_t *rows_out, bo_error *err)
{
    uint64_t bytes = 0;
    *rows_out = estimate_rows(target, parts, count, &bytes);
    /* compressed rows take about half of the table's own pages; a quarter more for safety */
    return bo_repository_check_space(session->repository, bytes / 2 + bytes / 8 + (1u << 20), err);
}

bo_status bo_snapshot_read(bo_session *session, bo_target *target, const bo_part *parts,
    uint32_t count, uint32_t workers, bo_draft *draft, bo_extent *extents, bo_error *err)
{
    struct reading reading = {.parts = parts, .draft = draft, .extents = extents};
    memset(extents, 0, count * sizeof *extents);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_jobs jobs = {.arena = arena};
    bo_status st = list_jobs(target, parts, count, &jobs, err);
    uint64_t bytes = 0;
    bo_meter_start(
        &reading.meter, session, "snapshot", estimate_rows(target, parts, count, &bytes));
    if (workers > WORKERS_MAX)
        workers = WORKERS_MAX;
    for (uint32_t i = 0; st == BO_OK && i < workers; i++)
        st = bo_frame_writer_create(draft->writer, &reading.frames[i], err);
    pthread_mutex_init(&reading.lock, NULL);
    if (st == BO_OK)
        st = bo_sweep(target, &jobs, workers, read_range, &reading, err);
    pthread_mutex_destroy(&reading.lock);
    for (uint32_t i = 0; i < workers; i++)
        bo_frame_writer_free(reading.frames[i]);
    return st;
}

bo_status bo_snapshot_write(bo_session *session, bo_target *target, const bo_part *parts,
    uint32_t count, uint32_t workers, const char *name, const char *point, bo_extent *extents,
    char root_hex[65], bo_error *err)
{
    BO_OWN(bo_draft) *draft = NULL;
    bo_status st = bo_draft_create(
        session, BO_PACK_SNAPSHOT, name, point, &target->identity, parts, count, &draft, err);
    if (st == BO_OK)
        st = bo_snapshot_read(session, target, parts, count, workers, draft, extents, err);
    if (st == BO_OK)
        st = bo_draft_commit(session, draft, name, err);
    if (st == BO_OK)
        memcpy(root_hex, draft->root_hex, sizeof draft->root_hex);
    return st;
}
