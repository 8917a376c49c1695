/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/session.h - the inside of bo_session, and what every part of change/ does with it. */
#ifndef BO_CHANGE_SESSION_H
#define BO_CHANGE_SESSION_H

#include <pthread.h>

#include "backout/session.h"
#include "base/json.h"
#include "store/catalog.h"
#include "store/repository.h"

struct bo_session {
    bo_catalog *catalog;
    bo_repository *repository;
    char *actor;
    char *passphrase;
    bo_pack_key key;
    void (*progress)(void *ctx, const bo_progress *progress);
    void (*warn)(void *ctx, const char *text);
    void *ctx;
    pthread_mutex_t lock; /* of the progress state */
    int64_t told_us;      /* when progress was last told */
};
BO_DEFINE_SCOPE(bo_session);

static inline void json_ref_free(json_t *json)
{
    json_decref(json);
}
typedef json_t json_ref;
BO_DEFINE_SCOPE(json_ref); /* BO_OWN(json_ref) *x */

/** One long operation on its way; `add` may be called from any thread. */
typedef struct bo_meter {
    bo_session *session;
    const char *operation;
    const char *table;
    uint64_t total;
    uint64_t done;
    uint64_t bytes;
    int64_t started_us;
} bo_meter;
void bo_meter_start(bo_meter *meter, bo_session *session, const char *operation, uint64_t total);
void bo_meter_add(bo_meter *meter, const char *table, uint64_t rows, uint64_t bytes);

void bo_session_warn(bo_session *session, const char *format, ...) BO_PRINTF(2, 3);

/** Appends to the audit log; steals `details` (may be NULL). */
bo_status bo_session_audit(bo_session *session, const char *event, const char *object,
    const char *outcome, json_t *details, bo_error *err);
/** Records how an attempt ended, keeping `st` and `err` of the attempt itself; a failure to record
 * it is added to err. */
bo_status bo_session_audit_end(bo_session *session, const char *event, const char *object,
    bo_status st, json_t *details, bo_error *err);
/** Ends a run as `st` says.  Returns `st`, with `err` as it is; after BO_OK why it could not be
 * recorded. */
bo_status bo_session_run_end(bo_session *session, const char *run, bo_status st, bo_error *err);
const char *bo_outcome_name(bo_status st); /* "done", "refused", "failed", "mismatch", "unknown" */

#endif
