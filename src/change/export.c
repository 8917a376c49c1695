/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/export.c - rows as JSON Lines, JSON, CSV and SQL.
 *
 * Values are the texts that the database itself writes, so that no number loses a digit.
 */
#include "backout/export.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "change/rows_json.h"
#include "change/script.h"
#include "change/seal.h"
#include "change/shown.h"
#include "change/since.h"
#include "change/stored.h"

struct exporting {
    bo_session *session;
    bo_target *target;
    bo_content *content;
    bo_point_record record;
    bo_export_which which;
    bo_export_format format;
    bo_text_sink *sink;
    void *ctx;
    bool more;    /* JSON: something stands before in this list */
    bool before;  /* rows, no changes */
    bo_buf lacks; /* lines: of which tables rows cannot be read */
    bo_buf text;
};

static bo_status flush(struct exporting *exporting, bo_error *err)
{
    bo_status st = bo_buf_check(&exporting->text, err);
    if (st == BO_OK && exporting->text.size)
        st = exporting->sink(
            exporting->ctx, bo_buf_str(&exporting->text), exporting->text.size, err);
    bo_buf_clear(&exporting->text);
    return st;
}

/* ---- JSON ---- */

static bo_status add_json(bo_buf *out, const json_t *json, bo_error *err)
{
    BO_OWN_MEM char *text = json ? bo_json_dump(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (!text)
        return bo_nomem(err);
    bo_buf_add_str(out, text);
    return BO_OK;
}

static json_t *change_json(const bo_shown *shown)
{
    static const char *const names[] = {
        [BO_SHOWN_INSERT] = "insert", [BO_SHOWN_UPDATE] = "update", [BO_SHOWN_DELETE] = "delete"};
    BO_OWN(json_ref) *line = json_pack("{s:s, s:s}", "table", shown->table->name, "op",
        names[bo_shown_kind(shown->before, shown->after)]);
    json_t *before =
        shown->before_texts ? bo_row_json(shown->table, shown->before_texts, shown->count) : NULL;
    json_t *after =
        shown->after_texts ? bo_row_json(shown->table, shown->after_texts, shown->count) : NULL;
    bool whole = line && !before == !shown->before_texts && !after == !shown->after_texts;
    if (before)
        whole &= json_object_set_new(line, "before", before) == 0;
    if (after)
        whole &= json_object_set_new(line, "after", after) == 0;
    return whole ? BO_TAKE(line) : NULL;
}

static bo_status write_json(void *ctx, const bo_shown *shown, bo_error *err)
{
    struct exporting *exporting = ctx;
    bool rows = exporting->before;
    bool lines = exporting->format == BO_EXPORT_JSONL;
    if (rows && !shown->before_texts)
        return BO_OK;
    BO_OWN(json_ref) *item = NULL;
    if (!rows)
        item = change_json(shown);
    else
        item = bo_row_json(shown->table, shown->before_texts, shown->count);
    if (rows && lines && item)
        item = json_pack("{s:s, s:o}", "table", shown->table->name, "row", item);
    if (!lines && exporting->more)
        bo_buf_add_str(&exporting->text, ",\n");
    exporting->more = true;
    bo_status st = add_json(&exporting->text, item, err);
    bo_buf_add_str(&exporting->text, lines ? "\n" : "");
    return st == BO_OK ? flush(exporting, err) : st;
}

/* ---- CSV: RFC 4180; NULL is empty, an empty text is "" ---- */

static void add_cell(bo_buf *out, const char *data, size_t size)
{
    bool plain = size > 0;
    for (size_t i = 0; i < size && plain; i++)
        plain = !strchr("\",\r\n", data[i]) && data[i] != ' ';
    if (plain) {
        bo_buf_add(out, data, size);
        return;
    }
    bo_buf_add_str(out, "\"");
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '"')
            bo_buf_add_str(out, "\"");
        bo_buf_add(out, &data[i], 1);
    }
    bo_buf_add_str(out, "\"");
}

static void add_record(bo_buf *out, const bo_shown *shown, const char *op, const char *image,
    const bo_text_value *texts)
{
    add_cell(out, shown->table->name, strlen(shown->table->name));
    if (op)
        bo_buf_printf(out, ",%s,%s", op, image);
    for (uint16_t i = 0; i < shown->count; i++) {
        bo_buf_add_str(out, ",");
        if (texts[i].data)
            add_cell(out, texts[i].data, texts[i].size);
    }
    bo_buf_add_str(out, "\r\n");
}

static bo_status write_csv(void *ctx, const bo_shown *shown, bo_error *err)
{
    struct exporting *exporting = ctx;
    const char *op = !shown->before_texts ? "insert" : !shown->after_texts ? "delete" : "update";
    if (exporting->before)
        op = NULL;
    if (shown->before_texts)
        add_record(&exporting->text, shown, op, "before", shown->before_texts);
    if (shown->after_texts && op)
        add_record(&exporting->text, shown, op, "after", shown->after_texts);
    return flush(exporting, err);
}

static void add_header(struct exporting *exporting, const bo_table *table)
{
    bo_buf *out = &exporting->text;
    bo_buf_add_str(out, exporting->before ? "table" : "table,op,image");
    for (uint16_t i = 0; i < table->image_count; i++) {
        const char *name = table->columns[table->image_columns[i]].name;
        bo_buf_add_str(out, ",");
        add_cell(out, name, strlen(name));
    }
    bo_buf_add_str(out, "\r\n");
}

/* ---- what comes around the rows ---- */

static bo_status begin_table(struct exporting *exporting, const bo_table *table, bo_error *err)
{
    if (exporting->format == BO_EXPORT_CSV)
        add_header(exporting, table);
    if (exporting->format != BO_EXPORT_JSON || !exporting->before)
        return BO_OK;
    BO_OWN(json_ref) *name = json_string(table->name);
    bo_buf_add_str(&exporting->text, exporting->more ? ",\n{\"name\":" : "{\"name\":");
    exporting->more = false;
    bo_status st = add_json(&exporting->text, name, err);
    bo_buf_add_str(&exporting->text, ",\"rows\":[");
    return st;
}

static void end_table(struct exporting *exporting)
{
    if (exporting->format != BO_EXPORT_JSON || !exporting->before)
        return;
    bo_buf_add_str(&exporting->text, "]}");
    exporting->more = true;
}

static bo_status write_tables(struct exporting *exporting, bo_error *err)
{
    bool csv = exporting->format == BO_EXPORT_CSV;
    bool json = exporting->format == BO_EXPORT_JSON;
    bool before = exporting->before;
    if (json)
        bo_buf_add_str(&exporting->text, before ? "{\"tables\":[" : "{\"changes\":[");
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < exporting->content->part_count; i++) {
        st = begin_table(exporting, exporting->content->parts[i].was, err);
        if (st == BO_OK)
            st = bo_shown_table(exporting->target->conn, exporting->content, i, BO_RENDER_TEXT,
                before ? BO_SHOWN_UPDATE | BO_SHOWN_DELETE : BO_SHOWN_ALL,
                csv ? write_csv : write_json, exporting, err);
        end_table(exporting);
    }
    if (json)
        bo_buf_add_str(&exporting->text, "]}\n");
    return st == BO_OK ? flush(exporting, err) : st;
}

static bo_status write_sql(struct exporting *exporting, bo_error *err)
{
    bool before = exporting->before;
    bo_script_job job = {.target = exporting->target,
        .content = exporting->content,
        .point = exporting->record.id,
        .title = before                                 ? "the rows before a change"
                 : exporting->which == BO_EXPORT_CHANGE ? "a change"
                 : exporting->which == BO_EXPORT_LOST   ? "what a rollback gave up"
                                                        : "what others did after a change",
        .sink = exporting->sink,
        .ctx = exporting->ctx};
    return before ? bo_script_rows(&job, err) : bo_script_changes(&job, err);
}

/* ---- which rows ---- */

/* Of a file that is damaged: all frames are read before, so that what is missing is known first. */
static bo_status open_readable(struct exporting *exporting, bo_error *err)
{
    const bo_point_record *record = &exporting->record;
    if (!bo_point_stores_rows(record))
        return bo_fail(
            err, BO_REFUSED, "'%s' has no snapshot whose rows could be read", record->id);
    bo_status st = bo_content_open_of(exporting->session, record, false, &exporting->content, err);
    if (st != BO_OK)
        return st;
    const bo_content *content = exporting->content;
    uint64_t *lost = bo_arena_array(content->arena, (size_t)content->part_count + 1, sizeof *lost);
    bo_error why = {0};
    st = lost ? bo_content_leave_unreadable(exporting->content, lost, &why, err) : bo_nomem(err);
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++) {
        bo_digest all = {0};
        bo_pack_table_digest(content->pack, i, &all);
        if (lost[i])
            bo_buf_printf(&exporting->lacks, "\ntable '%s': %" PRIu64 " of %" PRIu64 " rows",
                content->parts[i].was->name, lost[i], all.rows);
    }
    if (why.status != BO_OK)
        bo_buf_printf(&exporting->lacks, "\n%s", why.text);
    return st;
}

static bo_status open_lost(struct exporting *exporting, bo_error *err)
{
    const char *id = exporting->record.id;
    char name[BO_ID_SIZE + 32], root[65];
    (void)snprintf(name, sizeof name, "%s.lost.change", id);
    bo_stored_lost_root(&exporting->record, root);
    bo_error absent = {0};
    bo_status st = bo_content_open(exporting->session, name, root, &exporting->content, &absent);
    if (st == BO_NOTFOUND && !root[0])
        st = bo_fail(err, BO_NOTFOUND,
            "'%s' is not the undo point of a rollback that gave writes of others up", id);
    else if (st != BO_OK && err)
        *err = absent;
    return st == BO_NOTFOUND ? bo_content_absent(exporting->session, id, st, err) : st;
}

static bo_status open_content(struct exporting *exporting, char since[64], bo_error *err)
{
    const bo_point_record *record = &exporting->record;
    bool snapshot = bo_point_stores_rows(record);
    bo_status st = bo_point_check_whole(record, err);
    if (st != BO_OK)
        return st;
    if (exporting->which == BO_EXPORT_LOST)
        return open_lost(exporting, err);
    if (exporting->which == BO_EXPORT_READABLE)
        return open_readable(exporting, err);
    if (exporting->which == BO_EXPORT_SINCE)
        return bo_since_open(
            exporting->session, exporting->target, record, since, &exporting->content, err);
    if (exporting->which == BO_EXPORT_BEFORE && snapshot)
        return bo_content_open_of(exporting->session, record, false, &exporting->content, err);
    st = bo_point_check_sealed(record, "what its change did is not known", err);
    if (st == BO_OK)
        st = bo_since_check_known(record, err);
    return st == BO_OK
               ? bo_content_open_of(exporting->session, record, true, &exporting->content, err)
               : st;
}

static bo_status export_rows(struct exporting *exporting, bo_error *err)
{
    char since[64] = "";
    bo_status st = open_content(exporting, since, err);
    if (st == BO_OK)
        st = exporting->format == BO_EXPORT_SQL ? write_sql(exporting, err)
                                                : write_tables(exporting, err);
    if (st == BO_OK)
        st = bo_buf_check(&exporting->lacks, err);
    if (st == BO_OK && exporting->lacks.size)
        st = bo_fail(err, BO_MISMATCH, "rows of '%s' are missing: they cannot be read%s",
            exporting->record.id, bo_buf_str(&exporting->lacks));
    bo_buf_done(&exporting->lacks);
    bo_content_free(exporting->content);
    bo_buf_done(&exporting->text);
    bo_error removing = {0};
    if (!since[0])
        return st;
    bo_status removed = bo_repository_remove(exporting->session->repository, since, &removing);
    /* Not found: of a repository that hosts share, prune on another one was faster. */
    if (st != BO_OK || removed == BO_OK || removed == BO_NOTFOUND)
        return st;
    return bo_fail(err, removed, "the spool file remains\n%s", removing.text);
}

static bo_status export_point(struct exporting *exporting, const bo_database *database,
    const char *id, bo_arena *arena, bo_error *err)
{
    BO_OWN(bo_target) *target = NULL;
    bo_status st =
        bo_catalog_point_find(exporting->session->catalog, id, arena, &exporting->record, err);
    if (st == BO_OK)
        st = bo_target_open(database, &target, err);
    const bo_point_record *record = &exporting->record;
    /* All else may be read from the database, where nothing of this point is to be trusted. */
    const bool filed = exporting->which == BO_EXPORT_CHANGE || exporting->which == BO_EXPORT_LOST;
    if (st == BO_OK && filed)
        st = bo_target_note_server(exporting->session, target, record->server, record->engine, err);
    else if (st == BO_OK)
        st = bo_target_check_server(target, record->server, err);
    exporting->target = target;
    return st == BO_OK ? export_rows(exporting, err) : st;
}

bo_status bo_export(bo_session *session, const bo_database *database, const char *id,
    bo_export_format format, bo_export_which which, bo_text_sink *sink, void *ctx, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    struct exporting exporting = {.session = session,
        .which = which,
        .format = format,
        .sink = sink,
        .ctx = ctx,
        .before = which == BO_EXPORT_BEFORE || which == BO_EXPORT_READABLE};
    bo_status st = export_point(&exporting, database, id, arena, err);
    if (st != BO_OK && st != BO_MISMATCH)
        st = bo_wrap(err, st, "cannot export the rows of '%s'", id);
    return bo_session_audit_end(session, "point.export", id, st, NULL, err);
}
