/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/leftovers.h - what processes that died left in the repository, of no point's record.
 */
#ifndef BO_CHANGE_LEFTOVERS_H
#define BO_CHANGE_LEFTOVERS_H

#include "change/session.h"

/** Removes them.  Spooled diffs stay while some rollback or restore is at work. */
bo_status bo_leftovers_remove(bo_session *session, bo_error *err);

#endif
