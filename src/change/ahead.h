/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/ahead.h - missing tables, where making one commits (no BO_CAP_TRANSACTIONAL_DDL).
 *
 * They are made before the transaction that fills and proves them, and what comes after their rows
 * is made after its commit.  If it does not commit they are dropped again, unless others have
 * written to them.  What a crash leaves is empty tables, which the next restore fills.
 */
#ifndef BO_CHANGE_AHEAD_H
#define BO_CHANGE_AHEAD_H

#include "change/undo.h"

/** False: on this database a definition is changed outside of transactions only. */
bool bo_ahead_not_needed(const bo_undo *undo);
/** Part `table` was made by bo_ahead_make(). */
bool bo_ahead_made(const bo_undo *undo, uint32_t table);
/** Makes the missing parts, without rows.  No transaction is open. */
bo_status bo_ahead_make(bo_undo *undo, bo_error *err);
/** After the commit: triggers, and foreign keys of other tables.  What fails is warned of. */
void bo_ahead_finish(bo_undo *undo);
/** Without a commit: drops them. */
void bo_ahead_drop(bo_undo *undo);

#endif
