/* SPDX-License-Identifier: Apache-2.0 */
/* src/report/text.h - results as text for people.
 *
 * Each function adds whole lines to `out`; a failed allocation marks `out` as failed.  All that
 * comes from a database or a file is made safe for terminals. */
#ifndef BO_REPORT_TEXT_H
#define BO_REPORT_TEXT_H

#include "backout/backout.h"
#include "report/grid.h"

#define BO_REPORT_LINES 20 /* conflicts, differences and rows shown of each kind; JSON has all */

void bo_text_point(bo_buf *out, const bo_style *style, const bo_point *point);
void bo_text_point_made(bo_buf *out, const bo_style *style, const bo_point *point);
void bo_text_points(bo_buf *out, const bo_style *style, const bo_point_list *list);
/** A plan (assess, dry run) or what was done. */
void bo_text_rollback(bo_buf *out, const bo_style *style, const bo_rollback *rollback);
void bo_text_verification(bo_buf *out, const bo_style *style, const bo_verification *verification);
void bo_text_change(bo_buf *out, const bo_style *style, const bo_change_report *report);
void bo_text_check(bo_buf *out, const bo_style *style, const bo_check *check);
void bo_text_prune(bo_buf *out, const bo_style *style, const bo_prune *prune, bool dry_run);
void bo_text_doctor(bo_buf *out, const bo_style *style, const bo_doctor *doctor);
void bo_text_audit(bo_buf *out, const bo_style *style, const bo_audit *audit);
void bo_text_chain(bo_buf *out, const bo_style *style, const bo_audit_result *result);

/** What the capture of a point covers, table by table; nothing when none was asked for. */
void bo_text_coverage(bo_buf *out, const bo_style *style, const bo_point *point);
/** Rows that a run may have written without its mark. */
void bo_text_untagged(bo_buf *out, const bo_point *point);
/** The rows of a table: "500", or "about 500" when nothing was read of it. */
void bo_text_rows(bo_grid *grid, const bo_point_table *table);

/** "2026-11-20 04:17:39" (UTC). */
void bo_text_time(bo_buf *out, int64_t time_us);

#endif
