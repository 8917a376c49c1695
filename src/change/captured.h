/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/captured.h - what the record of a point says of its capture. */
#ifndef BO_CHANGE_CAPTURED_H
#define BO_CHANGE_CAPTURED_H

#include "change/session.h"

/** Tables were captured for it.  A point that could not be taken does not know its tables; its
 * capture may have begun. */
bool bo_point_was_captured(const bo_point_record *point);
/** Its capture was ended. */
bool bo_point_is_released(const bo_point_record *point);
/** What is captured under the point's name is another catalog's. */
bool bo_point_is_captured_elsewhere(const bo_point_record *point);
/** Changes are captured for this point as far as the catalog knows: it is not released yet. */
bool bo_point_captures(const bo_point_record *point);

#endif
