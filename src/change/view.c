/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/view.c - points as callers see them: records, files, and runs with what to do about
 * them. */
#include <string.h>

#include "base/step.h"
#include "change/take.h"

struct bo_point_list {
    bo_arena *arena;
    bo_point *points;
    size_t count;
};
BO_DEFINE_SCOPE(bo_point_list);

size_t bo_point_list_count(const bo_point_list *list)
{
    return list->count;
}

const bo_point *bo_point_list_get(const bo_point_list *list, size_t index)
{
    return index < list->count ? &list->points[index] : NULL;
}

void bo_point_list_free(bo_point_list *list)
{
    if (!list)
        return;
    bo_arena_free(list->arena);
    free(list);
}

static uint64_t number(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value > 0 ? (uint64_t)value : 0;
}

static const char *text(bo_arena *arena, const json_t *object, const char *name)
{
    return bo_arena_str(arena, json_string_value(json_object_get(object, name)));
}

/* An array of strings; NULL: no memory. */
static const char **texts(
    bo_arena *arena, const json_t *object, const char *name, size_t *count_out)
{
    const json_t *array = json_object_get(object, name);
    size_t count = json_array_size(array);
    const char **lines = bo_arena_array(arena, count + 1, sizeof *lines);
    for (size_t i = 0; lines && i < count; i++)
        lines[i] = bo_arena_str(arena, json_string_value(json_array_get(array, i)));
    *count_out = count;
    return lines;
}

static bo_status view_table(bo_arena *arena, const json_t *from, bo_point_table *out, bo_error *err)
{
    size_t limit_count = 0, reason_count = 0;
    const char **limits = texts(arena, from, "limits", &limit_count);
    const char **reasons = texts(arena, from, "reasons", &reason_count);
    if (!limits || !reasons)
        return bo_nomem(err);
    const char *coverage = text(arena, from, "coverage");
    bool unstored = json_is_true(json_object_get(from, "unstored"));
    *out = (bo_point_table){.name = text(arena, from, "name"),
        .predicate = text(arena, from, "predicate"),
        .closure = text(arena, from, "closure"),
        .rows = number(from, unstored ? "estimated" : "rows"),
        .stored = !unstored,
        .captured = json_is_true(json_object_get(from, "captured")),
        .bytes = number(from, "bytes"),
        .digest = text(arena, from, "digest"),
        .has_key = json_is_true(json_object_get(from, "has_key")),
        .coverage = coverage ? coverage : "",
        .reason_count = reason_count,
        .reasons = reasons,
        .limit_count = limit_count,
        .limits = limits,
        .reshaped = json_is_true(json_object_get(from, "open")),
        .inserted = number(from, "inserted"),
        .updated = number(from, "updated"),
        .deleted = number(from, "deleted")};
    return out->name ? BO_OK
                     : bo_fail(err, BO_CORRUPT, "a table of the point has no name in the catalog");
}

static bo_status view_tables(
    bo_arena *arena, const bo_point_record *record, bo_point *out, bo_error *err)
{
    BO_OWN(json_ref) *details = json_loads(record->details ? record->details : "{}", 0, NULL);
    const json_t *tables = json_object_get(details, "tables");
    size_t count = json_array_size(tables);
    bo_point_table *items = bo_arena_array(arena, count + 1, sizeof *items);
    if (!items)
        return bo_nomem(err);
    for (size_t i = 0; i < count; i++) {
        bo_status st = view_table(arena, json_array_get(tables, i), &items[i], err);
        if (st != BO_OK)
            return st;
    }
    out->tables = items;
    out->table_count = count;
    out->untagged = number(details, "untagged");
    out->released_us = json_integer_value(json_object_get(details, "released_us"));
    return BO_OK;
}

static bo_status view_entities(
    bo_arena *arena, const bo_point_record *record, bo_point *out, bo_error *err)
{
    BO_OWN(json_ref) *entities = json_loads(record->entities ? record->entities : "{}", 0, NULL);
    bo_entity *items = bo_arena_array(arena, json_object_size(entities) + 1, sizeof *items);
    if (!items)
        return bo_nomem(err);
    const char *name;
    json_t *value;
    json_object_foreach(entities, name, value) items[out->entity_count++] =
        (bo_entity){bo_arena_str(arena, name), bo_arena_str(arena, json_string_value(value))};
    out->entities = items;
    return BO_OK;
}

/* How much of a point is asked for; each with what is before it. */
enum depth { RECORD, WITH_FILES, WITH_RUNS };

/* Without the key, which takes a second to make of a passphrase: what wants one is encrypted. */
static bool is_encrypted(bo_stored_source *source)
{
    BO_OWN(bo_pack) *pack = NULL;
    bo_error ignored = {0};
    return bo_pack_open(bo_stored_source_get(source), NULL, &pack, &ignored) == BO_DENIED;
}

static void view_file(bo_session *session, const bo_point_record *record, const char *name,
    enum depth depth, bo_point *out, bo_file_info *files)
{
    if (!name || !name[0])
        return;
    bo_file_info *file = &files[out->file_count++];
    bo_error ignored = {0};
    BO_OWN(bo_stored_source) *source = NULL;
    *file = (bo_file_info){.name = name, .problem = ""};
    bo_status st = bo_repository_size(session->repository, name, &file->bytes, &ignored);
    file->present = st == BO_OK;
    if (st == BO_OK && depth == WITH_RUNS)
        st = bo_repository_read(session->repository, name, &source, &ignored);
    if (st == BO_OK) {
        file->encrypted = source && is_encrypted(source);
    } else {
        file->problem = st != BO_NOTFOUND                   ? "cannot be read"
                        : record->status == BO_POINT_PRUNED ? "removed by prune"
                                                            : "missing";
    }
}

static bo_status view_files(bo_session *session, bo_arena *arena, const bo_point_record *record,
    enum depth depth, bo_point *out, bo_error *err)
{
    bo_file_info *files = bo_arena_array(arena, 3, sizeof *files);
    if (!files)
        return bo_nomem(err);
    out->files = files;
    view_file(session, record, record->file, depth, out, files);
    view_file(session, record, record->change_file, depth, out, files);
    return BO_OK;
}

struct explanation {
    const char *kind, *step; /* NULL: any */
    const char *text, *command;
    bool with_id; /* the command takes the point's id */
};

/* What is known of a run that did not end, and the command that goes on from there; the first line
 * that fits. */
static const struct explanation explanations[] = {
    {"point", NULL,
        "backout died while the point was taken; nothing was changed, and the point cannot be used",
        "backout point create", false},
    {"release", NULL,
        "backout died while the capture of the point was ended; ending it again does what is left",
        "backout point release", true},
    {"seal", NULL, "backout died while the point was sealed; nothing was changed",
        "backout point seal", true},
    {"dry-run", NULL, "backout died while a change was tried; nothing was changed", "", false},
    {"run", NULL,
        "backout died while the change ran; how far the change came is not known, and the point is "
        "whole; what others wrote since then counts as the change too",
        "backout assess", true},
    {NULL, "committed", "the rollback was committed and proved; only its records are not finished",
        "backout execute", true},
    {NULL, "committing",
        "backout died while the rollback was being committed; the marker in the database tells "
        "whether it was",
        "backout execute", true},
    {NULL, NULL,
        "backout died before anything was committed; the database undid it, and nothing was "
        "changed",
        "backout execute", true},
};

static const struct explanation failed = {NULL, NULL,
    "the change failed and has not been rolled back; what it did so far is in the database",
    "backout execute", true};

static const struct explanation failed_then_sealed = {NULL, NULL,
    "the change failed and was not rolled back, and the point was sealed by hand afterwards; what "
    "the change did is in the database",
    "backout assess", true};

static const struct explanation died_then_sealed = {NULL, NULL,
    "backout died while the change ran, and how far the change came is not known; the point has "
    "been sealed since, and what was written until then counts as the change",
    "backout assess", true};

static const struct explanation died_then_undone = {NULL, NULL,
    "backout died while the change ran; what the change did has been rolled back since", "", false};

static const struct explanation unknown = {NULL, NULL,
    "the answer to COMMIT was lost; the marker in the database tells whether it was committed, and "
    "the next rollback asks it first",
    "backout execute", true};

static const struct explanation half_captured = {NULL, NULL,
    "backout died while the point was taken; nothing was changed, and the point cannot be used; "
    "triggers of its capture may be left in the database",
    "backout doctor --fix", false};

static const struct explanation made_tables = {NULL, NULL,
    "backout died before anything was committed; the database undid it, and nothing was changed but"
    " for tables that it had made, and not filled: they are dropped next",
    "backout doctor --fix", false};

/* Where making a table commits. */
static bool has_made_tables(const bo_run_record *run)
{
    BO_OWN(json_ref) *details = json_loads(run->details ? run->details : "{}", 0, NULL);
    return json_array_size(json_object_get(details, "made")) > 0 &&
           strncmp(run->step, "commit", 6) != 0;
}

static bool is_half_captured(const bo_run_record *run, const bo_point_record *point)
{
    return strcmp(run->kind, "point") == 0 && point->status == BO_POINT_CREATING &&
           strcmp(point->method, "snapshot") != 0;
}

static bool stays_changed(const bo_run_record *run, const bo_point_record *point)
{
    return strcmp(run->kind, "run") == 0 && strcmp(run->status, "failed") == 0 &&
           (point->status == BO_POINT_READY || point->status == BO_POINT_SEALED);
}

/* A run that fails seals its point before it ends, if it can. */
static const struct explanation *explain_change(
    const bo_run_record *run, const bo_point_record *point)
{
    if (stays_changed(run, point))
        return point->status == BO_POINT_SEALED && point->sealed_us > run->ended_us
                   ? &failed_then_sealed
                   : &failed;
    if (strcmp(run->kind, "run") != 0)
        return NULL;
    return point->status == BO_POINT_SEALED        ? &died_then_sealed
           : point->status == BO_POINT_ROLLED_BACK ? &died_then_undone
                                                   : NULL;
}

static void explain(
    const bo_run_record *run, const bo_point_record *point, bo_arena *arena, bo_run_info *out)
{
    const struct explanation *change = explain_change(run, point);
    const struct explanation *line = change                                ? change
                                     : is_half_captured(run, point)        ? &half_captured
                                     : strcmp(run->status, "unknown") == 0 ? &unknown
                                     : has_made_tables(run)                ? &made_tables
                                                                           : explanations;
    while ((line->kind && strcmp(line->kind, run->kind) != 0) ||
           (line->step && strcmp(line->step, run->step) != 0))
        line++;
    out->explained = line->text;
    out->next =
        line->with_id ? bo_arena_printf(arena, "%s %s", line->command, point->id) : line->command;
}

bo_run_info bo_run_view(const bo_run_record *run, const bo_point_record *point, bo_arena *arena)
{
    bool running = strcmp(run->status, "running") == 0;
    bo_run_info info = {.id = run->id,
        .kind = run->kind,
        .status = run->status,
        .step = run->step,
        .actor = run->actor,
        .started_us = run->started_us,
        .ended_us = run->ended_us,
        .dead = strcmp(run->status, "died") == 0 || (running && bo_run_is_dead(run)),
        .explained = running ? "it is running" : "",
        .next = ""};
    if (info.dead || strcmp(run->status, "unknown") == 0 || stays_changed(run, point))
        explain(run, point, arena, &info);
    return info;
}

static bo_status view_runs(bo_session *session, bo_arena *arena, const bo_point_record *record,
    bo_point *out, bo_error *err)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs(session->catalog, record->id, 0, arena, &runs, &count, err);
    bo_run_info *items = st == BO_OK ? bo_arena_array(arena, count + 1, sizeof *items) : NULL;
    if (!items)
        return st == BO_OK ? bo_nomem(err) : st;
    for (size_t i = 0; i < count; i++)
        items[i] = bo_run_view(&runs[i], record, arena);
    out->runs = items;
    out->run_count = count;
    return BO_OK;
}

/* A file that is missing, a run that died or failed: what the record says of them may be over. */
static bool is_doubtful(const bo_point_record *record, const bo_point *point)
{
    for (size_t i = 0; i < point->file_count; i++)
        if (!point->files[i].present && record->status != BO_POINT_PRUNED)
            return true;
    for (size_t i = 0; i < point->run_count; i++) {
        const bo_run_info *run = &point->runs[i];
        if (run->explained[0] && (run->dead || strcmp(run->status, "running") != 0))
            return true;
    }
    return false;
}

static bool is_same(const bo_point_record *one, const bo_point_record *other)
{
    return one->status == other->status && one->sealed_us == other->sealed_us &&
           strcmp(one->details ? one->details : "", other->details ? other->details : "") == 0;
}

static bo_status view_record(bo_session *session, bo_arena *arena, const bo_point_record *record,
    enum depth depth, bo_point *out, bo_error *err)
{
    *out = (bo_point){.id = record->id,
        .kind = record->kind,
        .migration = record->migration,
        .description = record->description,
        .database = record->database,
        .url = record->url,
        .engine = record->engine,
        .method = record->method,
        .status = bo_point_status_name(record->status),
        .parent = record->parent,
        .created_us = record->created_us,
        .sealed_us = record->sealed_us};
    bo_status st = view_tables(arena, record, out, err);
    if (st == BO_OK)
        st = view_entities(arena, record, out, err);
    if (st != BO_OK || depth == RECORD)
        return st;
    bo_step("view.record-read");
    st = view_files(session, arena, record, depth, out, err);
    return st == BO_OK && depth == WITH_RUNS ? view_runs(session, arena, record, out, err) : st;
}

/* Files and runs are read after the record, and others go on meanwhile: in doubt it is read again,
 * until all of it is of one moment. */
static bo_status view(bo_session *session, bo_arena *arena, const bo_point_record *record,
    enum depth depth, bo_point *out, bo_error *err)
{
    for (;;) {
        bo_status st = view_record(session, arena, record, depth, out, err);
        if (st != BO_OK || !is_doubtful(record, out))
            return st;
        bo_point_record *now = bo_arena_alloc(arena, sizeof *now);
        if (!now)
            return bo_nomem(err);
        st = bo_catalog_point_find(session->catalog, record->id, arena, now, err);
        if (st != BO_OK || is_same(record, now))
            return st;
        record = now;
    }
}

static bo_status new_list(bo_point_list **out, bo_error *err)
{
    bo_point_list *list = calloc(1, sizeof *list);
    if (!list)
        return bo_nomem(err);
    list->arena = bo_arena_create();
    if (!list->arena) {
        free(list);
        return bo_nomem(err);
    }
    *out = list;
    return BO_OK;
}

bo_status bo_point_view_one(
    bo_session *session, const char *id, bool with_runs, bo_point_list **out, bo_error *err)
{
    BO_OWN(bo_point_list) *list = NULL;
    bo_status st = new_list(&list, err);
    if (st != BO_OK)
        return st;
    bo_point_record record;
    st = bo_catalog_point_find(session->catalog, id, list->arena, &record, err);
    list->points = st == BO_OK ? bo_arena_array(list->arena, 1, sizeof *list->points) : NULL;
    if (st == BO_OK && !list->points)
        return bo_nomem(err);
    if (st == BO_OK)
        st = view(
            session, list->arena, &record, with_runs ? WITH_RUNS : RECORD, &list->points[0], err);
    if (st != BO_OK)
        return st;
    list->count = 1;
    *out = BO_TAKE(list);
    return BO_OK;
}

bo_status bo_point_get(bo_session *session, const char *id, bo_point_list **out, bo_error *err)
{
    return bo_point_view_one(session, id, true, out, err);
}

bo_status bo_point_find(
    bo_session *session, const bo_point_query *query, bo_point_list **out, bo_error *err)
{
    BO_OWN(bo_point_list) *list = NULL;
    bo_status st = new_list(&list, err);
    if (st != BO_OK)
        return st;
    bo_point_filter filter = {.database = query->database,
        .table = query->table,
        .migration = query->migration,
        .entity_name = query->entity ? query->entity->name : NULL,
        .entity_value = query->entity ? query->entity->value : NULL,
        .with_undo = query->with_undo,
        .without_failed = query->without_failed,
        .usable = query->usable,
        .of_a_change = query->of_a_change,
        .limit = query->limit};
    bo_point_record *records = NULL;
    size_t count = 0;
    st = bo_catalog_points(session->catalog, &filter, list->arena, &records, &count, err);
    list->points =
        st == BO_OK ? bo_arena_array(list->arena, count + 1, sizeof *list->points) : NULL;
    if (st == BO_OK && !list->points)
        return bo_nomem(err);
    for (size_t i = 0; st == BO_OK && i < count; i++)
        st = view(session, list->arena, &records[i], WITH_FILES, &list->points[i], err);
    if (st != BO_OK)
        return st;
    list->count = count;
    *out = BO_TAKE(list);
    return BO_OK;
}
