/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/run.h - a protected change: point, change, seal; rolled back when it fails. */
#ifndef BACKOUT_RUN_H
#define BACKOUT_RUN_H

#include "backout/rollback.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bo_run bo_run;

/** Takes the point and begins the run.  What the caller then does to the database is the change.
 * `database` is copied; the session is freed after the run. */
BO_API BO_NODISCARD bo_status bo_run_begin(bo_session *session, const bo_database *database,
    const bo_point_options *options, bo_run **out, bo_error *err);
BO_API const char *bo_run_id(const bo_run *run); /* for BACKOUT_RUN_ID and application_name */
BO_API const char *bo_run_point_id(const bo_run *run);
/** The whole change is made by bo_sql_execute() with this run's id, and nothing in it takes the
 * mark off: what does not carry it is others'.  Otherwise a change of which nothing carries the
 * mark is in doubt. */
BO_API void bo_run_trust_mark(bo_run *run);
/** Tells that the change is still going; renews the lease.  Call at least every 20 seconds. */
BO_API BO_NODISCARD bo_status bo_run_alive(bo_run *run, bo_error *err);
/**
 * The change went well: seals the point.  *out (may be NULL) as from bo_point_seal().
 *
 * When the point cannot be sealed (an interrupt, a full disk), the run has not ended: end it again,
 * or bo_run_fail() or bo_run_abandon() it.
 *
 * @retval BO_INVALID  it failed or was abandoned before.
 */
BO_API BO_NODISCARD bo_status bo_run_end(bo_run *run, bo_point_list **out, bo_error *err);
/**
 * The change failed: seals, and undoes what it did: type partial, or type full where it altered the
 * shape of a table; then its capture is ended.  `why` goes into the audit log.  After an interrupt,
 * bo_interrupt_clear() first.
 *
 * @param out         as from bo_rollback_execute().
 * @retval BO_FAILED  rows were written meanwhile and none carries the run's mark: nothing was
 *                    undone, because whether they are the change's is not known.
 */
BO_API BO_NODISCARD bo_status bo_run_fail(
    bo_run *run, const char *why, bo_rollback **out, bo_error *err);
/** Ends the record without rolling back (--no-rollback). */
BO_API BO_NODISCARD bo_status bo_run_abandon(bo_run *run, const char *why, bo_error *err);
/** A run that was neither ended nor failed is failed first: a protected transaction rolls back on
 * any way out.  In a child process only its memory goes. */
BO_API void bo_run_free(bo_run *run);

/** Executes an SQL text statement by statement on a connection of its own.  err names line and
 * statement. */
BO_API BO_NODISCARD bo_status bo_sql_execute(const bo_database *database, const char *run_id,
    const char *sql, size_t size, bool one_transaction, bool keep, bo_error *err);

/** Called inside the open transaction of bo_run_dry() for every table, with what would change. */
typedef struct bo_dry_row {
    const char *table, *key, *kind; /* kind: "insert", "update", "delete" */
    size_t column_count;
    const char *const *columns;
} bo_dry_row;

/** What a change did or would do. */
typedef struct bo_change_report {
    const char *point; /* DRY_RUN_rb_... */
    uint64_t inserted, updated, deleted;
    size_t table_count;
    const bo_rollback_table *tables;
    const char *const *closures; /* of each: how foreign keys reach rows of it that were not named;
                                    or NULL */
    size_t row_listed;           /* at most 1000 */
    const bo_dry_row *rows;
} bo_change_report;
BO_API void bo_change_report_free(bo_change_report *report);

/**
 * Executes the SQL in one transaction, reads what it changed, and rolls the transaction back:
 * nothing stays changed (sequences excepted, on PostgreSQL).  Leaves a DRY_RUN_ point to rehearse
 * with.
 */
BO_API BO_NODISCARD bo_status bo_run_dry(bo_session *session, const bo_database *database,
    const bo_point_options *options, const char *sql, size_t size, bo_change_report **out,
    bo_error *err);

#ifdef __cplusplus
}
#endif
#endif
