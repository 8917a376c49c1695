/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/store/keeper.h - a thread that renews the leases of the runs this process is at work on.
 *
 * A step may take hours, and a lease is a minute: without it, a process of another host that shares
 * the catalog would take the run for dead and begin to recover what is still at work.
 */
#ifndef BO_STORE_KEEPER_H
#define BO_STORE_KEEPER_H

#include "store/catalog_sql.h"

#define BO_LEASE_US       INT64_C(60000000)
#define BO_LEASE_EVERY_MS 20000u

typedef struct bo_keeper bo_keeper;

/**
 * Begins to keep the leases of this process's live runs in `catalog`, every `every_ms`, over a
 * connection of its own.  What fails is tried again after a tenth of that, so a lease is lost only
 * when the catalog cannot be written for most of a minute.  Where there is no memory or no thread
 * for it, NULL: leases are then renewed by the steps of a run.
 *
 * @param catalog  outlives the keeper.
 */
bo_keeper *bo_keeper_start(const bo_catalog *catalog, uint32_t every_ms);

/**
 * Waits for the thread to end: as long as its attempt takes if there is one just now.  For a lock
 * that is a twentieth of `every_ms`, a second.  For a PostgreSQL server whose host has fallen
 * silent it is as long as the link waits: 10 s to connect and 60 s for an answer, unless the URL
 * says otherwise.  In a child of the process that started it there is no thread, and only memory is
 * freed.
 */
void bo_keeper_free(bo_keeper *keeper);

#endif
