/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/crew.h - several threads at one list of work. */
#ifndef BO_BASE_CREW_H
#define BO_BASE_CREW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** Items 0 ... count - 1: each is taken once, by whoever is free. */
typedef struct bo_queue {
    size_t count;
    atomic_size_t next;
} bo_queue;

/** False: there is none left. */
bool bo_queue_take(bo_queue *queue, size_t *item_out);

#define BO_CREW_MAX 16u

/** `worker` counts from 0 and tells which worker's own state to use. */
typedef bo_status bo_crew_fn(void *ctx, uint32_t worker, bo_error *err);

/**
 * Calls `fn` on this thread as worker 0 and as the others, BO_CREW_MAX in all at most, on threads
 * of their own; returns when all have.  A thread that cannot be made is no failure: the others
 * empty the queue.  A worker that fails closes it, and the first failure is returned.
 */
bo_status bo_crew_run(bo_queue *queue, uint32_t workers, bo_crew_fn *fn, void *ctx, bo_error *err);

#endif
