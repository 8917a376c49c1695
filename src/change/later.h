/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/later.h - rows that are not now as the change left them: what others did after it, and
 * beside it. */
#ifndef BO_CHANGE_LATER_H
#define BO_CHANGE_LATER_H

#include "change/diff.h"

/**
 * The diff from the point to now, less the sealed change: every row that is not as it was at the
 * point with the change in it.  `each` gets the row as it should be and as it is, tables in
 * ascending order.
 *
 * @param snapshot  described, inside a transaction, its parts set to be compared: as for bo_diff().
 */
bo_status bo_later_rows(bo_session *session, bo_target *target, const bo_point_record *record,
    bo_content *snapshot, bo_change_fn *each, void *ctx, bo_diff_result *result, bo_error *err);

#endif
