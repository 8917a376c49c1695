/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/artefacts.c - a point as open files that need no backout to be read or restored.
 *
 * The metadata comes last: where it is, all the other files are whole, and their checksums are in
 * it.
 */
#include "backout/export.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/text.h"
#include "change/script.h"
#include "change/seal.h"

struct artefacts {
    bo_session *session;
    const bo_database *database;
    const char *directory;
    bo_point_record record;
    bo_arena *arena;
    bool dry_run;
    const char *stem; /* <directory>/<entity>_<value>_<time> */
    json_t *files;    /* that are written */
};

/* A file being written, with its checksum. */
struct artefact {
    bo_outfile *file;
    crypto_generichash_state state;
};

static bo_status write_text(void *ctx, const char *text, size_t size, bo_error *err)
{
    struct artefact *artefact = ctx;
    crypto_generichash_update(&artefact->state, (const unsigned char *)text, size);
    return bo_outfile_write(artefact->file, text, size, err);
}

/* DRY_RUN_campaign_123_20261120_041739 */
static bo_status name_files(struct artefacts *artefacts, bo_error *err)
{
    const bo_point_record *record = &artefacts->record;
    BO_OWN(json_ref) *entities = json_loads(record->entities, 0, NULL);
    BO_OWN_VALUE(bo_buf) stem = {0};
    char time[BO_TIME_TEXT_SIZE];
    bo_time_compact(record->created_us, time);
    bo_buf_printf(&stem, "%s/%s", artefacts->directory, artefacts->dry_run ? "DRY_RUN_" : "");
    const char *name;
    json_t *value;
    bool named = false;
    json_object_foreach(entities, name, value)
    {
        const char *text = json_string_value(value);
        bo_text_slug(&stem, name, 40);
        bo_buf_add_str(&stem, "_");
        bo_text_slug(&stem, text ? text : "", 40);
        bo_buf_add_str(&stem, "_");
        named = true;
        break; /* one entity names a file; the metadata has them all */
    }
    if (!named) {
        bo_text_slug(&stem, record->migration, 80);
        bo_buf_add_str(&stem, "_");
    }
    bo_buf_add_str(&stem, time);
    artefacts->stem = bo_arena_str(artefacts->arena, bo_buf_str(&stem));
    return stem.failed || !artefacts->stem ? bo_nomem(err) : BO_OK;
}

static bo_status check_absent(const char *path, bo_error *err)
{
    struct stat about;
    if (lstat(path, &about) == 0)
        return bo_fail(err, BO_EXISTS, "'%s' is there already", path);
    return errno == ENOENT ? BO_OK
                           : bo_fail(err, bo_io_status(errno), "'%s': %s", path, strerror(errno));
}

static bo_status finish(struct artefacts *artefacts, struct artefact *artefact, const char *path,
    const char *table, bo_error *err)
{
    unsigned char hash[32];
    crypto_generichash_final(&artefact->state, hash, sizeof hash);
    BO_OWN_VALUE(bo_buf) hex = {0};
    bo_text_hex(&hex, hash, sizeof hash);
    const char *name = strrchr(path, '/') + 1;
    json_t *item = json_pack("{s:s, s:I, s:s, s:s*}", "name", name, "bytes",
        (json_int_t)bo_outfile_size(artefact->file), "blake2b", bo_buf_str(&hex), "table", table);
    if (!item || json_array_append_new(artefacts->files, item) != 0)
        return bo_nomem(err);
    bo_status st = bo_outfile_commit(artefact->file, false, err);
    if (st != BO_OK)
        (void)json_array_remove(artefacts->files, json_array_size(artefacts->files) - 1);
    return st;
}

/* Without the metadata they are of no use, and in the way of the next attempt. */
static void remove_written(struct artefacts *artefacts)
{
    size_t i;
    const json_t *file;
    json_array_foreach(artefacts->files, i, file)
    {
        bo_error ignored = {0};
        BO_OWN_VALUE(bo_buf) path = {0};
        bo_buf_printf(
            &path, "%s/%s", artefacts->directory, json_string_value(json_object_get(file, "name")));
        if (!path.failed)
            (void)bo_file_remove(bo_buf_str(&path), &ignored);
    }
}

/* ---- <stem>_snapshot.json ---- */

static bo_status write_snapshot(struct artefacts *artefacts, const char *path, bo_error *err)
{
    struct artefact artefact = {0};
    crypto_generichash_init(&artefact.state, NULL, 0, 32);
    bo_status st = bo_outfile_create(path, &artefact.file, err);
    if (st == BO_OK)
        st = bo_export(artefacts->session, artefacts->database, artefacts->record.id,
            BO_EXPORT_JSON, BO_EXPORT_BEFORE, write_text, &artefact, err);
    if (st == BO_OK)
        st = finish(artefacts, &artefact, path, NULL, err);
    bo_outfile_free(artefact.file);
    return st;
}

/* ---- <stem>_<table>.sql ---- */

static bo_status write_table(struct artefacts *artefacts, bo_script_job *job, uint32_t table,
    const char *path, bo_error *err)
{
    struct artefact artefact = {0};
    crypto_generichash_init(&artefact.state, NULL, 0, 32);
    job->ctx = &artefact;
    bo_status st = bo_outfile_create(path, &artefact.file, err);
    if (st == BO_OK)
        st = bo_script_table(job, table, err);
    if (st == BO_OK)
        st = finish(artefacts, &artefact, path, job->content->parts[table].was->name, err);
    bo_outfile_free(artefact.file);
    return st;
}

static bool is_taken(const char **paths, uint32_t count, const char *path)
{
    for (uint32_t i = 0; i < count; i++)
        if (bo_text_same(paths[i], path))
            return true;
    return false;
}

/* Tables whose names are the same in a file name get a number. */
static const char *table_path(
    struct artefacts *artefacts, const char *table, const char **paths, uint32_t count)
{
    BO_OWN_VALUE(bo_buf) path = {0};
    for (unsigned number = 1; number == 1 || is_taken(paths, count, bo_buf_str(&path)); number++) {
        bo_buf_clear(&path);
        bo_buf_printf(&path, "%s_", artefacts->stem);
        bo_text_slug(&path, table, 80);
        if (number > 1)
            bo_buf_printf(&path, "_%u", number);
        bo_buf_add_str(&path, ".sql");
        if (path.failed)
            return NULL;
    }
    return bo_arena_str(artefacts->arena, bo_buf_str(&path));
}

static bo_status name_tables(
    struct artefacts *artefacts, const bo_content *content, const char **paths, bo_error *err)
{
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++) {
        paths[i] = table_path(artefacts, content->parts[i].was->name, paths, i);
        st = paths[i] ? check_absent(paths[i], err) : bo_nomem(err);
    }
    return st;
}

/* ---- <stem>_metadata.json ---- */

static json_t *tables_json(const bo_point_record *record)
{
    BO_OWN(json_ref) *details = json_loads(record->details, 0, NULL);
    BO_OWN(json_ref) *tables = json_array();
    size_t i;
    const json_t *table;
    json_array_foreach(json_object_get(details, "tables"), i, table)
    {
        json_t *item =
            json_pack("{s:O?, s:O?, s:O?}", "name", json_object_get(table, "name"), "rows",
                json_object_get(table, "rows"), "predicate", json_object_get(table, "predicate"));
        if (!item || json_array_append_new(tables, item) != 0)
            return NULL;
    }
    return BO_TAKE(tables);
}

static bo_status write_metadata(struct artefacts *artefacts, const char *path, bo_error *err)
{
    const bo_point_record *record = &artefacts->record;
    char time[BO_TIME_TEXT_SIZE];
    bo_time_format(record->created_us, time);
    BO_OWN(json_ref) *entities = json_loads(record->entities, 0, NULL);
    BO_OWN(json_ref) *tables = tables_json(record);
    BO_OWN(json_ref) *metadata =
        entities && tables
            ? json_pack("{s:s, s:O, s:s, s:s, s:s, s:s, s:b, s:O, s:O}", "id", record->id, "entity",
                  entities, "migration", record->migration, "database", record->database, "engine",
                  record->engine, "timestamp", time, "dry_run", artefacts->dry_run, "tables",
                  tables, "files", artefacts->files)
            : NULL;
    BO_OWN_MEM char *text = metadata ? bo_json_dump(metadata, JSON_INDENT(2)) : NULL;
    if (!text)
        return bo_nomem(err);
    return bo_file_write(path, text, strlen(text), false, err);
}

/* ---- all of them ---- */

static bo_status open_rows(
    struct artefacts *artefacts, bo_target **target, bo_content **content, bo_error *err)
{
    const bo_point_record *record = &artefacts->record;
    bool snapshot = bo_point_stores_rows(record);
    if (!snapshot && !(record->change_file && record->change_file[0]))
        return bo_fail(err, BO_REFUSED, "'%s' has no rows to write", record->id);
    bo_status st = bo_target_open(artefacts->database, target, err);
    if (st == BO_OK)
        st = bo_target_check_server(*target, record->server, err);
    return st == BO_OK ? bo_content_open_of(artefacts->session, record, !snapshot, content, err)
                       : st;
}

static bo_status write_files(struct artefacts *artefacts, bo_error *err)
{
    BO_OWN(bo_target) *target = NULL;
    BO_OWN(bo_content) *content = NULL;
    bo_status st = open_rows(artefacts, &target, &content, err);
    if (st != BO_OK)
        return st;
    const char **paths =
        bo_arena_array(artefacts->arena, (size_t)content->part_count + 1, sizeof *paths);
    const char *snapshot = bo_arena_printf(artefacts->arena, "%s_snapshot.json", artefacts->stem);
    const char *metadata = bo_arena_printf(artefacts->arena, "%s_metadata.json", artefacts->stem);
    if (!paths || !snapshot || !metadata)
        return bo_nomem(err);
    st = check_absent(snapshot, err);
    if (st == BO_OK)
        st = check_absent(metadata, err);
    if (st == BO_OK)
        st = name_tables(artefacts, content, paths, err);
    if (st == BO_OK)
        st = write_snapshot(artefacts, snapshot, err);
    bo_script_job job = {.target = target,
        .content = content,
        .point = artefacts->record.id,
        .title = "the rows of a table before a change",
        .sink = write_text};
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++)
        st = write_table(artefacts, &job, i, paths[i], err);
    if (st == BO_OK)
        st = write_metadata(artefacts, metadata, err);
    if (st != BO_OK)
        remove_written(artefacts);
    return st;
}

bo_status bo_export_artefacts(bo_session *session, const bo_database *database, const char *id,
    const char *directory, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN(json_ref) *files = json_array();
    if (!arena || !files)
        return bo_nomem(err);
    struct artefacts artefacts = {.session = session,
        .database = database,
        .directory = directory,
        .arena = arena,
        .files = files};
    bo_status st = bo_catalog_point_find(session->catalog, id, arena, &artefacts.record, err);
    if (st == BO_OK) {
        artefacts.dry_run = strcmp(artefacts.record.kind, "dry-run") == 0;
        st = name_files(&artefacts, err);
    }
    if (st == BO_OK)
        st = write_files(&artefacts, err);
    if (st != BO_OK)
        st = bo_wrap(err, st, "cannot write the artefacts of '%s' to '%s'", id, directory);
    return bo_session_audit_end(session, "point.artefacts", id, st, NULL, err);
}
