/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/take.h - taking a point, as every verb that must be reversible does it. */
#ifndef BO_CHANGE_TAKE_H
#define BO_CHANGE_TAKE_H

#include "change/snapshot.h"

#define BO_ID_SIZE 160

/** A new id rb_<migration>_<YYYYMMDD_HHMMSS>, with a suffix when it is taken; dry-run points get
 * DRY_RUN_ before it. */
bo_status bo_point_new_id(
    bo_session *session, const char *migration, bool dry_run, char out[BO_ID_SIZE], bo_error *err);

/**
 * Takes a point of what `options` says: the point and run records, the snapshot, its read-back.
 * @param target  not in a transaction.
 */
bo_status bo_point_take(bo_session *session, bo_target *target, const bo_point_options *options,
    char id_out[BO_ID_SIZE], bo_error *err);

/**
 * held.c: begins a run of `kind` on a point that this process has taken.
 * @param out  the record as it is under the run.
 * @retval BO_REFUSED  others came between: it is not as it was taken.
 */
bo_status bo_point_hold(bo_session *session, const char *kind, const char *id, bo_arena *arena,
    char run_out[64], bo_point_record *out, bo_error *err);
/**
 * held.c: writes the record in the same moment in which `run`, of the same point, is seen to be
 * running.
 * @retval BO_CONFLICT  it is not any more (another process found it dead): stop.
 */
bo_status bo_point_update_under(
    bo_session *session, const char *run, const bo_point_record *point, bo_error *err);

/** The catalog's `details` of a point: one object per table. `extents` and `counts` (a changeset's
 * draft) may be NULL. New reference; NULL: no memory. */
json_t *bo_point_details(const bo_part *parts, uint32_t count, const bo_extent *extents,
    const bo_draft *counts, double seconds);

/** The run as callers see it: with what to do where it did not come to its end.  next NULL: no
 * memory. */
bo_run_info bo_run_view(const bo_run_record *run, const bo_point_record *point, bo_arena *arena);

/** One point by id as a list, for the calls that return one. */
bo_status bo_point_view_one(
    bo_session *session, const char *id, bool with_runs, bo_point_list **out, bo_error *err);

#endif
