/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/point.c - taking a rollback point.  Order of writes: docs/design/point.md. */
#include "backout/point.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "change/journal.h"
#include "change/take.h"
#include "store/live.h"

enum { TRIES = 3 };

/* Another catalog may keep its files in the same repository. */
static bool has_files(bo_session *session, const char *id)
{
    static const char *const suffixes[] = {".snapshot", ".change"};
    bool found = false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[BO_ID_SIZE + 16];
        uint64_t bytes = 0;
        bo_error absent = {0};
        (void)snprintf(name, sizeof name, "%s%s", id, suffixes[i]);
        found = found || bo_repository_size(session->repository, name, &bytes, &absent) == BO_OK;
    }
    return found;
}

bo_status bo_point_new_id(
    bo_session *session, const char *migration, bool dry_run, char out[BO_ID_SIZE], bo_error *err)
{
    BO_OWN_VALUE(bo_buf) slug = {0};
    bo_text_slug(&slug, migration && migration[0] ? migration : "manual", 80);
    bo_status st = bo_buf_check(&slug, err);
    if (st != BO_OK)
        return st;
    char time[BO_TIME_TEXT_SIZE];
    bo_time_compact(bo_clock_now_us(), time);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    for (unsigned n = 1; n < 10000; n++) {
        int size = snprintf(
            out, BO_ID_SIZE, "%srb_%s_%s", dry_run ? "DRY_RUN_" : "", bo_buf_str(&slug), time);
        if (n > 1)
            snprintf(out + size, BO_ID_SIZE - (size_t)size, "_%u", n);
        bo_point_record taken;
        bool there = false;
        st = bo_catalog_point_get(session->catalog, out, arena, &taken, &there, err);
        if (st != BO_OK)
            return st;
        if (!there && !has_files(session, out))
            return BO_OK;
    }
    return bo_fail(err, BO_EXISTS, "too many points in one second");
}

/* Adds what is known of the capture: nothing when it was not asked for. */
static bool add_coverage(json_t *table, const bo_part *part)
{
    if (!table || !part->coverage)
        return table != NULL;
    json_t *reasons = json_array();
    bool good = json_object_set_new(table, "coverage", json_string(part->coverage)) == 0 &&
                json_object_set_new(table, "reasons", reasons) == 0;
    const char *line = part->reasons ? part->reasons : "";
    while (good && *line) {
        size_t size = strcspn(line, "\n");
        good = json_array_append_new(reasons, json_stringn(line, size)) == 0;
        line += size + (line[size] == '\n');
    }
    return good;
}

static json_t *table_details(const bo_part *part, const bo_extent *extent)
{
    json_t *limits = json_array();
    for (uint16_t i = 0; limits && i < part->was->limit_count; i++)
        json_array_append_new(limits, json_string(part->was->limits[i]));
    char digest[BO_DIGEST_TEXT_SIZE] = "";
    if (extent)
        bo_digest_format(&extent->digest, digest);
    return json_pack("{s:s, s:I, s:I, s:s, s:b, s:b, s:b, s:s?, s:s?, s:o}", "name",
        part->was->name, "rows", (json_int_t)(extent ? extent->digest.rows : 0), "bytes",
        (json_int_t)(extent ? extent->bytes : 0), "digest", digest, "has_key",
        part->was->row_key != NULL, "captured", part->captured, "unstored", part->unstored,
        "predicate", part->entering, "closure", part->closure, "limits", limits);
}

json_t *bo_point_details(const bo_part *parts, uint32_t count, const bo_extent *extents,
    const bo_draft *counts, double seconds)
{
    BO_OWN(json_ref) *tables = json_array();
    for (uint32_t i = 0; tables && i < count; i++) {
        json_t *table = table_details(&parts[i], extents ? &extents[i] : NULL);
        bool good = add_coverage(table, &parts[i]);
        if (json_array_append_new(tables, table) != 0 || !good)
            return NULL;
        if (counts) {
            json_object_set_new(table, "inserted", json_integer((json_int_t)counts->inserted[i]));
            json_object_set_new(table, "updated", json_integer((json_int_t)counts->updated[i]));
            json_object_set_new(table, "deleted", json_integer((json_int_t)counts->deleted[i]));
        }
    }
    return json_pack("{s:O, s:f}", "tables", tables, "seconds", seconds);
}

static char *entities_json(const bo_point_options *options)
{
    BO_OWN(json_ref) *object = json_object();
    for (size_t i = 0; object && i < options->entity_count; i++)
        json_object_set_new(
            object, options->entities[i].name, json_string(options->entities[i].value));
    return object ? bo_json_dump(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
}

struct taking {
    bo_session *session;
    bo_target *target;
    const bo_point_options *options;
    bo_method method;
    bo_point_record record;
    char run[64];
    char file[BO_ID_SIZE + 16];
    bo_arena *arena;
    bo_part *parts;
    uint32_t count;
    bo_extent *extents;
    char root[65];
    json_t *position; /* {"capture": {"position": ...}} when anything is captured */
    bool capturing;
    char *details; /* malloc()ed */
};

static bo_status lock_parts(struct taking *taking, bo_error *err)
{
    const bo_driver *driver = taking->target->conn->driver;
    const bo_table **tables = bo_arena_array(taking->arena, taking->count, sizeof *tables);
    if (!tables)
        return bo_nomem(err);
    for (uint32_t i = 0; i < taking->count; i++)
        tables[i] = taking->parts[i].now;
    return driver->lock(taking->target->conn, tables, taking->count, err);
}

static void warn_lines(struct taking *taking, const char *before, const bo_buf *lines)
{
    const char *line = bo_buf_str(lines);
    while (*line) {
        size_t size = strcspn(line, "\n");
        bo_session_warn(taking->session, "%s%.*s", before, (int)size, line);
        line += size + (line[size] == '\n');
    }
}

/* From here on changes are captured.  The triggers stay when this process dies: the point's record
 * is there already, and `doctor` and `point release` know what to do with it. */
static bo_status begin_capture(struct taking *taking, bo_error *err)
{
    bo_target *target = taking->target;
    bo_status st =
        bo_capture_choose(target, taking->method, taking->parts, taking->count, taking->arena, err);
    for (uint32_t i = 0; st == BO_OK && i < taking->count; i++)
        taking->capturing = taking->capturing || taking->parts[i].captured;
    if (st != BO_OK)
        return st;
    if (!taking->capturing)
        return BO_OK;
    st = bo_catalog_run_step(taking->session->catalog, taking->run, "capturing", NULL, NULL, err);
    if (st == BO_OK)
        st = bo_capture_begin(target, taking->parts, taking->count, taking->record.id, err);
    if (st == BO_EXISTS) /* what is there is another point's */
        taking->record.details = "{\"" BO_CAPTURE_ELSEWHERE "\": true}";
    bool undone = (st == BO_BUSY || st == BO_REFUSED) &&
                  (target->conn->driver->caps & BO_CAP_TRANSACTIONAL_DDL);
    if (st == BO_EXISTS || undone) /* nothing of ours was made */
        taking->capturing = false;
    return st;
}

/* Definitions are read again under the locks, so that they are those of the snapshot's instant. */
static bo_status describe_locked(struct taking *taking, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) unused = {0};
    const bo_part *before = taking->parts;
    uint32_t count = taking->count;
    bo_status st = lock_parts(taking, err);
    if (st == BO_OK)
        st = bo_target_scope(taking->target, taking->options, taking->arena, &taking->parts,
            &taking->count, &unused, err);
    for (uint32_t i = 0; st == BO_OK && i < taking->count; i++) {
        bo_part *part = &taking->parts[i];
        for (uint32_t j = 0; j < count; j++) {
            if (strcmp(before[j].was->name, part->was->name) != 0)
                continue;
            part->captured = before[j].captured;
            part->unstored = before[j].unstored;
            part->coverage = before[j].coverage;
            part->reasons = before[j].reasons;
        }
    }
    return st;
}

static bo_status read_rows(struct taking *taking, bo_error *err)
{
    bo_target *target = taking->target;
    bo_status st = describe_locked(taking, err);
    if (st != BO_OK)
        return st;
    taking->position = json_object();
    taking->extents = bo_arena_array(taking->arena, taking->count, sizeof *taking->extents);
    if (!taking->extents || !taking->position)
        return bo_nomem(err);
    st = bo_journal_note(target, taking->parts, taking->count, taking->position, "position", err);
    if (st == BO_OK)
        st =
            bo_catalog_run_step(taking->session->catalog, taking->run, "snapshot", NULL, NULL, err);
    if (st == BO_OK)
        st = bo_snapshot_write(taking->session, target, taking->parts, taking->count,
            bo_target_workers(target), taking->file, taking->record.id, taking->extents,
            taking->root, err);
    if (st == BO_EXISTS) /* of another catalog; not ours to remove */
        taking->record.file = "";
    return st;
}

static bo_status read_everything(struct taking *taking, bo_error *err)
{
    bo_target *target = taking->target;
    BO_OWN_VALUE(bo_buf) notes = {0};
    bo_status st = bo_target_scope(
        target, taking->options, taking->arena, &taking->parts, &taking->count, &notes, err);
    if (st != BO_OK)
        return st;
    warn_lines(taking, "", &notes);
    st = begin_capture(taking, err);
    uint64_t rows = 0;
    if (st == BO_OK)
        st = bo_snapshot_check_space(
            taking->session, target, taking->parts, taking->count, &rows, err);
    if (st == BO_OK)
        st = target->conn->driver->begin(target->conn, BO_TX_READ, err);
    return st == BO_OK ? read_rows(taking, err) : st;
}

/* How many rows there are about, of tables that nothing was read of. */
static void add_estimates(struct taking *taking, json_t *details)
{
    bo_conn *conn = taking->target->conn;
    for (uint32_t i = 0; i < taking->count; i++) {
        uint64_t rows = 0, bytes = 0;
        bo_error ignored = {0};
        if (taking->parts[i].unstored &&
            conn->driver->estimate(conn, taking->parts[i].now, &rows, &bytes, &ignored) == BO_OK)
            json_object_set_new(json_array_get(json_object_get(details, "tables"), i), "estimated",
                json_integer((json_int_t)rows));
    }
}

static bo_status write_snapshot(struct taking *taking, bo_error *err)
{
    int64_t started = bo_clock_monotonic_us();
    bo_status st = read_everything(taking, err);
    taking->target->conn->driver->rollback(taking->target->conn);
    if (st != BO_OK)
        return st;
    double seconds = (double)(bo_clock_monotonic_us() - started) / 1e6;
    BO_OWN(json_ref) *details =
        bo_point_details(taking->parts, taking->count, taking->extents, NULL, seconds);
    if (details)
        add_estimates(taking, details);
    if (details)
        json_object_update(details, taking->position);
    taking->details = details ? bo_json_dump(details, JSON_COMPACT) : NULL;
    if (!taking->details)
        return bo_nomem(err);
    taking->record.details = taking->details;
    taking->record.root = taking->root;
    return bo_catalog_run_step(taking->session->catalog, taking->run, "stored", NULL, NULL, err);
}

/* In one moment with the end of its run: a point that counts as taken is not given up any more. */
static bo_status record_ready(struct taking *taking, bo_error *err)
{
    bo_catalog *catalog = taking->session->catalog;
    bo_status st = bo_catalog_begin(catalog, err);
    if (st != BO_OK)
        return st;
    taking->record.status = BO_POINT_READY;
    st = bo_point_update_under(taking->session, taking->run, &taking->record, err);
    if (st == BO_OK)
        st = bo_catalog_run_end(catalog, taking->run, "done", NULL, err);
    return bo_catalog_finish(catalog, st, err);
}

static void note_unrecorded(struct taking *taking, const bo_error *why)
{
    bo_live_remove(taking->run); /* whoever comes next may settle it, this process too */
    bo_session_warn(taking->session, "the failure could not be recorded: %s", why->text);
}

/* Leaves the records of a point that could not be taken; the reason of the failure stays in err. */
static void record_failure(struct taking *taking, bo_status st)
{
    bo_error second = {0};
    if (bo_catalog_point_update(taking->session->catalog, &taking->record, &second) != BO_OK ||
        bo_catalog_run_end(
            taking->session->catalog, taking->run, bo_outcome_name(st), NULL, &second) != BO_OK)
        note_unrecorded(taking, &second);
}

/* It may, when the answer to the commit that says so was lost. */
static bool may_count_as_taken(struct taking *taking)
{
    bo_point_record now = {0};
    bool there = false;
    bo_error ignored = {0};
    return taking->record.status == BO_POINT_READY &&
           (bo_catalog_point_get(taking->session->catalog, taking->record.id, taking->arena, &now,
                &there, &ignored) != BO_OK ||
               (there && now.status == BO_POINT_READY));
}

/* If the link is what broke, another one does it. */
static bo_status end_capture(struct taking *taking, bo_error *err)
{
    bo_target *target = taking->target;
    BO_OWN(bo_conn) *again = NULL;
    bo_error second = {0};
    bo_status st = bo_capture_end(target, taking->record.id, err);
    if (st == BO_OK || bo_target_connect(target->database, NULL, &again, &second) != BO_OK)
        return st;
    bo_conn_free(target->conn);
    target->conn = BO_TAKE(again);
    return bo_capture_end(target, taking->record.id, err);
}

/* A point whose capture could not be ended is half there, like one whose process died.  It does not
 * count as taken before its capture ends. */
static void give_up(struct taking *taking, bo_status st)
{
    bo_error error = {0};
    const bool taken = taking->capturing && may_count_as_taken(taking);
    taking->record.status = BO_POINT_CREATING;
    if (taken &&
        bo_catalog_point_update(taking->session->catalog, &taking->record, &error) != BO_OK) {
        note_unrecorded(taking, &error);
        return;
    }
    if (!taking->capturing || end_capture(taking, &error) == BO_OK) {
        taking->record.status = BO_POINT_FAILED;
    } else {
        bo_session_warn(taking->session,
            "what captures the changes of its tables is still there: %s", error.text);
    }
    record_failure(taking, st);
}

/* Record and run are there together, so that nobody finds a point that is being taken without its
 * run.  The record is what reserves the id. */
static bo_status reserve(struct taking *taking, char id[BO_ID_SIZE], bo_error *err)
{
    bo_catalog *catalog = taking->session->catalog;
    bool dry_run = strcmp(taking->record.kind, "dry-run") == 0;
    bo_status st = bo_catalog_begin(catalog, err);
    if (st != BO_OK)
        return st;
    st = bo_point_new_id(taking->session, taking->record.migration, dry_run, id, err);
    snprintf(taking->file, sizeof taking->file, "%s.snapshot", id);
    if (st == BO_OK)
        st = bo_catalog_run_begin(catalog, "point", id, taking->session->actor, taking->run, err);
    if (st == BO_OK)
        st = bo_catalog_point_add(catalog, &taking->record, err);
    return bo_catalog_finish(catalog, st, err);
}

static bo_status take_recorded(struct taking *taking, bo_error *err)
{
    bo_status st =
        bo_session_audit(taking->session, "point.create", taking->record.id, "begun", NULL, err);
    if (st == BO_OK)
        st = write_snapshot(taking, err);
    if (st == BO_OK)
        st = record_ready(taking, err);
    if (st != BO_OK)
        give_up(taking, st);
    return bo_session_audit_end(taking->session, "point.create", taking->record.id, st, NULL, err);
}

/* A record as it is before anything was read. */
static bo_point_record begin_record(struct taking *taking, const char *id, const char *entities)
{
    const bo_point_options *options = taking->options;
    const char *kind = options->kind ? options->kind : "point";
    const char *unnamed = strcmp(kind, "backup") == 0 ? "backup" : "manual";
    return (bo_point_record){.id = id,
        .kind = kind,
        .migration = options->migration ? options->migration : unnamed,
        .description = options->description ? options->description : "",
        .database = bo_target_name(taking->target),
        .url = taking->target->url,
        .server = taking->target->identity.server,
        .engine = taking->target->identity.engine,
        .method = bo_method_name(taking->method),
        .status = BO_POINT_CREATING,
        .created_us = bo_clock_now_us(),
        .file = taking->file,
        .run = taking->run,
        .root = "",
        .change_root = "",
        .entities = entities,
        .details = "{}"};
}

static bo_status take_once(bo_session *session, bo_target *target, const bo_point_options *options,
    char id[BO_ID_SIZE], bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_MEM char *entities = entities_json(options);
    if (!arena || !entities)
        return bo_nomem(err);
    struct taking taking = {
        .session = session, .target = target, .options = options, .arena = arena};
    bool captures = !options->kind || strcmp(options->kind, "point") == 0;
    taking.method = captures ? options->method : BO_METHOD_SNAPSHOT;
    taking.record = begin_record(&taking, id, entities);
    bo_status st = reserve(&taking, id, err);
    if (st == BO_OK)
        st = take_recorded(&taking, err);
    free(taking.details);
    json_decref(taking.position);
    return st;
}

static bool is_kind(const char *kind)
{
    return strcmp(kind, "point") == 0 || strcmp(kind, "backup") == 0 ||
           strcmp(kind, "dry-run") == 0;
}

/* The id may be taken in the database or in the repository, by a point of another catalog: the next
 * one is another. */
bo_status bo_point_take(bo_session *session, bo_target *target, const bo_point_options *options,
    char id_out[BO_ID_SIZE], bo_error *err)
{
    char id[BO_ID_SIZE] = "";
    if (options->kind && !is_kind(options->kind))
        return bo_fail(err, BO_INVALID, "'%s' is no kind of point", options->kind);
    bo_target_warn_behind(session, target);
    bo_status st = take_once(session, target, options, id, err);
    for (unsigned i = 1; i < TRIES && st == BO_EXISTS; i++)
        st = take_once(session, target, options, id, err);
    if (st == BO_OK)
        memcpy(id_out, id, sizeof id);
    return st;
}

bo_status bo_point_create(bo_session *session, const bo_database *database,
    const bo_point_options *options, bo_point_list **out, bo_error *err)
{
    BO_OWN(bo_target) *target = NULL;
    char id[BO_ID_SIZE];
    const bool backup = options->kind && strcmp(options->kind, "backup") == 0;
    const char *what = backup ? "backup" : "point";
    bo_status st = bo_target_open(database, &target, err);
    if (st != BO_OK) {
        st = bo_wrap(err, st, "cannot take a %s", what);
        return bo_session_audit_end(session, "point.create", "", st, NULL, err);
    }
    st = bo_point_take(session, target, options, id, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot take a %s", what);
    return bo_point_view_one(session, id, false, out, err);
}
