/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/doctor.h - what is left in a database and in the catalog that nobody needs, what
 * is broken, and what of each table can be undone. */
#ifndef BACKOUT_DOCTOR_H
#define BACKOUT_DOCTOR_H

#include "backout/point.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bo_doctor_options {
    bool fix;     /* remove what nobody needs any more, settle rollbacks that died */
    bool foreign; /* with fix: also what belongs to points that this catalog does not know */
} bo_doctor_options;

/**
 * One thing that was found.  Kinds:
 * "unneeded-capture" (its point failed, was pruned or released), "half-capture" (a process died
 * while it took the point), "foreign-capture" (this catalog does not know the point; another one
 * may), "source-capture" (another server's, of which this one is or was a replica),
 * "harmful-capture" (replicas stop at what it writes), "broken-capture" (its journal cannot be
 * trusted), "still-capturing" (sealed, not released), "unseen" (the account may not look), "marker"
 * and "table-aside" (of a rollback that died), "dead-run", "failed-run".
 */
typedef struct bo_finding {
    const char *kind;
    bool bad;          /* or else only worth knowing */
    const char *point; /* id, or "" */
    const char *table; /* or "" */
    const char *run;   /* id, or "" */
    const char *what;  /* one sentence */
    const char *next;  /* what a person can do: a command, or "" */
    bool fixable;      /* bo_doctor_options.fix removes or settles it */
    bool foreign;      /* only together with bo_doctor_options.foreign */
    bool fixed;
} bo_finding;

/** What of one table can be undone: "covered", "covered with limits", "uncovered". */
typedef struct bo_table_coverage {
    const char *name;
    const char *snapshot; /* by points of method snapshot */
    const char *capture;  /* by points of method capture; "" where the database cannot capture */
    size_t reason_count;
    const char *const *reasons; /* limits, and why it is uncovered */
} bo_table_coverage;

typedef struct bo_doctor {
    const char *result; /* "clean"; "found": something bad is left */
    size_t finding_count;
    const bo_finding *findings;
    size_t table_count;
    const bo_table_coverage *tables;
} bo_doctor;
BO_API void bo_doctor_free(bo_doctor *doctor);

/**
 * Looks at the catalog and at what backout has in the database; with options->fix removes what
 * nobody needs, and settles rollbacks and restores that died: records follow what the database
 * committed.  Without fix nothing is changed.  A live run and what it uses are left alone.
 *
 * @param database  NULL: only the catalog's own records.
 * @param out       set on BO_OK and on BO_MISMATCH.
 * @retval BO_MISMATCH  something bad was found, and is still there.
 * @retval BO_DATABASE  the database cannot be reached or asked.
 */
BO_API BO_NODISCARD bo_status bo_doctor_examine(bo_session *session, const bo_database *database,
    const bo_doctor_options *options, bo_doctor **out, bo_error *err);

#ifdef __cplusplus
}
#endif
#endif
