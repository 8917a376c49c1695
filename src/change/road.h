/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/road.h - the common road of rollback and restore; what differs is given as a table of
 * functions. */
#ifndef BO_CHANGE_ROAD_H
#define BO_CHANGE_ROAD_H

#include "change/undo.h"

typedef struct bo_road {
    const char *kind;                                /* of the run: "rollback", "restore" */
    const char *event;                               /* in the audit log */
    bo_status (*plan)(bo_undo *undo, bo_error *err); /* inside the transaction it begins */
    bo_status (*decide)(
        const bo_undo *undo, bo_error *err); /* why the plan may not be carried out */
    bo_status (*carry_out)(
        bo_undo *undo, bo_error *err); /* protect, apply, prove; not the commit */
} bo_road;

/** Plans, decides, carries out, commits, records; *out as bo_rollback_execute() says. */
bo_status bo_undo_execute(bo_undo *undo, const bo_road *road, bo_rollback **out, bo_error *err);
/** The plan only, with a report; nothing is changed. */
bo_status bo_undo_rehearse(bo_undo *undo, const bo_road *road, bo_rollback **out, bo_error *err);
/** Parses what the record says of its tables; again, when the record was read again. */
bo_status bo_undo_read_details(bo_undo *undo, bo_error *err);
/** restore.c: bo_restore() over a connection that is open, which it takes over. */
bo_status bo_restore_over(bo_session *session, bo_target *target, const char *what,
    const bo_rollback_options *options, bo_rollback **out, bo_error *err);
/** Refuses the point of a dry run, unless this is one, too. */
bo_status bo_undo_check_real(const bo_undo *undo, bo_error *err);
/** Makes the per-part arrays of `undo`. */
bo_status bo_undo_allocate(bo_undo *undo, size_t part_count, bo_error *err);
/** Journals a step before it is acted on. */
bo_status bo_undo_step(bo_undo *undo, const char *name, const char *token, bo_error *err);
/** Frees everything, and removes a spooled intent. */
void bo_undo_done(bo_undo *undo);

#endif
