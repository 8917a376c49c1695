/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/sweep.h - reading many ranges of many tables over several connections of one snapshot.
 */
#ifndef BO_CHANGE_SWEEP_H
#define BO_CHANGE_SWEEP_H

#include "change/target.h"

typedef struct bo_job {
    uint32_t table; /* position in the parts */
    uint32_t range; /* position in the pack's ranges, or BO_JOB_NEW */
    bo_span id;     /* the driver's words for the range; size 0: the whole table */
} bo_job;
#define BO_JOB_NEW UINT32_MAX

typedef struct bo_jobs {
    bo_arena *arena;
    bo_job *items;
    size_t count;
} bo_jobs;

bo_status bo_jobs_add(bo_jobs *jobs, uint32_t table, uint32_t range, bo_span id, bo_error *err);
/** Adds the ranges of `part` that are not in `known`. */
bo_status bo_jobs_add_ranges(bo_jobs *jobs, bo_conn *conn, uint32_t table, const bo_part *part,
    const bo_span *known, size_t known_count, bo_error *err);

/** Does one job on `conn`; `worker` counts from 0 and tells which worker's own state to use. */
typedef bo_status bo_job_fn(
    void *ctx, uint32_t worker, bo_conn *conn, const bo_job *job, bo_error *err);

/**
 * Runs every job, on the target's own connection (worker 0, inside its open transaction) and on up
 * to workers - 1 more that see the same snapshot.  The first failure stops all; its error is
 * returned.  With one worker, or where no other connection can see the same (uncommitted rows must
 * be seen, or too many others commit), jobs run one after the other in order.
 */
bo_status bo_sweep(bo_target *target, const bo_jobs *jobs, uint32_t workers, bo_job_fn *fn,
    void *ctx, bo_error *err);

#endif
