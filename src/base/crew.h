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

/** One of those who empty it, each with its own. */
typedef struct bo_worker {
    bo_queue *queue;
    uint32_t number; /* from 0: tells which worker's own state to use */
    size_t item;     /* that it took last; `count` before the first */
} bo_worker;

/** False: there is none left. */
bool bo_queue_take(bo_worker *worker, size_t *item_out);

#define BO_CREW_MAX 16u

typedef bo_status bo_crew_fn(void *ctx, bo_worker *worker, bo_error *err);

/**
 * Calls `fn` on this thread as worker 0 and as the others, BO_CREW_MAX in all at most, on threads
 * of their own; returns when all have.  A thread that cannot be made is no failure: the others
 * empty the queue.  A worker that fails closes it.  Of several failures the one at the first item
 * is returned, whoever was faster: what is wrong is told alike each time.
 */
bo_status bo_crew_run(bo_queue *queue, uint32_t workers, bo_crew_fn *fn, void *ctx, bo_error *err);

#endif
