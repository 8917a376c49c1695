/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/ahead.h - missing tables, where making one commits (no BO_CAP_TRANSACTIONAL_DDL).
 *
 * They are made before the transaction that fills and proves them, and what comes after their rows
 * is made after its commit.  If it does not commit they are dropped again, unless others have
 * written to them.  Their names are in the journal of the run, so that what a crash leaves is
 * dropped, or completed, when the run is settled.
 */
#ifndef BO_CHANGE_AHEAD_H
#define BO_CHANGE_AHEAD_H

#include "change/undo.h"

/** False: on this database a definition is changed outside of transactions only. */
bool bo_ahead_not_needed(const bo_undo *undo);
/** Part `table` was made by bo_ahead_make(). */
bool bo_ahead_made(const bo_undo *undo, uint32_t table);
/** The names of the parts that are made, for the journal; NULL: there are none, or no memory. */
json_t *bo_ahead_names(const bo_undo *undo);
/** Makes the missing parts, without rows, once the journal has their names.  No transaction is
 * open. */
bo_status bo_ahead_make(bo_undo *undo, bo_error *err);
/** After the commit: triggers, and foreign keys of other tables.  What fails is warned of. */
void bo_ahead_finish(bo_undo *undo);
/** Without a commit: drops them. */
void bo_ahead_drop(bo_undo *undo);
/** The same for a dead run of `point` (a file: its path is the id), whose journal has `names`. */
void bo_ahead_recover(bo_session *session, bo_conn *conn, const bo_point_record *point,
    const json_t *names, bool committed);

#endif
