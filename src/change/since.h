/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/since.h - what others did after the change: the changeset from the seal to now. */
#ifndef BO_CHANGE_SINCE_H
#define BO_CHANGE_SINCE_H

#include "change/content.h"

/**
 * Spools the changeset from what the change left to the tables as they are now.
 * @param name_out  of the spool file in the repository: the caller removes it.
 * @retval BO_REFUSED  not sealed, no snapshot, or a table changed its shape; err says which.
 */
bo_status bo_since_open(bo_session *session, bo_target *target, const bo_point_record *record,
    char name_out[64], bo_content **out, bo_error *err);

/** Refuses when what the change did to one of its tables is not known (DDL before the seal). */
bo_status bo_since_check_known(const bo_point_record *record, bo_error *err);

#endif
