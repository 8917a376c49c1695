/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/unsettled.h - rollbacks and restores of which nobody knows yet what became of them.
 *
 * Such a run died, or lost the answer to its COMMIT.  Recovery (docs/design/recovery.md) asks the
 * marker and ends it as "done" or "failed"; until then its point, its undo point and its marker are
 * needed, however many runs of the point have come since.
 */
#ifndef BO_CHANGE_UNSETTLED_H
#define BO_CHANGE_UNSETTLED_H

#include "store/catalog.h"

/** It is a rollback or a restore. */
bool bo_run_undoes(const bo_run_record *run);
bool bo_run_is_unsettled(const bo_run_record *run);
/** The marker is of this run.  A restore that kept nothing has no undo point, and a marker still.
 */
bool bo_run_has_marker(const bo_run_record *run, const char *marker);

#endif
