/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/store/keeper.h - a thread that renews the leases of this process's runs.
 *
 * A step may take hours, and a lease is a minute: without it, a process of another host that shares
 * the catalog would take the run for dead and begin to recover what is still at work.
 */
#ifndef BO_STORE_KEEPER_H
#define BO_STORE_KEEPER_H

#include "store/catalog_sql.h"

#define BO_LEASE_US       INT64_C(60000000)
#define BO_LEASE_EVERY_MS 20000u /* two renewals may fail */

typedef struct bo_keeper bo_keeper;

/**
 * Begins to keep the leases of all runs that this process has in `catalog`, over a connection of
 * its own, from `every_ms` on.  Where there is no memory or no thread for it, NULL: leases are then
 * renewed by the steps of a run.
 */
bo_keeper *bo_keeper_start(const bo_catalog *catalog, uint32_t every_ms);

/** Waits for the thread to end.  In a child of the process that started it there is no thread. */
void bo_keeper_free(bo_keeper *keeper);

#endif
