/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/pace.h - how long rollbacks of a database took, phase by phase, so that the next one
 * can be estimated.
 *
 * It is part of the record of every rollback's run.  An estimate never fails: where nothing is
 * known, or nothing can be read, there is none.
 */
#ifndef BO_CHANGE_PACE_H
#define BO_CHANGE_PACE_H

#include <jansson.h>
#include <stdint.h>

struct bo_session;

enum {
    BO_PACE_PLAN,
    BO_PACE_PROTECT,
    BO_PACE_APPLY,
    BO_PACE_PROVE,
    BO_PACE_COMMIT,
    BO_PACE_PHASES
};

/** Of a rollback on its way; `{ 0 }` before it. */
typedef struct bo_pace {
    int phase; /* that runs, from 1; 0: none */
    int64_t since_us;
    double seconds[BO_PACE_PHASES];
} bo_pace;

/** The step of the run that begins now ends the one before. */
void bo_pace_step(bo_pace *pace, const char *step);
/** {"rows": 7, "planning": 0.1, ...}; NULL: no memory. */
json_t *bo_pace_json(const bo_pace *pace, uint64_t rows);

/**
 * Seconds that a rollback of `rows` rows will take on this database once it is planned, as the
 * last ones did.
 *
 * @param runs_out  how many those were; 0: not known, and 0 is returned.
 */
double bo_pace_estimate(
    struct bo_session *session, const char *server, uint64_t rows, unsigned *runs_out);

#endif
