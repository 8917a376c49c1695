/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/stored.c - the files of points: their names, their rows, and a test of restoring them.
 */
#include "change/stored.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/step.h"
#include "base/text.h"
#include "change/unsettled.h"

#define SCRATCH_NAME "test-restore.db"

/* Longer ones first where one ends like another. */
const char *const bo_stored_suffixes[] = {
    ".snapshot", ".lost.change", ".lost.jsonl", ".change", NULL};

bool bo_stored_is_intent(const char *name)
{
    size_t size = strlen(name), end = strlen(".change");
    return (bo_text_starts(name, "intent_") || bo_text_starts(name, "since_")) && size > end &&
           strcmp(name + size - end, ".change") == 0;
}

size_t bo_stored_id_size(const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; bo_stored_suffixes[i]; i++) {
        size_t end = strlen(bo_stored_suffixes[i]);
        if (size > end && strcmp(name + size - end, bo_stored_suffixes[i]) == 0)
            return bo_stored_is_intent(name) ? 0 : size - end;
    }
    return 0;
}

bo_status bo_point_check_whole(const bo_point_record *point, bo_error *err)
{
    if (bo_point_is_whole(point))
        return BO_OK;
    return bo_fail(err, BO_REFUSED, "point '%s' is %s and cannot be used", point->id,
        bo_point_status_name(point->status));
}

/* What was rolled back without a seal can never be sealed: its change is gone. */
bo_status bo_point_check_sealed(const bo_point_record *point, const char *unknown, bo_error *err)
{
    bo_status st = bo_point_check_whole(point, err);
    if (st != BO_OK || (point->change_file && point->change_file[0]))
        return st;
    bool undone = point->status == BO_POINT_ROLLED_BACK;
    return bo_fail(err, BO_REFUSED, "'%s' %s: %s", point->id,
        undone ? "was rolled back without a seal" : "is not sealed", unknown);
}

void bo_stored_lost_root(const bo_point_record *undo_point, char out[65])
{
    BO_OWN(json_ref) *details = json_loads(undo_point->details, 0, NULL);
    const char *root = json_string_value(json_object_get(details, "lost_root"));
    (void)snprintf(out, 65, "%s", root ? root : "");
}

bo_status bo_stored_in_use(bo_session *session, bool *out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs_running(session->catalog, NULL, arena, &runs, &count, err);
    if (st != BO_OK)
        return st;
    *out = false;
    for (size_t i = 0; i < count; i++)
        if (bo_run_undoes(&runs[i]) && bo_run_is_live(&runs[i]))
            *out = true;
    return *out ? BO_OK : bo_repository_in_use(session->repository, out, err);
}

/* ---- the rows of one table, as a bo_next_fn gives them ---- */

typedef struct source {
    const bo_content *content;
    bo_frame_reader *reader;
    uint32_t table, next_frame;
    bool loaded;
    bo_digest digest; /* of what was given out; hints apart */
} source;

static void source_done(source *rows)
{
    bo_frame_reader_free(rows->reader);
}

static bo_status next_row(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    source *rows = ctx;
    const bo_pack *pack = rows->content->pack;
    for (;;) {
        if (rows->loaded) {
            bo_status st = bo_frame_reader_row(rows->reader, row_out, end_out, err);
            if (st == BO_OK && !*end_out)
                bo_digest_add(
                    &rows->digest, bo_row_values(rows->content->parts[rows->table].was, *row_out));
            if (st != BO_OK || !*end_out)
                return st;
        }
        while (rows->next_frame < bo_pack_frame_count(pack) &&
               bo_pack_get_frame(pack, rows->next_frame)->table != rows->table)
            rows->next_frame++;
        *end_out = rows->next_frame == bo_pack_frame_count(pack);
        if (*end_out)
            return BO_OK;
        bo_status st = bo_interrupt_check(err);
        if (st == BO_OK)
            st = bo_content_load(rows->content, rows->reader, rows->next_frame++, err);
        if (st != BO_OK)
            return st;
        rows->loaded = true;
    }
}

/* ---- the test restore ---- */

struct reading_back {
    const bo_table *was;
    bo_digest digest;
    bo_meter *meter;
};

static bo_status read_row(void *ctx, bo_image row, bo_error *err)
{
    struct reading_back *reading = ctx;
    bo_digest_add(&reading->digest, bo_row_values(reading->was, row));
    bo_meter_add(reading->meter, reading->was->name, 1, row.size);
    return reading->digest.rows % 4096 == 0 ? bo_interrupt_check(err) : BO_OK;
}

static bo_status restore_table(
    bo_conn *conn, bo_content *content, uint32_t table, bo_meter *meter, bo_error *err)
{
    const bo_table *was = content->parts[table].was;
    struct reading_back reading = {.was = was, .meter = meter};
    BO_OWN_VALUE(source) rows = {.content = content, .table = table};
    bo_status st = bo_frame_reader_create(content->pack, &rows.reader, err);
    if (st == BO_OK)
        st = conn->driver->scratch_restore(conn, was, next_row, &rows, read_row, &reading, err);
    if (st == BO_CONFLICT) /* the definition does not take the rows */
        st = BO_MISMATCH;
    if (st == BO_OK && !bo_digest_equal(&rows.digest, &reading.digest))
        st = bo_fail(err, BO_MISMATCH, "%llu rows were put in, and others (%llu) came out",
            (unsigned long long)rows.digest.rows, (unsigned long long)reading.digest.rows);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "table '%s' cannot be restored", was->name);
}

static bo_status restore_into(
    bo_session *session, bo_conn *conn, bo_content *content, bo_error *err)
{
    bo_meter meter;
    bo_meter_start(&meter, session, "check", 0);
    bo_status st = conn->driver->begin(conn, BO_TX_WRITE, err);
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++)
        st = restore_table(conn, content, i, &meter, err);
    conn->driver->rollback(conn);
    return st;
}

static bo_status restore_into_file(bo_session *session, bo_content *content, bo_error *err)
{
    const char *folder = NULL;
    BO_OWN_VALUE(bo_buf) path = {0};
    BO_OWN(bo_conn) *conn = NULL;
    bo_status st = bo_repository_scratch(session->repository, &folder, err);
    if (st == BO_OK) {
        bo_buf_printf(&path, "%s/%s", folder, SCRATCH_NAME);
        st = bo_buf_check(&path, err);
    }
    const bo_connect how = {.url = bo_buf_str(&path), .create = true};
    if (st == BO_OK)
        st = bo_driver_open(&how, &conn, err);
    if (st == BO_OK)
        st = restore_into(session, conn, content, err);
    bo_conn_free(BO_TAKE(conn));
    (void)unlink(how.url); /* goes with its folder at the latest */
    return st;
}

bo_status bo_stored_test_restore(bo_session *session, const bo_driver *driver,
    const bo_database *database, bo_content *content, bo_error *err)
{
    if (driver->caps & BO_CAP_FILES)
        return restore_into_file(session, content, err);
    BO_OWN(bo_target) *target = NULL;
    bo_status st = bo_target_open(database, &target, err);
    if (st == BO_OK && strcmp(target->conn->driver->name, driver->name) != 0)
        st = bo_fail(
            err, BO_INVALID, "'%s' is no %s database", bo_target_name(target), driver->name);
    return st == BO_OK ? restore_into(session, target->conn, content, err) : st;
}
