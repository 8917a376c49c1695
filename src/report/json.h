/* SPDX-License-Identifier: Apache-2.0 */
/* src/report/json.h - results as JSON: the keys that scripts read (docs/reference/json.md).
 *
 * Every function returns a new reference, or NULL: no memory.  Text that is not UTF-8 is escaped as
 * for a terminal. */
#ifndef BO_REPORT_JSON_H
#define BO_REPORT_JSON_H

#include <jansson.h>

#include "backout/backout.h"
#include "base/json.h"

json_t *bo_json_time(int64_t time_us); /* RFC 3339; null for 0 */

json_t *bo_json_error(const bo_error *err, const char *hint); /* hint: or NULL */
json_t *bo_json_point(const bo_point *point);                 /* all that is known */
json_t *bo_json_point_made(const bo_point *point);            /* point create, seal, run */
json_t *bo_json_points(const bo_point_list *list);            /* list */
json_t *bo_json_rollback(const bo_rollback *rollback);
json_t *bo_json_verification(const bo_verification *verification);
json_t *bo_json_change(const bo_change_report *report);
json_t *bo_json_check(const bo_check *check);
json_t *bo_json_prune(const bo_prune *prune);
json_t *bo_json_audit(const bo_audit *audit);
json_t *bo_json_chain(const bo_audit_result *result);
json_t *bo_json_doctor(const bo_doctor *doctor);
json_t *bo_json_progress(const bo_progress *progress);

#endif
