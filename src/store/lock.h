/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/store/lock.h - what is said when a lock of the catalog was waited for in vain: who has it.
 *
 * Two locks keep processes apart: the write lock of the whole catalog, held for moments, and the
 * live run of a point, held as long as the work on it takes.
 */
#ifndef BO_STORE_LOCK_H
#define BO_STORE_LOCK_H

#include "store/catalog_sql.h"

#define BO_LOCK_TIMEOUT_MS 10000u /* when nobody says another */

/** BO_BUSY for the write lock: the process that holds it, where that can be told, and the runs that
 * are at work.  Reading them does not wait for it. */
bo_status bo_catalog_busy(bo_catalog *catalog, bo_error *err);

/** BO_BUSY for `point`, which the live `run` holds. */
bo_status bo_point_busy(const char *point, const bo_run_record *run, bo_error *err);

/** Waits a moment before a lock is tried again; BO_INTERRUPTED. */
bo_status bo_lock_pause(bo_error *err);

#endif
