/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/lost.c - type full: the way from now to the point, and what of others' work goes with
 * it. */
#include <stdio.h>
#include <string.h>

#include "change/diff.h"
#include "change/rows_json.h"
#include "change/seal.h"
#include "change/undo.h"

struct spool {
    bo_undo *undo;
    bo_draft *draft;
};

static bo_status spool_change(
    void *ctx, uint32_t table, bo_image before, bo_image after, bo_error *err)
{
    struct spool *spool = ctx;
    return bo_draft_change(spool->draft, table, after, before, err);
}

bo_status bo_undo_diff(bo_undo *undo, bo_error *err)
{
    bo_content *snapshot = undo->snapshot;
    uint32_t count = snapshot->part_count;
    struct spool spool = {.undo = undo};
    bo_diff_result result = {.now = undo->now, .operation = "diff"};
    result.entered = bo_arena_array(undo->arena, (size_t)count + 1, sizeof *result.entered);
    if (!result.entered)
        return bo_nomem(err);
    bo_status st = bo_undo_choose_bulk(undo, err);
    if (st == BO_OK)
        st = bo_undo_spool_intent(undo, snapshot->parts, count, &spool.draft, err);
    uint32_t workers = bo_target_workers(undo->target);
    for (uint32_t i = 0; i < count; i++) /* others cannot read what this transaction altered */
        if (snapshot->parts[i].fresh || snapshot->parts[i].made_again)
            workers = 1;
    if (st == BO_OK)
        st = bo_diff(
            undo->session, undo->target, snapshot, workers, spool_change, &spool, &result, err);
    if (st == BO_OK)
        st = bo_draft_commit(undo->session, spool.draft, undo->intent_file, err);
    bo_draft_free(spool.draft);
    if (st == BO_OK)
        st = bo_content_open(undo->session, undo->intent_file, NULL, &undo->intent, err);
    for (uint32_t i = 0; st == BO_OK && i < count; i++) {
        undo->intent->parts[i].now = snapshot->parts[i].now;
        undo->intent->parts[i].left_out = snapshot->parts[i].left_out;
        undo->intent->parts[i].bulk = snapshot->parts[i].bulk;
        undo->intent->parts[i].fresh = snapshot->parts[i].fresh;
        undo->intent->parts[i].made_again = snapshot->parts[i].made_again;
        undo->now_known[i] = !snapshot->parts[i].left_out && !snapshot->parts[i].predicate &&
                             !snapshot->parts[i].journal;
        if (result.entered[i])
            bo_buf_printf(&undo->notes,
                "%s: %llu rows meet the predicate now that did not at the point; they are left "
                "alone\n",
                snapshot->parts[i].was->name, (unsigned long long)result.entered[i]);
    }
    return st == BO_OK ? bo_undo_load_bulk(undo, err) : st;
}

/* ---- what others wrote: rows whose image of now is not what the change left, or whose image at
 * the point is not what it met ---- */

struct losing {
    bo_undo *undo;
    bo_changes change;
    bo_buf key, change_key;
};

static bo_status load_change_key(struct losing *losing, bo_error *err)
{
    bo_changes *change = &losing->change;
    bo_image row = change->before.data ? change->before : change->after;
    return bo_row_key(
        losing->undo->change->parts[change->table].was, row, &losing->change_key, err);
}

static int compare_place(const struct losing *losing, uint32_t table)
{
    if (losing->change.table != table)
        return losing->change.table < table ? -1 : 1;
    return bo_span_compare((bo_span){losing->change_key.data, losing->change_key.size},
        (bo_span){losing->key.data, losing->key.size});
}

/* Moves to the change's entry of the row of `walk`, when there is one. */
static bo_status find_change(
    struct losing *losing, const bo_walk *walk, bool *found_out, bo_error *err)
{
    bo_image row = walk->target.data ? walk->target : walk->expected;
    bo_status st = bo_row_key(losing->undo->intent->parts[walk->table].was, row, &losing->key, err);
    int order = -1;
    while (st == BO_OK && !losing->change.end && (order = compare_place(losing, walk->table)) < 0) {
        st = bo_changes_next(&losing->change, err);
        if (st == BO_OK && !losing->change.end)
            st = load_change_key(losing, err);
    }
    *found_out = st == BO_OK && !losing->change.end && order == 0;
    return st;
}

/* Others made `theirs` of the row that was `before`. */
static bo_status lose(struct losing *losing, const bo_walk *walk, bo_conflict_class kind,
    bo_image before, bo_image theirs, const char *because, bo_error *err)
{
    bo_undo *undo = losing->undo;
    undo->lost_rows++;
    undo->lost_of[walk->table]++;
    if (!undo->options->discard_later)
        return bo_undo_list_conflict(undo, walk->table, kind,
            walk->expected.data ? walk->expected : walk->target, because, NULL, 0, err);
    return undo->lost ? bo_draft_change(undo->lost, walk->table, before, theirs, err) : BO_OK;
}

static bo_status lose_later(
    struct losing *losing, const bo_walk *walk, bo_image after, const char *because, bo_error *err)
{
    bo_conflict_class kind = !walk->expected.data ? BO_CLASS_NOT_FOUND
                             : after.data         ? BO_CLASS_DATA
                                                  : BO_CLASS_EXISTS;
    return lose(losing, walk, kind, after, walk->expected, because, err);
}

/* A column that was made again has not the values that the change left. */
static bo_status lose_reshaped(
    struct losing *losing, const bo_walk *walk, bo_image after, bo_error *err)
{
    losing->undo->lost_unclear = true;
    return lose_later(losing, walk, after,
        "a column of the table is gone: whether others wrote the row since is not known", err);
}

/* The change of a run is not all that happened until the seal: others may have written its rows
 * before it, or in between. */
static bo_status judge(struct losing *losing, const bo_walk *walk, bool found, bo_error *err)
{
    bo_undo *undo = losing->undo;
    const bo_table *was = undo->intent->parts[walk->table].was;
    bo_image before = found ? losing->change.before : walk->target;
    bo_image after = found ? losing->change.after : walk->target;
    if (!bo_row_same(was, after, walk->expected) && undo->intent->parts[walk->table].made_again)
        return lose_reshaped(losing, walk, after, err);
    if (!bo_row_same(was, after, walk->expected))
        return lose_later(losing, walk, after,
            "written by others after the change; type full would discard it", err);
    bool early = !bo_row_same(was, walk->target, before);
    bool mixed =
        bo_mixed_has(&undo->mixed[walk->table], (bo_span){losing->key.data, losing->key.size});
    undo->lost_early = undo->lost_early || early || mixed;
    if (early)
        return lose(losing, walk, BO_CLASS_DATA, walk->target, before,
            "written by others before the change; type full would discard it", err);
    return mixed ? lose(losing, walk, BO_CLASS_DATA, before, walk->expected,
                       "written by others between two writes of the change; type full would "
                       "discard it",
                       err)
                 : BO_OK;
}

static bo_status lose_in_table(struct losing *losing, uint32_t table, bo_error *err)
{
    bo_walk walk;
    bo_status st = bo_walk_open(&walk, losing->undo, table, true, err);
    while (st == BO_OK) {
        st = bo_walk_next(&walk, err);
        if (st != BO_OK || walk.end)
            break;
        bool found = false;
        st = find_change(losing, &walk, &found, err);
        if (st == BO_OK && !bo_fate_dropped(&losing->undo->fates[table], walk.id))
            st = judge(losing, &walk, found, err);
        if (st == BO_OK && found) { /* equal rows of a table without key pair off one by one */
            st = bo_changes_next(&losing->change, err);
            if (st == BO_OK && !losing->change.end)
                st = load_change_key(losing, err);
        }
    }
    bo_walk_done(&walk);
    return st;
}

/* Every row of now that goes or changes is others' work after a backup, which belongs to no change.
 * It may be where the seal could not tell the change's rows from later ones (DDL). */
static bo_status lose_all_in_table(struct losing *losing, uint32_t table, bo_error *err)
{
    const bool sealed = losing->undo->sealed;
    const char *because =
        sealed ? "the change altered the shape of the table: whether others wrote the row since is "
                 "not known"
               : "written after the backup; type full would discard it";
    bo_walk walk;
    bo_status st = bo_walk_open(&walk, losing->undo, table, false, err);
    while (st == BO_OK) {
        st = bo_walk_next(&walk, err);
        if (st != BO_OK || walk.end)
            break;
        if (bo_fate_dropped(&losing->undo->fates[table], walk.id) ||
            (sealed && !walk.expected.data))
            continue;
        losing->undo->lost_unclear = losing->undo->lost_unclear || sealed;
        st = lose_later(losing, &walk, walk.target, because, err);
    }
    bo_walk_done(&walk);
    return st;
}

static bo_status open_change(struct losing *losing, bo_error *err)
{
    bo_undo *undo = losing->undo;
    bo_status st = bo_undo_read_mixed(undo, err);
    if (st == BO_OK)
        st = bo_changes_open(&losing->change, undo->change, err);
    if (st == BO_OK)
        st = bo_changes_next(&losing->change, err);
    return st == BO_OK && !losing->change.end ? load_change_key(losing, err) : st;
}

bo_status bo_undo_find_lost(bo_undo *undo, bo_error *err)
{
    struct losing losing = {.undo = undo};
    bo_status st = undo->sealed ? open_change(&losing, err) : BO_OK;
    if (st == BO_OK && undo->undo_id[0] && undo->options->discard_later) {
        snprintf(undo->lost_file, sizeof undo->lost_file, "%s.lost.change", undo->undo_id);
        st = bo_draft_create(undo->session, BO_PACK_CHANGESET, undo->lost_file, undo->record.id,
            &undo->target->identity, undo->intent->parts, undo->intent->part_count, &undo->lost,
            err);
    }
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++)
        st = !undo->sealed || bo_point_is_open(undo->details, i)
                 ? lose_all_in_table(&losing, i, err)
                 : lose_in_table(&losing, i, err);
    bo_changes_done(&losing.change);
    bo_buf_done(&losing.key);
    bo_buf_done(&losing.change_key);
    return st;
}

static bo_status write_lost_lines(bo_undo *undo, const char *name, bo_error *err)
{
    BO_OWN(bo_content) *lost = NULL;
    bo_status st = bo_content_open(undo->session, undo->lost_file, NULL, &lost, err);
    if (st != BO_OK)
        return st;
    BO_OWN(bo_stored_file) *file = NULL;
    st = bo_repository_create(undo->session->repository, name, &file, err);
    if (st == BO_OK)
        st = bo_rows_json_lines(undo->target->conn, lost, bo_stored_file_sink(file), err);
    if (st == BO_OK)
        st = bo_stored_file_commit(file, err);
    return st == BO_OK ? BO_OK
                       : bo_wrap(err, st, "the rows that would be discarded cannot be exported");
}

/* A copy in clear beside it, for people, unless the changeset is encrypted. */
bo_status bo_undo_export_lost(bo_undo *undo, bo_error *err)
{
    if (!undo->lost || undo->lost_rows == 0)
        return BO_OK;
    char name[BO_ID_SIZE + 32];
    snprintf(name, sizeof name, "%s", undo->lost_file);
    bo_status st = bo_draft_commit(undo->session, undo->lost, undo->lost_file, err);
    if (st == BO_OK && undo->session->key.kind == BO_KEY_NONE) {
        snprintf(name, sizeof name, "%s.lost.jsonl", undo->undo_id);
        st = write_lost_lines(undo, name, err);
    }
    if (st != BO_OK)
        return st;
    undo->lost_export =
        bo_arena_printf(undo->arena, "%s/%s", bo_repository_path(undo->session->repository), name);
    return undo->lost_export ? BO_OK : bo_nomem(err);
}
