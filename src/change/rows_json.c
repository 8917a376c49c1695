/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/rows_json.c - the database turns images into text (it alone knows every type), so a
 * changeset is rendered as one stream of images, before and after in turn, and put together again
 * line by line.
 */
#include "change/rows_json.h"

#include <string.h>

#include "base/text.h"

json_t *bo_row_json(const bo_table *shape, const bo_text_value *values, uint16_t count)
{
    BO_OWN(json_ref) *object = json_object();
    for (uint16_t i = 0; object && i < count && i < shape->image_count; i++) {
        const char *column = shape->columns[shape->image_columns[i]].name;
        BO_OWN(json_ref) *name = bo_json_string(column); /* escaped where it is not UTF-8 */
        json_t *value = NULL;
        if (!name)
            return NULL;
        if (!values[i].data) {
            value = json_null();
        } else if (bo_text_is_utf8(values[i].data, values[i].size)) {
            value = json_stringn(values[i].data, values[i].size);
        } else {
            BO_OWN_VALUE(bo_buf) hex = {0};
            bo_text_hex(&hex, values[i].data, values[i].size);
            value = json_pack("{s:s}", "hex", bo_buf_str(&hex));
        }
        if (!value || json_object_set_new_nocheck(object, json_string_value(name), value) != 0)
            return NULL;
    }
    return BO_TAKE(object);
}

struct lines {
    bo_content *content;
    bo_sink sink;
    uint32_t table;
    bo_changes images; /* what is being rendered */
    bool second;       /* the after-image of the current change is next */
    bo_changes shown;  /* the change the rendered text belongs to */
    json_t *before;
    bool waiting; /* `before` was rendered, `after` comes next */
};

/* Moves on within the table; the walk of another table ends it. */
static bo_status step(struct lines *lines, bo_changes *changes, bool *end_out, bo_error *err)
{
    bo_status st = bo_changes_next(changes, err);
    *end_out = changes->end || changes->table != lines->table;
    return st;
}

static bo_status next_image(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    struct lines *lines = ctx;
    if (lines->second) {
        lines->second = false;
        *row_out = lines->images.after;
        return BO_OK;
    }
    bo_status st = step(lines, &lines->images, end_out, err);
    if (st != BO_OK || *end_out)
        return st;
    lines->second = lines->images.before.data && lines->images.after.data;
    *row_out = lines->images.before.data ? lines->images.before : lines->images.after;
    return BO_OK;
}

static bo_status write_line(struct lines *lines, json_t *before, json_t *after, bo_error *err)
{
    const char *op = !before ? "insert" : !after ? "delete" : "update";
    BO_OWN(json_ref) *line =
        json_pack("{s:s, s:s}", "table", lines->content->parts[lines->table].was->name, "op", op);
    if (line && before)
        json_object_set(line, "before", before);
    if (line && after)
        json_object_set(line, "after", after);
    BO_OWN_MEM char *text = line ? bo_json_dump(line, JSON_COMPACT) : NULL;
    if (!text)
        return bo_nomem(err);
    bo_status st = lines->sink.write(lines->sink.ctx, text, strlen(text), err);
    return st == BO_OK ? lines->sink.write(lines->sink.ctx, "\n", 1, err) : st;
}

static bo_status take_text(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    struct lines *lines = ctx;
    BO_OWN(json_ref) *row = bo_row_json(lines->content->parts[lines->table].was, values, count);
    if (!row)
        return bo_nomem(err);
    if (lines->waiting) {
        BO_OWN(json_ref) *before = lines->before;
        lines->before = NULL;
        lines->waiting = false;
        return write_line(lines, before, row, err);
    }
    bool end = false;
    bo_status st = step(lines, &lines->shown, &end, err);
    if (st != BO_OK)
        return st;
    if (lines->shown.before.data && lines->shown.after.data) {
        lines->before = BO_TAKE(row);
        lines->waiting = true;
        return BO_OK;
    }
    return lines->shown.before.data ? write_line(lines, row, NULL, err)
                                    : write_line(lines, NULL, row, err);
}

static bo_status table_lines(struct lines *lines, bo_conn *conn, bo_error *err)
{
    bo_status st = bo_changes_open_at(&lines->images, lines->content, lines->table, err);
    if (st == BO_OK)
        st = bo_changes_open_at(&lines->shown, lines->content, lines->table, err);
    if (st == BO_OK)
        st = conn->driver->render(conn, lines->content->parts[lines->table].was, BO_RENDER_TEXT,
            next_image, lines, take_text, lines, err);
    bo_changes_done(&lines->images);
    bo_changes_done(&lines->shown);
    json_decref(lines->before);
    lines->before = NULL;
    lines->waiting = lines->second = false;
    return st;
}

bo_status bo_rows_json_lines(bo_conn *conn, bo_content *changes, bo_sink sink, bo_error *err)
{
    struct lines lines = {.content = changes, .sink = sink};
    bo_status st = BO_OK;
    for (lines.table = 0; st == BO_OK && lines.table < changes->part_count; lines.table++)
        st = table_lines(&lines, conn, err);
    return st;
}
