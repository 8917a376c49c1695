/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/doctor.h - an examination on its way: what it reads, what it has found. */
#ifndef BO_CHANGE_DOCTOR_H
#define BO_CHANGE_DOCTOR_H

#include "backout/doctor.h"
#include "change/session.h"
#include "change/target.h"

typedef struct bo_examination {
    bo_session *session;
    bo_target *target; /* NULL: only the catalog */
    const bo_doctor_options *options;
    bo_arena *arena; /* owns all that is reported */
    bo_point_record *points;
    size_t point_count;
    bo_run_record *runs; /* newest first */
    size_t run_count;
    bo_finding *findings;
    size_t finding_count;
    bo_table_coverage *tables;
    size_t table_count;
} bo_examination;

/* ---- doctor_records.c ---- */
/** Adds a copy; strings must live as long as the arena, NULL ones become "". */
bo_status bo_doctor_add(bo_examination *examination, const bo_finding *finding, bo_error *err);
/** What may not be looked at is said, and no reason to stop: BO_OK for BO_DENIED, any other status
 * as it is. */
bo_status bo_doctor_denied(
    bo_examination *examination, const char *unseen, bo_status st, bo_error *err);
const bo_point_record *bo_doctor_point(const bo_examination *examination, const char *id);
/** The same as the catalog has it at this moment: others go on meanwhile.  *out is NULL when there
 * is none. */
bo_status bo_doctor_point_now(
    const bo_examination *examination, const char *id, const bo_point_record **out, bo_error *err);
const bo_run_record *bo_doctor_run(const bo_examination *examination, const char *id);
/** The same at this moment, where `point` is the run's or NULL. */
bo_status bo_doctor_run_now(const bo_examination *examination, const char *point, const char *id,
    const bo_run_record **out, bo_error *err);
typedef bool bo_run_test(const bo_run_record *run, const char *what);
/** The newest run at this moment, of `point` or (NULL) of all, that passes `test`; *out is NULL
 * when there is none. */
bo_status bo_doctor_find_now(const bo_examination *examination, const char *point,
    bo_run_test *test, const char *what, const bo_run_record **out, bo_error *err);
/** The point was taken of the database that is examined. */
bool bo_doctor_is_here(const bo_examination *examination, const bo_point_record *point);
/** A process is at work on the point. */
bool bo_doctor_is_live(const bo_examination *examination, const char *point);
/** The run that is at work on the point at this moment, or NULL.  A record that is read afterwards
 * says what became of it. */
bo_status bo_doctor_live_now(
    const bo_examination *examination, const char *point, const bo_run_record **out, bo_error *err);

/* ---- doctor_capture.c ---- */
/** Captures that nobody needs, that are broken, that were left half installed. */
bo_status bo_doctor_captures(bo_examination *examination, bo_error *err);
/** What of each table can be undone. */
bo_status bo_doctor_coverage(bo_examination *examination, bo_error *err);

/* ---- doctor_runs.c ---- */
/** Runs that did not come to an end, and what they left in the database. */
bo_status bo_doctor_runs(bo_examination *examination, bo_error *err);

/* ---- doctor_fix.c ---- */
/** Removes what the options let go; what could not be removed says why. */
bo_status bo_doctor_fix(bo_examination *examination, bo_error *err);

#endif
