/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/since.c - the diff from the point to now, less the change.
 *
 * Both come in the order of (table, key) and are merged.  A row in neither is as it was; one in the
 * diff alone was changed by others; one in the change alone was put back by others; of one in both,
 * what the change left is compared with what is there.
 */
#include "change/since.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "change/diff.h"
#include "change/seal.h"
#include "change/shape.h"

struct since {
    bo_content *snapshot;
    bo_changes change;
    bo_buf key, change_key;
    bo_draft *draft;
};

static bo_status next_change(struct since *since, bo_error *err)
{
    bo_changes *change = &since->change;
    bo_status st = bo_changes_next(change, err);
    if (st != BO_OK || change->end)
        return st;
    return bo_row_key(since->snapshot->parts[change->table].was,
        change->before.data ? change->before : change->after, &since->change_key, err);
}

static int compare_place(const struct since *since, uint32_t table, bo_span key)
{
    if (since->change.table != table)
        return since->change.table < table ? -1 : 1;
    return bo_span_compare((bo_span){since->change_key.data, since->change_key.size}, key);
}

static bo_status put_back(struct since *since, bo_error *err)
{
    bo_changes *change = &since->change;
    bo_status st = bo_draft_change(since->draft, change->table, change->after, change->before, err);
    return st == BO_OK ? next_change(since, err) : st;
}

/* Changes before this place are not in the diff: others put their rows back. */
static bo_status pass(struct since *since, uint32_t table, bo_span key, bo_error *err)
{
    bo_status st = BO_OK;
    while (st == BO_OK && !since->change.end && compare_place(since, table, key) < 0)
        st = put_back(since, err);
    return st;
}

static bo_status take_difference(
    void *ctx, uint32_t table, bo_image before, bo_image now, bo_error *err)
{
    struct since *since = ctx;
    const bo_table *was = since->snapshot->parts[table].was;
    bo_status st = bo_row_key(was, before.data ? before : now, &since->key, err);
    bo_span key = {since->key.data, since->key.size};
    if (st == BO_OK)
        st = pass(since, table, key, err);
    bo_changes *change = &since->change;
    /* equal rows of a table without key: one more and one less do not belong together */
    while (st == BO_OK && !was->row_key && !change->end && compare_place(since, table, key) == 0 &&
           !change->before.data != !before.data)
        st = put_back(since, err);
    if (st != BO_OK)
        return st;
    if (change->end || compare_place(since, table, key) != 0)
        return bo_draft_change(since->draft, table, before, now, err);
    bo_image after = change->after;
    bool same = after.data && now.data ? bo_row_equal(was, after, now) : !after.data && !now.data;
    if (!same)
        st = bo_draft_change(since->draft, table, after, now, err);
    return st == BO_OK ? next_change(since, err) : st;
}

bo_status bo_since_check_known(const bo_point_record *record, bo_error *err)
{
    BO_OWN(json_ref) *details = json_loads(record->details, 0, NULL);
    size_t i;
    const json_t *table;
    json_array_foreach(json_object_get(details, "tables"), i, table)
    {
        const char *name = json_string_value(json_object_get(table, "name"));
        if (json_is_true(json_object_get(table, "open")))
            return bo_fail(err, BO_REFUSED,
                "what the change did to '%s' is not known: the table had changed its shape when "
                "the point was sealed",
                name ? name : "");
    }
    return BO_OK;
}

static bo_status check_shapes(bo_content *snapshot, bo_error *err)
{
    for (uint32_t i = 0; i < snapshot->part_count; i++) {
        BO_OWN_VALUE(bo_buf) notes = {0};
        bo_shape shape = BO_SHAPE_SAME;
        bo_status st = bo_shape_of(&snapshot->parts[i], snapshot->arena, &shape, &notes, err);
        if (st != BO_OK)
            return st;
        if (shape != BO_SHAPE_SAME && snapshot->parts[i].now)
            return bo_fail(err, BO_REFUSED, "the rows of '%s' cannot be compared any more\n%s",
                snapshot->parts[i].was->name, bo_buf_str(&notes));
    }
    return BO_OK;
}

static bo_status merge(bo_session *session, bo_target *target, const bo_point_record *record,
    struct since *since, bo_error *err)
{
    bo_conn *conn = target->conn;
    bo_diff_result result = {.operation = "diff"};
    bo_status st = bo_content_begin(since->snapshot, conn,
        bo_content_has_predicate(since->snapshot) ? BO_TX_WRITE : BO_TX_READ, err);
    if (st == BO_OK)
        st = check_shapes(since->snapshot, err);
    bo_journal *journal = NULL;
    if (st == BO_OK)
        st = bo_journal_open(target, record, since->snapshot, &journal, err);
    if (st == BO_OK)
        st = bo_journal_use_unstored(since->snapshot, journal, err);
    if (st == BO_OK)
        st = next_change(since, err);
    if (st == BO_OK)
        st = bo_diff(session, target, since->snapshot, bo_target_workers(target), take_difference,
            since, &result, err);
    if (st == BO_OK)
        st = pass(since, UINT32_MAX, (bo_span){0}, err);
    conn->driver->rollback(conn);
    return st;
}

static bo_status spool(bo_session *session, bo_target *target, const bo_point_record *record,
    const char *name, bo_error *err)
{
    BO_OWN(bo_content) *snapshot = NULL;
    BO_OWN(bo_content) *change = NULL;
    struct since since = {0};
    bo_status st = bo_content_open_of(session, record, false, &snapshot, err);
    if (st == BO_OK)
        st = bo_content_open_of(session, record, true, &change, err);
    if (st == BO_OK)
        st = bo_changes_open(&since.change, change, err);
    since.snapshot = snapshot;
    if (st == BO_OK)
        st = bo_draft_create(session, BO_PACK_CHANGESET, name, record->id, &target->identity,
            snapshot->parts, snapshot->part_count, &since.draft, err);
    if (st == BO_OK)
        st = merge(session, target, record, &since, err);
    if (st == BO_OK)
        st = bo_draft_commit(session, since.draft, name, err);
    bo_draft_free(since.draft);
    bo_changes_done(&since.change);
    bo_buf_done(&since.key);
    bo_buf_done(&since.change_key);
    return st;
}

bo_status bo_since_open(bo_session *session, bo_target *target, const bo_point_record *record,
    char name_out[64], bo_content **out, bo_error *err)
{
    if (!record->change_file || !record->change_file[0])
        return bo_fail(err, BO_REFUSED,
            "'%s' is not sealed: later changes cannot be told from the change itself", record->id);
    if (!record->file || !record->file[0])
        return bo_fail(err, BO_REFUSED,
            "'%s' is the state before a rollback and holds only the rows of that rollback: what "
            "others did since is not known",
            record->id);
    char random[17];
    bo_random_hex(random, 8);
    snprintf(name_out, 64, "since_%s.change", random);
    bo_status st = bo_since_check_known(record, err);
    if (st == BO_OK)
        st = spool(session, target, record, name_out, err);
    return st == BO_OK ? bo_content_open(session, name_out, NULL, out, err) : st;
}
