/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/sweep.h - every operation with one kind of fault, at every place, on both engines. */
#ifndef BO_TESTS_FAULT_SWEEP_H
#define BO_TESTS_FAULT_SWEEP_H

#include "fault/scene.h"

typedef struct sweep {
    fault_kind kind;
    const char *name; /* "kill -9 at every step of" */
    const char *skip; /* operations that it does not concern, or NULL */
    bool sqlite, postgres;
    bool shared;     /* with the catalog in PostgreSQL */
    unsigned dense;  /* places that are all tried; 0: every place */
    unsigned stride; /* from then on every so-manieth */
} sweep;

/** Runs it as a cmocka group, a test for each operation and engine.
 * @param only  "*partial on SQLite": the tests whose names match; NULL: all. */
int sweep_run(const sweep *sweeps, size_t count, const char *only);

#endif
