/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/dry.c - a change is executed in a transaction that is never committed, and what it did
 * is read inside it.
 */
#include <string.h>

#include "backout/run.h"
#include "base/clock.h"
#include "change/diff.h"
#include "change/result.h"
#include "change/shape.h"
#include "change/shown.h"
#include "change/undo.h"

BO_DEFINE_SCOPE(bo_change_report);

void bo_change_report_free(bo_change_report *report)
{
    bo_result_free(report);
}

struct dry {
    bo_session *session;
    bo_target *target; /* its connection is the one the SQL ran on */
    bo_arena *arena;
    bo_content *content;
    bo_draft *draft;
    bo_rollback_table *tables;
    const char **closures;
    bo_dry_row *rows;
    bo_named_row *named; /* of each listed row: the image whose key names it */
    size_t listed;
    char run[64]; /* holds the point while the change is tried */
};

static bo_status list_row(
    struct dry *dry, uint32_t table, bo_image before, bo_image after, bo_error *err)
{
    const bo_table *was = dry->content->parts[table].was;
    bo_image row = before.data ? before : after;
    uint8_t *copy = bo_arena_alloc(dry->arena, row.size);
    const char **columns =
        bo_arena_array(dry->arena, (size_t)was->image_count + 1, sizeof *columns);
    if (!copy || !columns)
        return bo_nomem(err);
    memcpy(copy, row.data, row.size);
    dry->named[dry->listed] = (bo_named_row){.table = table, .row = {copy, row.size}};
    bo_dry_row *out = &dry->rows[dry->listed++];
    *out = (bo_dry_row){.table = dry->tables[table].name,
        .kind = !before.data  ? "insert"
                : !after.data ? "delete"
                              : "update",
        .columns = columns};
    for (uint16_t i = 0; before.data && after.data && i < was->image_count; i++)
        if (!bo_value_equal(bo_image_value(before, i), bo_image_value(after, i)))
            columns[out->column_count++] =
                bo_arena_str(dry->arena, was->columns[was->image_columns[i]].name);
    return BO_OK;
}

static bo_status note_change(
    void *ctx, uint32_t table, bo_image before, bo_image after, bo_error *err)
{
    struct dry *dry = ctx;
    bo_status st = bo_draft_change(dry->draft, table, before, after, err);
    return st == BO_OK && dry->listed < BO_LISTED_MAX ? list_row(dry, table, before, after, err)
                                                      : st;
}

static bo_status name_rows(struct dry *dry, bo_error *err)
{
    bo_status st =
        bo_name_rows(dry->target->conn, dry->content, dry->arena, dry->named, dry->listed, err);
    for (size_t i = 0; st == BO_OK && i < dry->listed; i++)
        dry->rows[i].key = dry->named[i].key;
    return st;
}

static bo_status allocate(struct dry *dry, bo_error *err)
{
    size_t parts = (size_t)dry->content->part_count + 1;
    dry->tables = bo_arena_array(dry->arena, parts, sizeof *dry->tables);
    dry->closures = bo_arena_array(dry->arena, parts, sizeof *dry->closures);
    dry->rows = bo_arena_array(dry->arena, BO_LISTED_MAX, sizeof *dry->rows);
    dry->named = bo_arena_array(dry->arena, BO_LISTED_MAX, sizeof *dry->named);
    if (!dry->tables || !dry->closures || !dry->rows || !dry->named)
        return bo_nomem(err);
    for (uint32_t i = 0; i < dry->content->part_count; i++) {
        dry->tables[i] = (bo_rollback_table){
            .name = bo_arena_str(dry->arena, dry->content->parts[i].was->name), .proof = ""};
        dry->closures[i] = bo_arena_str(dry->arena, dry->content->parts[i].closure);
    }
    return BO_OK;
}

/* Inside the transaction that holds the change: what differs from the point. */
static bo_status read_change(
    struct dry *dry, const bo_point_record *point, const char *file, bo_error *err)
{
    bo_conn *conn = dry->target->conn;
    bo_status st = bo_content_describe(dry->content, conn, err);
    for (uint32_t i = 0; st == BO_OK && i < dry->content->part_count; i++) {
        BO_OWN_VALUE(bo_buf) notes = {0};
        bo_shape shape = BO_SHAPE_SAME;
        st = bo_shape_of(&dry->content->parts[i], dry->arena, &shape, &notes, err);
        dry->content->parts[i].left_out = shape != BO_SHAPE_SAME;
        if (st == BO_OK && notes.size)
            bo_session_warn(dry->session, "%.*s", (int)notes.size - 1, bo_buf_str(&notes));
    }
    if (st == BO_OK)
        st = bo_draft_create(dry->session, BO_PACK_CHANGESET, file, point->id,
            &dry->target->identity, dry->content->parts, dry->content->part_count, &dry->draft,
            err);
    bo_diff_result result = {.operation = "dry run"};
    if (st == BO_OK)
        st = bo_diff(dry->session, dry->target, dry->content, 1, note_change, dry, &result, err);
    return st == BO_OK ? name_rows(dry, err) : st;
}

static bo_status try_change(struct dry *dry, const bo_point_record *point, const char *file,
    const char *sql, size_t size, bo_error *err)
{
    bo_target *target = dry->target;
    bo_conn_free(target->conn);
    target->conn = NULL;
    bo_status st = bo_target_connect(target->database, point->run, &target->conn, err);
    if (st != BO_OK)
        return st;
    const bo_driver *driver = target->conn->driver;
    st = driver->begin(target->conn, BO_TX_WRITE, err);
    if (st == BO_OK)
        st = driver->script(target->conn, sql, size, err);
    if (st == BO_OK)
        st = driver->pin(target->conn, err);
    if (st == BO_OK)
        st = read_change(dry, point, file, err);
    driver->rollback(target->conn);
    return st;
}

static bo_status record_change(
    struct dry *dry, bo_point_record *point, const char *file, bo_error *err)
{
    bo_status st = bo_draft_commit(dry->session, dry->draft, file, err);
    BO_OWN(json_ref) *details = json_loads(point->details, 0, NULL);
    json_t *tables = json_object_get(details, "tables");
    for (uint32_t i = 0; i < dry->content->part_count; i++) {
        json_t *table = json_array_get(tables, i);
        bo_rollback_table *out = &dry->tables[i];
        out->inserted = dry->draft->inserted[i];
        out->updated = dry->draft->updated[i];
        out->deleted = dry->draft->deleted[i];
        json_object_set_new(table, "inserted", json_integer((json_int_t)out->inserted));
        json_object_set_new(table, "updated", json_integer((json_int_t)out->updated));
        json_object_set_new(table, "deleted", json_integer((json_int_t)out->deleted));
    }
    BO_OWN_MEM char *text = bo_json_dump(details, JSON_COMPACT);
    if (!text)
        return st == BO_OK ? bo_nomem(err) : st;
    point->details = text;
    point->change_file = file;
    point->change_root = dry->draft->root_hex;
    point->status = BO_POINT_SEALED;
    point->sealed_us = bo_clock_now_us();
    if (st == BO_OK)
        st = bo_point_update_under(dry->session, dry->run, point, err);
    point->details = NULL;
    return st;
}

static bo_status rehearse(struct dry *dry, const bo_point_options *options, const char *sql,
    size_t size, char id[BO_ID_SIZE], bo_error *err)
{
    bo_point_options dry_options = *options;
    dry_options.kind = "dry-run";
    bo_point_record point;
    bo_status st = bo_point_take(dry->session, dry->target, &dry_options, id, err);
    if (st == BO_OK)
        st = bo_point_hold(dry->session, "dry-run", id, dry->arena, dry->run, &point, err);
    if (st == BO_OK)
        st = bo_content_open(dry->session, point.file, point.root, &dry->content, err);
    if (st == BO_OK)
        st = allocate(dry, err);
    char *file = st == BO_OK ? bo_arena_printf(dry->arena, "%s.change", point.id) : NULL;
    if (!file)
        return st == BO_OK ? bo_nomem(err) : st;
    st = try_change(dry, &point, file, sql, size, err);
    return st == BO_OK ? record_change(dry, &point, file, err) : st;
}

static bo_status end_run(struct dry *dry, bo_status st, bo_error *err)
{
    return dry->run[0] ? bo_session_run_end(dry->session, dry->run, st, err) : st;
}

bo_status bo_run_dry(bo_session *session, const bo_database *database,
    const bo_point_options *options, const char *sql, size_t size, bo_change_report **out,
    bo_error *err)
{
    bo_arena *arena = NULL;
    BO_OWN(bo_change_report) *report = bo_result_create(sizeof *report, &arena);
    if (!report)
        return bo_nomem(err);
    struct dry dry = {.session = session, .arena = arena};
    char id[BO_ID_SIZE] = "";
    bo_status st = bo_target_open(database, &dry.target, err);
    if (st == BO_OK)
        st = end_run(&dry, rehearse(&dry, options, sql, size, id, err), err);
    if (st == BO_OK) {
        *report = (bo_change_report){.point = bo_arena_str(arena, id),
            .table_count = dry.content->part_count,
            .tables = dry.tables,
            .closures = dry.closures,
            .row_listed = dry.listed,
            .rows = dry.rows};
        for (size_t i = 0; i < report->table_count; i++) {
            report->inserted += dry.tables[i].inserted;
            report->updated += dry.tables[i].updated;
            report->deleted += dry.tables[i].deleted;
        }
    }
    bo_draft_free(dry.draft);
    bo_content_free(dry.content);
    bo_target_free(dry.target);
    st = bo_session_audit_end(session, "run.dry", id, st, NULL, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "the dry run did not come to its end; nothing stays changed");
    *out = BO_TAKE(report);
    return BO_OK;
}
