/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/store/live.h - the runs that this process is at work on.
 *
 * That the process lives does not say that it still works on a run: the end of one may not have
 * been recorded, because the catalog was locked just then.  So whoever decides about a run of this
 * very process, or renews its lease, asks here.  One list for all catalogs and threads.
 */
#ifndef BO_STORE_LIVE_H
#define BO_STORE_LIVE_H

#include "store/catalog.h"

/** Inside the transaction that records its beginning.  False: no memory. */
bool bo_live_add(const bo_catalog *catalog, const char *run);
/** That transaction has ended: what was added in it stays if it was kept. */
void bo_live_settle(const bo_catalog *catalog, bool kept);
/** The run is over, recorded or not.  One that is not there is ignored. */
void bo_live_remove(const char *run);
/** All of `catalog`, which goes away. */
void bo_live_remove_all(const bo_catalog *catalog);

bool bo_live_has(const char *run);
/** Adds the ids, each with its 0. */
void bo_live_list(bo_buf *out);

#endif
