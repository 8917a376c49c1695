/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/seal.c - the change has ended: what it did becomes a changeset, later writes are
 * others'. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "change/diff.h"
#include "change/seal.h"
#include "change/shape.h"

struct sealing {
    bo_session *session;
    bo_target *target;
    bo_content *content;
    bo_draft *draft;
    bo_diff_result result;
    bool *open; /* of each part: its change cannot be told (DDL) */
};

static bo_status keep_change(
    void *ctx, uint32_t table, bo_image before, bo_image after, bo_error *err)
{
    struct sealing *sealing = ctx;
    return bo_draft_change(sealing->draft, table, before, after, err);
}

bool bo_point_is_open(const bo_point_record *record, uint32_t table)
{
    BO_OWN(json_ref) *details = json_loads(record->details, 0, NULL);
    const json_t *item = json_array_get(json_object_get(details, "tables"), table);
    return json_is_true(json_object_get(item, "open"));
}

bool bo_content_has_predicate(const bo_content *content)
{
    for (uint32_t i = 0; i < content->part_count; i++)
        if (content->parts[i].predicate)
            return true;
    return false;
}

/* Tables whose rows cannot be compared any more stay unsealed; the others are sealed. */
static bo_status leave_out_changed(struct sealing *sealing, bo_error *err)
{
    bo_content *content = sealing->content;
    BO_OWN_VALUE(bo_buf) notes = {0};
    for (uint32_t i = 0; i < content->part_count; i++) {
        bo_shape shape = BO_SHAPE_SAME;
        bo_status st = bo_shape_of(&content->parts[i], content->arena, &shape, &notes, err);
        if (st != BO_OK)
            return st;
        content->parts[i].left_out = sealing->open[i] = shape != BO_SHAPE_SAME;
        if (sealing->open[i])
            bo_session_warn(sealing->session,
                "table %s changed its shape: what the change did to its rows cannot be told apart "
                "from later writes",
                content->parts[i].was->name);
    }
    return BO_OK;
}

static bo_status write_change(
    struct sealing *sealing, const bo_point_record *record, const char *file, bo_error *err)
{
    bo_target *target = sealing->target;
    bo_content *content = sealing->content;
    const bo_driver *driver = target->conn->driver;
    bo_status st = bo_content_begin(
        content, target->conn, bo_content_has_predicate(content) ? BO_TX_WRITE : BO_TX_READ, err);
    if (st == BO_OK)
        st = leave_out_changed(sealing, err);
    if (st == BO_OK)
        st = bo_draft_create(sealing->session, BO_PACK_CHANGESET, file, record->id,
            &target->identity, content->parts, content->part_count, &sealing->draft, err);
    if (st == BO_OK)
        st = bo_diff(sealing->session, target, content, bo_target_workers(target), keep_change,
            sealing, &sealing->result, err);
    driver->rollback(target->conn);
    return st == BO_OK ? bo_draft_commit(sealing->session, sealing->draft, file, err) : st;
}

/* The recorded details get the counts of the change, table by table. */
static char *sealed_details(const struct sealing *sealing, const char *details)
{
    BO_OWN(json_ref) *json = json_loads(details, 0, NULL);
    json_t *tables = json_object_get(json, "tables");
    for (uint32_t i = 0; i < sealing->content->part_count; i++) {
        json_t *table = json_array_get(tables, i);
        if (!table)
            return NULL;
        json_object_set_new(
            table, "inserted", json_integer((json_int_t)sealing->draft->inserted[i]));
        json_object_set_new(table, "updated", json_integer((json_int_t)sealing->draft->updated[i]));
        json_object_set_new(table, "deleted", json_integer((json_int_t)sealing->draft->deleted[i]));
        json_object_set_new(table, "open", json_boolean(sealing->open[i]));
        json_object_set_new(table, "entered", json_integer((json_int_t)sealing->result.entered[i]));
    }
    return json_dumps(json, JSON_COMPACT);
}

static bo_status seal_into(
    struct sealing *sealing, bo_point_record *record, bo_arena *arena, bo_error *err)
{
    bo_catalog *catalog = sealing->session->catalog;
    uint32_t count = sealing->content->part_count;
    sealing->open =
        bo_arena_array(sealing->content->arena, (size_t)count + 1, sizeof *sealing->open);
    sealing->result.entered =
        bo_arena_array(sealing->content->arena, (size_t)count + 1, sizeof(uint64_t));
    sealing->result.operation = "seal";
    if (!sealing->open || !sealing->result.entered)
        return bo_nomem(err);
    const char *file = bo_arena_printf(arena, "%s.change", record->id);
    if (!file)
        return bo_nomem(err);
    bo_error missing = {
        0}; /* of a seal that died before it was recorded; the run keeps others out */
    (void)bo_repository_remove(sealing->session->repository, file, &missing);
    /* a seal that died may have left its file unrecorded; the run's lock says that nobody writes it
     * now */
    bo_error absent = {0};
    bo_status st = bo_repository_remove(sealing->session->repository, file, &absent);
    if (st == BO_NOTFOUND || st == BO_OK)
        st = write_change(sealing, record, file, err);
    else if (err)
        *err = absent;
    if (st != BO_OK)
        return st;
    for (uint32_t i = 0; i < count; i++)
        if (sealing->result.entered[i])
            bo_session_warn(sealing->session,
                "table %s: %llu rows meet the predicate now that did not at the point; whether the "
                "change added them "
                "is not known, and they are left alone",
                sealing->content->parts[i].was->name,
                (unsigned long long)sealing->result.entered[i]);
    BO_OWN_MEM char *text = sealed_details(sealing, record->details);
    char *details = bo_arena_str(arena, text);
    if (!details)
        return bo_fail(err, BO_CORRUPT, "the catalog's record of '%s' cannot be read", record->id);
    record->details = details;
    record->change_file = file;
    record->change_root = bo_arena_str(arena, sealing->draft->root_hex);
    record->status = BO_POINT_SEALED;
    record->sealed_us = bo_clock_now_us();
    return bo_catalog_point_update(catalog, record, err);
}

bo_status bo_point_seal_record(
    bo_session *session, bo_target *target, bo_point_record *record, bo_arena *arena, bo_error *err)
{
    struct sealing sealing = {.session = session, .target = target};
    BO_OWN(bo_content) *content = NULL;
    bo_status st = bo_target_check_server(target, record->server, err);
    if (st == BO_OK)
        st = bo_content_open_of(session, record, false, &content, err);
    sealing.content = content;
    if (st == BO_OK)
        st = seal_into(&sealing, record, arena, err);
    bo_draft_free(sealing.draft);
    return st;
}

static bo_status check_open(const bo_point_record *record, bo_error *err)
{
    if (record->change_file && record->change_file[0])
        return bo_fail(err, BO_EXISTS, "'%s' is sealed already", record->id);
    if (record->status != BO_POINT_READY)
        return bo_fail(
            err, BO_REFUSED, "'%s' is %s", record->id, bo_point_status_name(record->status));
    return BO_OK;
}

/* The record is read again under the run: somebody else may have sealed the point meanwhile. */
static bo_status seal_checked(bo_session *session, const bo_database *database,
    bo_point_record *record, bo_arena *arena, bo_error *err)
{
    BO_OWN(bo_target) *target = NULL;
    char run[64];
    bo_status st = check_open(record, err);
    if (st == BO_OK)
        st = bo_target_open(database, &target, err);
    if (st == BO_OK)
        st = bo_catalog_run_begin(session->catalog, "seal", record->id, session->actor, run, err);
    if (st != BO_OK)
        return st;
    bo_error second = {0};
    st = bo_catalog_run_step(session->catalog, run, "sealing", NULL, NULL, err);
    if (st == BO_OK)
        st = bo_catalog_point_find(session->catalog, record->id, arena, record, err);
    if (st == BO_OK)
        st = check_open(record, err);
    if (st == BO_OK)
        st = bo_point_seal_record(session, target, record, arena, err);
    bo_status ended = bo_catalog_run_end(session->catalog, run, bo_outcome_name(st), NULL, &second);
    if (st == BO_OK && ended != BO_OK && err)
        *err = second;
    return st == BO_OK ? ended : st;
}

bo_status bo_point_seal(bo_session *session, const bo_database *database, const char *id,
    bo_point_list **out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_point_record record;
    bo_status st = bo_catalog_point_find(session->catalog, id, arena, &record, err);
    if (st == BO_OK)
        st = seal_checked(session, database, &record, arena, err);
    if (st != BO_OK)
        st = bo_wrap(err, st, "cannot seal '%s'", id);
    st = bo_session_audit_end(session, "point.seal", id, st, NULL, err);
    return st == BO_OK ? bo_point_view_one(session, record.id, false, out, err) : st;
}
