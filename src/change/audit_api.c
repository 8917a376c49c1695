/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/audit_api.c - the audit log for callers of the library. */
#include "backout/audit.h"

#include <string.h>

#include "base/json.h"
#include "change/session.h"

struct bo_audit {
    bo_arena *arena;
    bo_audit_entry *entries;
    size_t count;
};
BO_DEFINE_SCOPE(bo_audit);

bo_status bo_audit_read(bo_session *session, uint32_t limit, bo_audit **out, bo_error *err)
{
    BO_OWN(bo_audit) *audit = calloc(1, sizeof *audit);
    if (!audit)
        return bo_nomem(err);
    audit->arena = bo_arena_create();
    if (!audit->arena)
        return bo_nomem(err);
    bo_audit_record *records = NULL;
    size_t count = 0;
    bo_status st = bo_audit_list(session->catalog, limit, audit->arena, &records, &count, err);
    if (st != BO_OK)
        return st;
    audit->entries = bo_arena_array(audit->arena, count + 1, sizeof *audit->entries);
    if (!audit->entries)
        return bo_nomem(err);
    for (size_t i = 0; i < count; i++)
        audit->entries[i] = (bo_audit_entry){.sequence = records[i].sequence,
            .time_us = records[i].time_us,
            .event = records[i].event,
            .actor = records[i].actor,
            .object = records[i].object,
            .outcome = records[i].outcome,
            .details = records[i].details,
            .hash = records[i].hash};
    audit->count = count;
    *out = BO_TAKE(audit);
    return BO_OK;
}

size_t bo_audit_count(const bo_audit *audit)
{
    return audit->count;
}

const bo_audit_entry *bo_audit_get(const bo_audit *audit, size_t index)
{
    return index < audit->count ? &audit->entries[index] : NULL;
}

void bo_audit_free(bo_audit *audit)
{
    if (!audit)
        return;
    bo_arena_free(audit->arena);
    free(audit);
}

bo_status bo_audit_note(bo_session *session, const char *event, const char *object,
    const char *outcome, const char *why, bo_error *err)
{
    return bo_session_audit(session, event, object, outcome,
        json_pack("{s:o}", "why", bo_json_string(why ? why : "")), err);
}

bo_status bo_audit_check_chain(
    bo_session *session, const char *file, bo_audit_result *out, bo_error *err)
{
    bo_audit_check check = {0};
    bo_status st = file ? bo_audit_verify_file(file, &check, err)
                        : bo_audit_verify(session->catalog, &check, err);
    if (st != BO_OK)
        return st;
    *out = (bo_audit_result){
        .records = check.records, .whole = check.whole, .broken_at = check.broken_at};
    memcpy(out->reason, check.reason, sizeof out->reason);
    memcpy(out->head, check.head, sizeof out->head);
    if (check.whole)
        return BO_OK;
    return bo_fail(err, BO_MISMATCH, "the audit log was changed at record %llu\n%s",
        (unsigned long long)check.broken_at, check.reason);
}

bo_status bo_audit_save(bo_session *session, const char *path, bool replace, bo_error *err)
{
    return bo_audit_export(session->catalog, path, replace, err);
}
