/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/sweep.h - operations with one kind of fault, at one place after the other. */
#ifndef BO_TESTS_FAULT_SWEEP_H
#define BO_TESTS_FAULT_SWEEP_H

#include "fault/scene.h"

/*
 * Places are many and servers slow, so of long sweeps some places are left out.  With
 * BACKOUT_TEST_SWEEP=full in the environment every place is tried, of every sweep.
 */
typedef struct sweep {
    fault_kind kind;
    const proxy_plan *network; /* of FAULT_NETWORK */
    const char *name;          /* "kill -9 at every step of" */
    const char *only;          /* operations, separated by commas; NULL: all that there are */
    const char *skip;          /* operations that it does not concern, or NULL */
    unsigned engines;          /* ON(...) */
    unsigned methods;          /* BY(...) */
    bool shared;               /* with the catalog in PostgreSQL */
    bool journal;              /* SQLite: with a rollback journal, not WAL */
    unsigned dense;            /* places that are all tried */
    unsigned stride;           /* from then on every so-manieth; 0: every place */
    bool full;                 /* only when every place is tried */
    unsigned full_stride;      /* what is too much to try all even then; 0: every place */
    unsigned longest_us;       /* not places but random moments up to here, or 0 */
    unsigned moments, full_moments;
} sweep;

/* Where methods have little that is their own. */
#define BY_EITHER (BY(BO_METHOD_SNAPSHOT) | BY(BO_METHOD_CAPTURE))

/** Runs it as a cmocka group, a test for each operation, engine and method; says at the end how
 * many faults there were and after how many all was as it has to be.
 * @param only  "*partial on SQLite": the tests whose names match; NULL: all. */
int sweep_run(const sweep *sweeps, size_t count, const char *only);

#endif
