/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/release.h - ending the capture of a point, as every verb does it that lets go of one.
 */
#ifndef BO_CHANGE_RELEASE_H
#define BO_CHANGE_RELEASE_H

#include "change/session.h"
#include "change/target.h"

/**
 * Ends the capture under a live run of the point: the step is journalled before the database is
 * asked, what it did is recorded after it.  Doing it again does what is left.
 */
bo_status bo_point_release_record(bo_session *session, bo_target *target, const char *run,
    bo_point_record *point, bo_arena *arena, bo_error *err);

/** The same under a run of its own, on a connection of its own. */
bo_status bo_point_release_alone(
    bo_session *session, const bo_database *database, const char *id, bool discard, bo_error *err);

#endif
