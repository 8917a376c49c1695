/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/aside.h - a big table that is not there is filled aside, by several connections.
 *
 * One transaction has one connection, so it loads and proves on one processor.  A table that does
 * not exist yet can be made out of sight instead (bo_driver.put_aside), filled and read back by
 * several, and brought to its place by the transaction that restores it: until that commits nobody
 * sees it, and what a crash leaves is found by the name of its run and dropped.
 */
#ifndef BO_CHANGE_ASIDE_H
#define BO_CHANGE_ASIDE_H

#include "change/undo.h"

/** Makes tables for the missing parts that are big enough (bo_part.aside); one that cannot be put
 * aside is left to the ordinary way.  No transaction is open. */
void bo_aside_make(bo_undo *undo);
/** Fills them.  The frames are checked as they are read.  No transaction is open. */
bo_status bo_aside_fill(bo_undo *undo, bo_error *err);
/** In the transaction that restores: locks the tables aside, reads them back, compares, and brings
 * them to their places. */
bo_status bo_aside_bring(bo_undo *undo, bo_error *err);
/** Drops what run `run` left aside. */
bo_status bo_aside_drop(bo_conn *conn, const char *run, bo_error *err);

#endif
