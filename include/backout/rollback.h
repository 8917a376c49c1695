/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/rollback.h - returning to a point: plan, execute with proof, verify later. */
#ifndef BACKOUT_ROLLBACK_H
#define BACKOUT_ROLLBACK_H

#include "backout/point.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bo_rollback_type {
    BO_ROLLBACK_FULL,    /* the tables as they were at the point */
    BO_ROLLBACK_PARTIAL, /* only what the sealed change did; everything else stays */
    BO_ROLLBACK_BACKUP,  /* whole tables straight from the snapshot file; dropped tables are made
                            again */
} bo_rollback_type;

typedef enum bo_on_conflict {
    BO_ON_CONFLICT_REFUSE,
    BO_ON_CONFLICT_SKIP,
    BO_ON_CONFLICT_REPLACE
} bo_on_conflict;

/** How far an undo follows the transactions that used what the change wrote. */
typedef enum bo_backout_mode {
    BO_BACKOUT_NO_CASCADE,        /* dependent transactions are conflicts */
    BO_BACKOUT_NON_CONFLICT_ONLY, /* only the rows that no other transaction used since */
    BO_BACKOUT_CASCADE,           /* dependent transactions are undone as well */
} bo_backout_mode;

typedef struct bo_rollback_options {
    bo_rollback_type type;
    const char *const *tables; /* these; with none here or below: all of the point */
    size_t table_count;
    const bo_scope_item
        *where; /* of these only rows that meet the predicate, as they are now or as they were */
    size_t where_count;
    bool only_added;  /* only delete what the change added */
    const char *user; /* captured points: only what this database user wrote; or NULL */
    const char *run;  /* captured points: only what this run wrote; or NULL */
    bo_backout_mode mode;
    bo_on_conflict on_conflict;
    bool by_column;     /* keep later writes to other columns of the same row */
    bool discard_later; /* full: others' later writes may go (they are exported first) */
    bool dry_run;       /* plan only; nothing is locked for longer than a read */
} bo_rollback_options;

/** A row that is not as the undo expects it. */
typedef struct bo_conflict {
    const char *table;
    const char *key;            /* "7", "(7, a)"; whole row without a key */
    const char *conflict_class; /* "data", "not-found", "exists", "constraint", "foreign-key" */
    const char *because;        /* one sentence that names rows, columns and constraints */
    size_t column_count;
    const char *const *columns; /* that differ from what the change left */
} bo_conflict;

/**
 * A transaction that used what the change, or another dependent, wrote: it wrote a row of theirs
 * again, or one that refers to it.  Captured points only.  The list is in the order of a tree.
 */
typedef struct bo_dependent {
    size_t parent;           /* position of what it depends on; SIZE_MAX: the change itself */
    unsigned depth;          /* 0: it depends on the change itself */
    const char *transaction; /* "" where the database tells no more than single writes */
    const char *user, *application, *run; /* "" where not known */
    const char *because;     /* "changed orders 7", "refers to orders 9 from order_items 31" */
    const char *table, *key; /* of the first row by which it depends */
    uint64_t rows;           /* by which it depends on its parent */
    bool undone;             /* mode cascade: it is undone together with the change */
} bo_dependent;

typedef struct bo_rollback_table {
    const char *name;
    uint64_t inserted, updated, deleted; /* planned (dry run) or done */
    uint64_t conflicts;
    uint64_t lost;     /* later writes of others that go */
    const char *proof; /* "match", "mismatch", "inconclusive", "" before */
} bo_rollback_table;

/** What a rollback would do (assess, dry run) or did. */
typedef struct bo_rollback {
    const char *id;     /* of the point */
    const char *type;   /* "full", ... */
    const char *status; /* "planned", "done", "refused", "failed", "unknown" */
    uint64_t inserted, updated, deleted;
    size_t conflict_count;  /* all of them */
    size_t conflict_listed; /* how many are in `conflicts` (at most 1000; the rest is in the report
                               file) */
    const bo_conflict *conflicts;
    size_t dependent_count;  /* all of them */
    size_t dependent_listed; /* at most 1000 */
    const bo_dependent *dependents;
    uint64_t lost_rows;
    bool lost_unclear; /* of some of them it is not known whether others wrote them: the shape of
                          their table changed */
    const char *lost_export; /* file with the rows that were given up: JSON Lines, or with
                                encryption a changeset, for bo_export(); NULL: none */
    const char *proof;       /* "match", "mismatch", "inconclusive" or "" */
    const char *undo_point;  /* id, or NULL */
    const char *plan_digest; /* BLAKE2b-256 of the plan, as in the audit log */
    double duration_s;
    double estimate_s;       /* assess: how long it should take */
    unsigned estimate_runs;  /* assess: as that many earlier rollbacks of this database did; 0: as
                                making the plan did */
    const char *recommended; /* assess: "partial", "full", "backup", "none" */
    const char *because;     /* assess: why */
    size_t table_count;
    const bo_rollback_table *tables;
    size_t note_count;
    const char *const *notes; /* what a person must know: DDL since the point, sequences, limits */
} bo_rollback;
BO_API void bo_rollback_free(bo_rollback *rollback);

/** What a rollback now would change, lose and conflict with.  Changes nothing. */
BO_API BO_NODISCARD bo_status bo_rollback_assess(bo_session *session, const bo_database *database,
    const char *id, bo_rollback **out, bo_error *err);

/**
 * Returns to a point, all or nothing, proved before it is committed.  The state before it becomes a
 * point itself (undo_point), so a rollback can be rolled back.
 *
 * @param out  set on BO_OK, and also on BO_CONFLICT, BO_REFUSED and BO_MISMATCH when there was a
 *             plan: the report.  NULL before the call tells which.  With dry_run conflicts are no
 *             failure: BO_OK, and they are in the report.
 * @retval BO_OK        done and proved; with on_conflict skip and conflicts skipped: BO_MISMATCH.
 * @retval BO_CONFLICT  conflicts, and the policy is refuse; nothing was changed.
 * @retval BO_REFUSED   type full would discard later writes, the table changed its shape, ...;
 * nothing was changed.
 * @retval BO_MISMATCH  conflicts were skipped (status "done"), or the proof failed and everything
 * was undone (status "failed").
 * @retval BO_CORRUPT   the snapshot is not what was written; nothing was changed.
 * @retval BO_BUSY      a table is locked, or another rollback of this point runs; nothing was
 * changed.
 * @retval BO_UNKNOWN   the link broke during COMMIT and cannot be made again; err says how to find
 * out.
 */
BO_API BO_NODISCARD bo_status bo_rollback_execute(bo_session *session, const bo_database *database,
    const char *id, const bo_rollback_options *options, bo_rollback **out, bo_error *err);

typedef enum bo_against { BO_AGAINST_BEFORE, BO_AGAINST_AFTER } bo_against;

typedef struct bo_difference {
    const char *key;
    const char *kind; /* "missing" (not in the table), "extra" (not in the point), "differs" */
    size_t column_count;
    const char *const *columns;
} bo_difference;

typedef struct bo_verify_table {
    const char *name;
    const char *result;  /* "match", "mismatch", "inconclusive" */
    const char *because; /* of an inconclusive one, or "" */
    uint64_t rows, expected_rows;
    uint64_t difference_count;
    size_t difference_listed; /* at most 1000 */
    const bo_difference *differences;
} bo_verify_table;

typedef struct bo_verification {
    const char *id;
    const char *result;
    size_t table_count;
    const bo_verify_table *tables;
    size_t note_count;
    const char *const *notes; /* what was not compared */
} bo_verification;
BO_API void bo_verification_free(bo_verification *verification);

/** Compares the tables with the point, byte for byte.  BO_MISMATCH (with *out set) when something
 * differs. */
BO_API BO_NODISCARD bo_status bo_verify(bo_session *session, const bo_database *database,
    const char *id, bo_against against, bo_verification **out, bo_error *err);

#ifdef __cplusplus
}
#endif
#endif
