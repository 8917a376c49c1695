/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/audit.h - the audit log: every attempt, hash-chained. */
#ifndef BACKOUT_AUDIT_H
#define BACKOUT_AUDIT_H

#include "backout/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bo_audit_entry {
    uint64_t sequence;
    int64_t time_us;
    const char *event, *actor, *object, *outcome;
    const char *details; /* JSON object */
    const char *hash;
} bo_audit_entry;

typedef struct bo_audit bo_audit;
/** The newest `limit` records (0: all), newest first. */
BO_API BO_NODISCARD bo_status bo_audit_read(
    bo_session *session, uint32_t limit, bo_audit **out, bo_error *err);
BO_API size_t bo_audit_count(const bo_audit *audit);
BO_API const bo_audit_entry *bo_audit_get(const bo_audit *audit, size_t index);
BO_API void bo_audit_free(bo_audit *audit);

/** Records an attempt that was refused before the library was asked (no confirmation, --production
 * missing). */
BO_API BO_NODISCARD bo_status bo_audit_note(bo_session *session, const char *event,
    const char *object, const char *outcome, const char *why, bo_error *err);

typedef struct bo_audit_result {
    uint64_t records;
    bool whole;
    uint64_t broken_at; /* sequence of the first broken link; 0 when whole */
    char reason[160];
    char head[65]; /* hash of the newest record: keep it elsewhere to notice a cut or rewritten log
                    */
} bo_audit_result;
/** Recomputes the chain.  @param file an exported rollback_audit.json instead of the catalog
 * (`session` may be NULL then), or NULL.  BO_MISMATCH (with *out filled) when a link is broken. */
BO_API BO_NODISCARD bo_status bo_audit_check_chain(
    bo_session *session, const char *file, bo_audit_result *out, bo_error *err);
/** Writes all records to `path` as one JSON array, oldest first.  BO_EXISTS when something is
 * there, unless it is a regular file and `replace` is true. */
BO_API BO_NODISCARD bo_status bo_audit_save(
    bo_session *session, const char *path, bool replace, bo_error *err);

#ifdef __cplusplus
}
#endif
#endif
