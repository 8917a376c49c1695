/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/assess.c - before rolling back: what it would change, lose and conflict with, and what
 * is recommended. */
#include <string.h>

#include "change/seal.h"
#include "change/undo.h"

static bo_status rehearse(bo_session *session, const bo_database *database, const char *id,
    bo_rollback_type type, bo_rollback **out, bo_error *err)
{
    bo_rollback_options options = {
        .type = type, .on_conflict = BO_ON_CONFLICT_SKIP, .dry_run = true};
    options.discard_later =
        type == BO_ROLLBACK_FULL; /* lost rows are counted, not listed as conflicts */
    BO_OWN(bo_rollback) *plan = NULL;
    bo_status st = bo_rollback_execute(session, database, id, &options, &plan, err);
    if (st == BO_OK)
        *out = BO_TAKE(plan);
    return st;
}

/* Type full and type partial, or the one of them that can be had; what neither can be had for is
 * said of the first. */
static bo_status rehearse_both(bo_session *session, const bo_database *database,
    const bo_point_record *record, bo_rollback **full_out, bo_rollback **partial_out, bo_error *err)
{
    bool sealed = record->change_file && record->change_file[0];
    bool whole = record->file && record->file[0];
    bo_error refused = {0};
    if (!whole && sealed)
        return rehearse(session, database, record->id, BO_ROLLBACK_PARTIAL, partial_out, err);
    bo_error why = {0};
    bo_status full = rehearse(session, database, record->id, BO_ROLLBACK_FULL, full_out, &why);
    if (err)
        *err = why;
    bool unreadable = full == BO_CORRUPT || full == BO_NOTFOUND; /* the change has its own file */
    if (!sealed || (full != BO_OK && full != BO_REFUSED && !unreadable))
        return full;
    bo_status partial =
        rehearse(session, database, record->id, BO_ROLLBACK_PARTIAL, partial_out, &refused);
    if (partial == BO_OK && unreadable)
        bo_session_warn(session, "type full is not possible: %s", why.text);
    if (partial == BO_OK || partial == BO_REFUSED || unreadable)
        return partial == BO_OK ? BO_OK : full;
    if (err)
        *err = refused;
    return partial;
}

static uint64_t changes(const bo_rollback *rollback)
{
    return rollback->inserted + rollback->updated + rollback->deleted;
}

static void recommend(bo_rollback *partial, const bo_rollback *full)
{
    uint64_t lost = full ? full->lost_rows : 0;
    partial->lost_rows = lost;
    if (changes(partial) == 0 && partial->conflict_count == 0) {
        partial->recommended = "none";
        partial->because = "the rows are as they were before the change already";
    } else if (partial->dependent_count) {
        partial->recommended = "partial";
        partial->because = "others used what the change wrote: mode non-conflict-only leaves their "
                           "rows, mode cascade undoes their transactions as well";
    } else if (partial->conflict_count) {
        partial->recommended = "partial";
        partial->because = "others changed rows of the change since: skip these conflicts, or "
                           "export them and decide row by row";
    } else if (lost) {
        partial->recommended = "partial";
        partial->because = "others wrote since the change; type partial keeps their rows, type "
                           "full would discard them";
    } else {
        partial->recommended = full ? "full" : "partial";
        partial->because =
            full ? "nobody else wrote to these tables since the change"
                 : "it undoes what the change did, and what others wrote since stays as it is";
    }
}

/* Only type full can be had. */
static void recommend_whole(bo_rollback *full, const bo_point_record *record)
{
    const bool backup = strcmp(record->kind, "backup") == 0;
    const bool sealed = record->change_file && record->change_file[0];
    if (changes(full) == 0) {
        full->recommended = "none";
        full->because = backup ? "the rows are as they were at the backup already"
                               : "the rows are as they were before the change already";
    } else if (backup) {
        full->recommended = "backup";
        full->because = "a backup belongs to no change: what was written since goes with it";
    } else {
        full->recommended = "full";
        full->because =
            !sealed ? "what the change did is not known apart from later writes"
            : bo_point_has_table(record, "open")
                ? "the change altered the shape of a table, and can be undone as a whole only"
                : "a table or column of the point is gone, and only type full makes it again; if "
                  "it was renamed, rename it back first";
    }
}

/* The plan was made once just now; what comes after it takes as long as it did before, or, when
 * nothing like it was done yet, about as long again. */
static void estimate(bo_session *session, const char *server, bo_rollback *rollback)
{
    double rest = bo_pace_estimate(session, server, changes(rollback), &rollback->estimate_runs);
    rollback->estimate_s =
        rollback->duration_s + (rollback->estimate_runs ? rest : rollback->duration_s);
}

bo_status bo_rollback_assess(bo_session *session, const bo_database *database, const char *id,
    bo_rollback **out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_point_record record;
    BO_OWN(bo_rollback) *partial = NULL;
    BO_OWN(bo_rollback) *full = NULL;
    bo_status st = bo_catalog_point_find(session->catalog, id, arena, &record, err);
    if (st == BO_OK)
        st = rehearse_both(session, database, &record, &full, &partial, err);
    if (st != BO_OK)
        return st;
    bool sealed = partial != NULL;
    bo_rollback *chosen = sealed ? partial : full;
    if (sealed) {
        recommend(partial, full);
    } else {
        recommend_whole(full, &record);
    }
    estimate(session, record.server, chosen);
    st = bo_session_audit(session, "rollback.assess", record.id, "done",
        json_pack("{s:s}", "recommended", chosen->recommended), err);
    if (st == BO_OK)
        *out = sealed ? BO_TAKE(partial) : BO_TAKE(full);
    return st;
}
