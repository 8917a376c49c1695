/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/seal.c - the change has ended: what it did becomes a changeset, later writes are
 * others'. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "change/diff.h"
#include "change/seal.h"
#include "change/shape.h"
#include "change/undo.h"

struct sealing {
    bo_session *session;
    bo_target *target;
    bo_content *content;
    bo_draft *draft;
    bo_diff_result result;
    bool *open;      /* of each part: its change cannot be told (DDL) */
    bool *kept;      /* of each part: its change is kept in the database as well */
    const char *run; /* captured parts: only its writes are the change; NULL: all since the point */
    bool trusted;    /* bo_writer.trusted */
    const char *under; /* the run that seals */
    json_t *position;  /* where the journals were */
    uint64_t untagged; /* rows that were written meanwhile, when none was the run's */
    uint64_t others;   /* writes of others, when the run can only be undone as a whole */
};

static bo_status keep_change(
    void *ctx, uint32_t table, bo_image before, bo_image after, bo_error *err)
{
    struct sealing *sealing = ctx;
    return bo_draft_change(sealing->draft, table, before, after, err);
}

bo_status bo_point_details_read(const bo_point_record *record, json_t **out, bo_error *err)
{
    json_error_t why;
    json_t *details = json_loads(record->details, 0, &why);
    if (!details && bo_json_no_memory(&why))
        return bo_nomem(err);
    if (!details)
        return bo_fail(err, BO_CORRUPT, "the catalog's record of '%s' cannot be read", record->id);
    *out = details;
    return BO_OK;
}

bool bo_point_is_open(const json_t *details, uint32_t table)
{
    const json_t *item = json_array_get(json_object_get(details, "tables"), table);
    return json_is_true(json_object_get(item, "open"));
}

bool bo_point_has_table(const bo_point_record *record, const char *flag)
{
    BO_OWN(json_ref) *details = json_loads(record->details, 0, NULL);
    const json_t *tables = json_object_get(details, "tables");
    for (size_t i = 0; i < json_array_size(tables); i++)
        if (json_is_true(json_object_get(json_array_get(tables, i), flag)))
            return true;
    return false;
}

bool bo_point_stores_rows(const bo_point_record *record)
{
    return record->file && record->file[0] && !bo_point_has_table(record, "unstored");
}

bool bo_content_has_predicate(const bo_content *content)
{
    for (uint32_t i = 0; i < content->part_count; i++)
        if (content->parts[i].predicate)
            return true;
    return false;
}

static void warn_left_out(const struct sealing *sealing, const bo_part *part)
{
    const char *unknown = "what the change did to its rows cannot be told apart from later writes";
    if (part->called)
        bo_session_warn(sealing->session,
            "table %s is called %s now, and another one has its name: %s", part->was->name,
            part->called, unknown);
    else
        bo_session_warn(
            sealing->session, "table %s changed its shape: %s", part->was->name, unknown);
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
            warn_left_out(sealing, &content->parts[i]);
    }
    return BO_OK;
}

/* ---- captured parts ---- */

static void use_part(
    struct sealing *sealing, const bo_journal *journal, uint32_t i, const bo_journal_filter *filter)
{
    bo_part *part = &sealing->content->parts[i];
    if (!part->captured || part->left_out)
        return;
    if (!journal->broken[i]) {
        part->journal = filter;
        return;
    }
    const char *then = part->unstored
                           ? "what the change did to its rows is not known"
                           : "the snapshot tells what the change did, later writes included";
    bo_session_warn(sealing->session, "the capture of table %s is broken: %s; %s", part->was->name,
        journal->broken[i], then);
    part->left_out = sealing->open[i] = part->unstored;
}

/* The change is told from the journals where these can be trusted. */
static bo_status use_journals(struct sealing *sealing, const bo_point_record *record, bo_error *err)
{
    bo_content *content = sealing->content;
    if (strcmp(record->method, bo_method_name(BO_METHOD_SNAPSHOT)) == 0)
        return BO_OK;
    bo_journal *journal = NULL;
    bo_journal_filter *filter = bo_arena_alloc(content->arena, sizeof *filter);
    sealing->result.mixed = bo_arena_array(
        content->arena, (size_t)content->part_count + 1, sizeof *sealing->result.mixed);
    if (!filter || !sealing->result.mixed)
        return bo_nomem(err);
    bo_status st = bo_journal_open(sealing->target, record, content, &journal, err);
    if (st != BO_OK)
        return st;
    if (!sealing->target->conn->driver->capture->tag)
        sealing->run = NULL; /* this database cannot tell whose writes they are */
    *filter = (bo_journal_filter){.from = journal->filter.from, .run = sealing->run};
    for (uint32_t i = 0; i < content->part_count; i++)
        use_part(sealing, journal, i, filter);
    return bo_journal_note(
        sealing->target, content->parts, content->part_count, sealing->position, "sealed", err);
}

static bo_status count_write(void *ctx, const bo_journal_change *change, bo_error *err)
{
    (void)change;
    (void)err;
    ++*(uint64_t *)ctx;
    return BO_OK;
}

/* A program that does not carry the run's mark has written nothing, as far as can be told: then it
 * is said how much others did. */
static bo_status count_untagged(struct sealing *sealing, bo_error *err)
{
    const bo_content *content = sealing->content;
    uint64_t tagged = 0;
    for (uint32_t i = 0; i < content->part_count; i++)
        tagged +=
            sealing->draft->inserted[i] + sealing->draft->updated[i] + sealing->draft->deleted[i];
    bo_status st = BO_OK;
    bool doubt = tagged == 0 && !sealing->trusted;
    for (uint32_t i = 0; st == BO_OK && doubt && i < content->part_count; i++) {
        const bo_part *part = &content->parts[i];
        if (!part->journal || !part->journal->run)
            continue;
        const bo_journal_filter all = {.from = part->journal->from};
        st = sealing->target->conn->driver->capture->changes(
            sealing->target->conn, part->now, &all, count_write, &sealing->untagged, err);
    }
    if (st == BO_OK && sealing->untagged)
        bo_session_warn(sealing->session,
            "%llu rows were written during the run, and none of them carries its mark: they count "
            "as others'; the program must keep PGOPTIONS, or set backout.run itself",
            (unsigned long long)sealing->untagged);
    return st;
}

static bo_status count_other(void *ctx, const bo_journal_row *row, bo_error *err)
{
    struct sealing *sealing = ctx;
    (void)err;
    sealing->others += strcmp(row->run, sealing->run) != 0;
    return BO_OK;
}

/* A change of a table's shape is undone by type full, which would take all of this back as well. */
static bo_status count_others(struct sealing *sealing, bo_error *err)
{
    const bo_content *content = sealing->content;
    bool any_open = false;
    for (uint32_t i = 0; i < content->part_count; i++)
        any_open = any_open || sealing->open[i];
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && any_open && i < content->part_count; i++) {
        const bo_part *part = &content->parts[i];
        if (part->journal && part->journal->run)
            st = sealing->target->conn->driver->capture->walk(
                sealing->target->conn, part->now, part->journal->from, count_other, sealing, err);
    }
    return st;
}

#define KEPT_MIN 2000u /* changes of a table; fewer are undone as fast from the file */

/* Keeps a big change in the database as well, so that it can be undone there.  An accelerator:
 * where it cannot be had, the file does. */
static void keep_in_place(struct sealing *sealing, const char *point)
{
    bo_target *target = sealing->target;
    const bo_driver *driver = target->conn->driver;
    BO_OWN_VALUE(bo_buf) token = {0};
    BO_OWN(bo_conn) *conn = NULL;
    bo_error error = {0};
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < sealing->content->part_count; i++) {
        const bo_part *part = &sealing->content->parts[i];
        uint64_t changes =
            sealing->draft->inserted[i] + sealing->draft->updated[i] + sealing->draft->deleted[i];
        if (!part->journal || changes < KEPT_MIN || sealing->result.mixed[i].count ||
            !(driver->caps & BO_CAP_SHARE) || !driver->capture->keep)
            continue;
        if (!conn)
            st = driver->share(target->conn, &token, &error);
        if (st == BO_OK && !conn)
            st = bo_target_connect(target->database, NULL, &conn, &error);
        if (st == BO_OK)
            st = driver->capture->keep(
                conn, bo_buf_str(&token), part->now, part->journal, point, &error);
        sealing->kept[i] = st == BO_OK;
    }
    if (st != BO_OK)
        bo_session_warn(sealing->session,
            "the change is kept in its file only, and undoing it will take longer: %s", error.text);
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
        st = use_journals(sealing, record, err);
    if (st == BO_OK)
        st = bo_draft_create(sealing->session, BO_PACK_CHANGESET, file, record->id,
            &target->identity, content->parts, content->part_count, &sealing->draft, err);
    if (st == BO_OK)
        st = bo_diff(sealing->session, target, content, bo_target_workers(target), keep_change,
            sealing, &sealing->result, err);
    if (st == BO_OK)
        st = count_untagged(sealing, err);
    if (st == BO_OK)
        st = count_others(sealing, err);
    if (st == BO_OK)
        keep_in_place(sealing, record->id);
    driver->rollback(target->conn);
    return st == BO_OK ? bo_draft_commit(sealing->session, sealing->draft, file, err) : st;
}

/* Rows that others wrote between two writes of the change: their keys. */
static json_t *mixed_keys(const bo_mixed *mixed)
{
    json_t *keys = json_array();
    for (size_t i = 0; keys && i < mixed->count; i++) {
        BO_OWN_VALUE(bo_buf) hex = {0};
        bo_text_hex(&hex, mixed->keys[i].data, mixed->keys[i].size);
        if (json_array_append_new(keys, json_string(bo_buf_str(&hex))) != 0) {
            json_decref(keys);
            return NULL;
        }
    }
    return keys;
}

/* The recorded details get the counts of the change, table by table. */
static char *sealed_details(const struct sealing *sealing, const char *details)
{
    BO_OWN(json_ref) *json = json_loads(details, 0, NULL);
    json_t *capture = json_object_get(sealing->position, "capture");
    if (capture)
        json_object_update(json_object_get(json, "capture"), capture);
    if (capture && sealing->run)
        json_object_set_new(json_object_get(json, "capture"), "run", json_string(sealing->run));
    if (sealing->untagged)
        json_object_set_new(json, "untagged", json_integer((json_int_t)sealing->untagged));
    if (sealing->others)
        json_object_set_new(json, "others", json_integer((json_int_t)sealing->others));
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
        if (sealing->kept[i])
            json_object_set_new(table, "kept", json_true());
        const bo_mixed *mixed = sealing->result.mixed ? &sealing->result.mixed[i] : NULL;
        if (mixed && mixed->count && json_object_set_new(table, "mixed", mixed_keys(mixed)) != 0)
            return NULL;
    }
    return bo_json_dump(json, JSON_COMPACT);
}

static bo_status seal_into(
    struct sealing *sealing, bo_point_record *record, bo_arena *arena, bo_error *err)
{
    uint32_t count = sealing->content->part_count;
    sealing->open =
        bo_arena_array(sealing->content->arena, (size_t)count + 1, sizeof *sealing->open);
    sealing->kept =
        bo_arena_array(sealing->content->arena, (size_t)count + 1, sizeof *sealing->kept);
    sealing->result.entered =
        bo_arena_array(sealing->content->arena, (size_t)count + 1, sizeof(uint64_t));
    sealing->result.operation = "seal";
    if (!sealing->open || !sealing->kept || !sealing->result.entered)
        return bo_nomem(err);
    const char *file = bo_arena_printf(arena, "%s.change", record->id);
    if (!file)
        return bo_nomem(err);
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
                "table %s: %llu rows meet the predicate now that did not at the point; whether "
                "the change added them is not known, and they are left alone",
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
    return bo_point_update_under(sealing->session, sealing->under, record, err);
}

bo_status bo_point_seal_record(bo_session *session, bo_target *target, const char *run,
    bo_point_record *record, bo_writer writer, bo_arena *arena, bo_error *err)
{
    BO_OWN(json_ref) *position = json_object();
    struct sealing sealing = {.session = session,
        .target = target,
        .run = writer.run,
        .trusted = writer.trusted,
        .under = run,
        .position = position};
    BO_OWN(bo_content) *content = NULL;
    if (!position)
        return bo_nomem(err);
    bo_status st = bo_target_check_server(target, record->server, err);
    if (st == BO_OK && target->identity.behind)
        st = bo_fail(err, BO_REFUSED,
            "the server is a replica: the end of the change may not have reached it yet");
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
    /* What was written since would count as its change, and go unasked. */
    if (strcmp(record->kind, "backup") == 0)
        return bo_fail(err, BO_REFUSED,
            "'%s' is a backup: it belongs to no change whose end could be recorded", record->id);
    if (record->change_file && record->change_file[0])
        return bo_fail(err, BO_EXISTS, "'%s' is sealed already", record->id);
    if (record->status != BO_POINT_READY)
        return bo_fail(
            err, BO_REFUSED, "'%s' is %s", record->id, bo_point_status_name(record->status));
    return BO_OK;
}

/* The point of a run that could not seal it: the change is still that run's, not what others wrote
 * meanwhile. */
static bo_status find_writer(
    bo_session *session, const char *point, bo_arena *arena, bo_writer *out, bo_error *err)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs(session->catalog, point, 0, arena, &runs, &count, err);
    for (size_t i = 0; st == BO_OK && i < count; i++)
        if (strcmp(runs[i].kind, "run") == 0)
            out->run = runs[i].id;
    return st;
}

/* Who seals says so before the file is written: a file of which no run tells is what a newer
 * catalog knows of the change. */
static bo_status check_unknown(
    bo_session *session, const bo_point_record *record, bo_arena *arena, bo_error *err)
{
    uint64_t bytes = 0;
    bo_run_record *runs = NULL;
    size_t count = 0;
    const char *file = bo_arena_printf(arena, "%s.change", record->id);
    if (!file)
        return bo_nomem(err);
    if (bo_repository_size(session->repository, file, &bytes, &(bo_error){0}) != BO_OK)
        return BO_OK;
    bo_status st = bo_catalog_runs(session->catalog, record->id, 0, arena, &runs, &count, err);
    for (size_t i = 0; st == BO_OK && i < count; i++)
        if (strcmp(runs[i].step, "sealing") == 0)
            return BO_OK;
    if (st != BO_OK)
        return st;
    return bo_fail(err, BO_REFUSED,
        "'%s' is of a seal that this catalog does not know: it is older than its "
        "repository\nbring the newer catalog back; or move the file away, and what was written "
        "since the point counts as the change",
        file);
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
    st = check_unknown(session, record, arena, err);
    if (st == BO_OK)
        st = bo_catalog_run_step(session->catalog, run, "sealing", NULL, NULL, err);
    if (st == BO_OK) /* a rollback that died may have undone what is to be sealed */
        st = bo_undo_recover(session, target, record->id, err);
    if (st == BO_OK)
        st = bo_catalog_point_find(session->catalog, record->id, arena, record, err);
    if (st == BO_OK)
        st = check_open(record, err);
    bo_writer writer = {0};
    if (st == BO_OK)
        st = find_writer(session, record->id, arena, &writer, err);
    if (st == BO_OK)
        st = bo_point_seal_record(session, target, run, record, writer, arena, err);
    return bo_session_run_end(session, run, st, err);
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
