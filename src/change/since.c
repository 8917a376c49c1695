/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/since.c - the rows that are not as the change left them, as a changeset. */
#include "change/since.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "change/later.h"
#include "change/seal.h"
#include "change/shape.h"
#include "change/stored.h"

static bo_status keep_row(void *ctx, uint32_t table, bo_image after, bo_image now, bo_error *err)
{
    return bo_draft_change(ctx, table, after, now, err);
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
            return bo_fail(err, BO_REFUSED, "the rows of '%s' cannot be compared any more\n%.*s",
                snapshot->parts[i].was->name, (int)(notes.size - 1), bo_buf_str(&notes));
    }
    return BO_OK;
}

static bo_status compare(bo_session *session, bo_target *target, const bo_point_record *record,
    bo_content *snapshot, bo_draft *draft, bo_error *err)
{
    bo_conn *conn = target->conn;
    bo_diff_result result = {.operation = "diff"};
    bo_status st = bo_content_begin(
        snapshot, conn, bo_content_has_predicate(snapshot) ? BO_TX_WRITE : BO_TX_READ, err);
    if (st == BO_OK)
        st = check_shapes(snapshot, err);
    bo_journal *journal = NULL;
    if (st == BO_OK)
        st = bo_journal_open(target, record, snapshot, &journal, err);
    if (st == BO_OK)
        st = bo_journal_look_again(session, record, snapshot, journal, err);
    if (st == BO_OK)
        st = bo_journal_use_unstored(snapshot, journal, err);
    if (st == BO_OK)
        st = bo_later_rows(session, target, record, snapshot, keep_row, draft, &result, err);
    conn->driver->rollback(conn);
    return st;
}

static bo_status spool(bo_session *session, bo_target *target, const bo_point_record *record,
    const char *name, bo_error *err)
{
    BO_OWN(bo_content) *snapshot = NULL;
    BO_OWN(bo_draft) *draft = NULL;
    bo_status st = bo_content_open_of(session, record, false, &snapshot, err);
    if (st == BO_OK)
        st = bo_draft_create(session, BO_PACK_CHANGESET, name, record->id, &target->identity,
            snapshot->parts, snapshot->part_count, &draft, err);
    if (st == BO_OK)
        st = compare(session, target, record, snapshot, draft, err);
    return st == BO_OK ? bo_draft_commit(session, draft, name, err) : st;
}

bo_status bo_since_open(bo_session *session, bo_target *target, const bo_point_record *record,
    char name_out[64], bo_content **out, bo_error *err)
{
    bo_status st =
        bo_point_check_sealed(record, "later changes cannot be told from the change itself", err);
    if (st != BO_OK)
        return st;
    if (!record->file || !record->file[0])
        return bo_fail(err, BO_REFUSED,
            "'%s' is the state before a rollback and holds only the rows of that rollback: what "
            "others did since is not known",
            record->id);
    char random[17];
    bo_random_hex(random, 8);
    snprintf(name_out, 64, "since_%s.change", random);
    st = bo_since_check_known(record, err);
    if (st == BO_OK)
        st = spool(session, target, record, name_out, err);
    return st == BO_OK ? bo_content_open(session, name_out, NULL, out, err) : st;
}
