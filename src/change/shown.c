/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/shown.c - two walks over the same rows: one feeds the driver, which alone knows every
 * type, the other meets the texts that come back.  The texts of a before-image wait for those of
 * its after-image.
 */
#include "change/shown.h"

#include <string.h>

/* The rows of one table of a pack, whatever its kind. */
struct rows {
    bo_content *content;
    uint32_t table;
    unsigned kinds;
    bo_changes changes;      /* changeset */
    bo_frame_reader *reader; /* snapshot */
    uint32_t next_range, next_frame;
    bool loaded;
    bo_image before, after;
};

struct showing {
    struct rows given, taken;
    bool after_next; /* the after-image of the given row comes next */
    bool waiting;    /* `kept` has the before-image of the taken row */
    bo_buf kept;
    bo_text_value *before;
    bo_shown_fn *each;
    void *ctx;
};

unsigned bo_shown_kind(bo_image before, bo_image after)
{
    return !before.data ? BO_SHOWN_INSERT : after.data ? BO_SHOWN_UPDATE : BO_SHOWN_DELETE;
}

static bool is_snapshot(const bo_content *content)
{
    return bo_pack_get_kind(content->pack) == BO_PACK_SNAPSHOT;
}

static bo_status rows_open(struct rows *rows, bo_error *err)
{
    rows->next_frame = UINT32_MAX;
    if (is_snapshot(rows->content))
        return bo_frame_reader_create(rows->content->pack, &rows->reader, err);
    return bo_changes_open_at(&rows->changes, rows->content, rows->table, err);
}

static void rows_close(struct rows *rows)
{
    bo_frame_reader_free(rows->reader);
    bo_changes_done(&rows->changes);
}

/* Frames are taken range by range: workers wrote them in no order.  UINT32_MAX: none is left. */
static uint32_t take_frame(struct rows *rows)
{
    const bo_content *content = rows->content;
    for (;;) {
        while (rows->next_frame == UINT32_MAX) {
            if (rows->next_range == bo_pack_range_count(content->pack))
                return UINT32_MAX;
            uint32_t range = rows->next_range++;
            if (bo_pack_get_range(content->pack, range)->table == rows->table)
                rows->next_frame = content->first_frame[range];
        }
        const uint32_t frame = rows->next_frame;
        rows->next_frame = content->next_frame[frame];
        if (bo_content_is_readable(content, frame))
            return frame;
    }
}

static bo_status load_frame(struct rows *rows, bool *end_out, bo_error *err)
{
    const uint32_t frame = take_frame(rows);
    *end_out = frame == UINT32_MAX;
    if (*end_out)
        return BO_OK;
    bo_status st = bo_content_load(rows->content, rows->reader, frame, err);
    rows->loaded = st == BO_OK;
    return st;
}

static bo_status next_row(struct rows *rows, bool *end_out, bo_error *err)
{
    for (;;) {
        bo_status st = BO_OK;
        if (rows->loaded) {
            bool end = false;
            st = bo_frame_reader_row(rows->reader, &rows->before, &end, err);
            if (st != BO_OK || !end)
                return st;
            rows->loaded = false;
        }
        st = load_frame(rows, end_out, err);
        if (st != BO_OK || *end_out)
            return st;
    }
}

static bo_status next_change(struct rows *rows, bool *end_out, bo_error *err)
{
    bo_status st;
    do {
        st = bo_changes_next(&rows->changes, err);
        *end_out = rows->changes.end || rows->changes.table != rows->table;
    } while (st == BO_OK && !*end_out &&
             !(bo_shown_kind(rows->changes.before, rows->changes.after) & rows->kinds));
    rows->before = rows->changes.before;
    rows->after = rows->changes.after;
    return st;
}

static bo_status rows_next(struct rows *rows, bool *end_out, bo_error *err)
{
    return rows->reader ? next_row(rows, end_out, err) : next_change(rows, end_out, err);
}

static bo_status give_image(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    struct showing *showing = ctx;
    struct rows *rows = &showing->given;
    if (showing->after_next) {
        showing->after_next = false;
        *row_out = rows->after;
        return BO_OK;
    }
    bo_status st = rows_next(rows, end_out, err);
    if (st != BO_OK || *end_out)
        return st;
    showing->after_next = rows->before.data && rows->after.data;
    *row_out = rows->before.data ? rows->before : rows->after;
    return BO_OK;
}

static bo_status keep_before(
    struct showing *showing, uint16_t count, const bo_text_value *values, bo_error *err)
{
    bo_buf_clear(&showing->kept);
    for (uint16_t i = 0; i < count; i++)
        if (values[i].data)
            bo_buf_add(&showing->kept, values[i].data, values[i].size);
    bo_buf_add_str(&showing->kept, "");
    const char *at = bo_buf_str(&showing->kept);
    for (uint16_t i = 0; i < count; i++) {
        showing->before[i] = (bo_text_value){values[i].data ? at : NULL, values[i].size};
        at += values[i].data ? values[i].size : 0;
    }
    showing->waiting = true;
    return bo_buf_check(&showing->kept, err);
}

static bo_status take_texts(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    struct showing *showing = ctx;
    struct rows *rows = &showing->taken;
    bo_shown shown = {.table = rows->content->parts[rows->table].was, .count = count};
    if (!showing->waiting) {
        bool end = false;
        bo_status st = rows_next(rows, &end, err);
        if (st != BO_OK)
            return st;
        if (rows->before.data && rows->after.data)
            return keep_before(showing, count, values, err);
    }
    shown.before = rows->before;
    shown.after = rows->after;
    if (showing->waiting)
        shown.before_texts = showing->before;
    else if (rows->before.data)
        shown.before_texts = values;
    if (rows->after.data)
        shown.after_texts = values;
    showing->waiting = false;
    return showing->each(showing->ctx, &shown, err);
}

bo_status bo_shown_table(bo_conn *conn, bo_content *content, uint32_t table, bo_render_form form,
    unsigned kinds, bo_shown_fn *each, void *ctx, bo_error *err)
{
    const bo_table *was = content->parts[table].was;
    struct rows rows = {.content = content, .table = table, .kinds = kinds};
    struct showing showing = {.given = rows, .taken = rows, .each = each, .ctx = ctx};
    showing.before = calloc((size_t)was->image_count + 1, sizeof *showing.before);
    bo_status st = showing.before ? BO_OK : bo_nomem(err);
    if (st == BO_OK)
        st = rows_open(&showing.given, err);
    if (st == BO_OK)
        st = rows_open(&showing.taken, err);
    if (st == BO_OK)
        st = conn->driver->render(conn, was, form, give_image, &showing, take_texts, &showing, err);
    rows_close(&showing.given);
    rows_close(&showing.taken);
    bo_buf_done(&showing.kept);
    free(showing.before);
    return st;
}

/* ---- keys ---- */

static void add_value(bo_buf *out, const bo_text_value *value)
{
    if (value->data)
        bo_buf_add(out, value->data, value->size);
    else
        bo_buf_add_str(out, "NULL");
}

char *bo_key_text(bo_arena *arena, const bo_table *was, uint16_t count, const bo_text_value *values)
{
    uint16_t positions[BO_COLUMNS_MAX];
    uint16_t columns = bo_table_key_positions(was, positions);
    for (uint16_t i = 0; columns == 0 && i < count; i++)
        positions[i] = i;
    uint16_t used = columns ? columns : count;
    BO_OWN_VALUE(bo_buf) text = {0};
    for (uint16_t i = 0; i < used; i++) {
        bo_buf_add_str(&text, used == 1 ? "" : i ? ", " : "(");
        add_value(&text, &values[positions[i]]);
    }
    if (used != 1)
        bo_buf_add_str(&text, ")");
    bo_buf_add_byte(&text, 0);
    return text.failed ? NULL : bo_arena_str(arena, bo_buf_str(&text));
}

/* The rows of one table on their way to the database, and their texts on the way back. */
struct naming {
    bo_arena *arena;
    const bo_table *was;
    uint32_t table;
    bo_named_row *rows;
    size_t count, given, taken;
};

static void skip_others(const struct naming *naming, size_t *at)
{
    while (*at < naming->count && naming->rows[*at].table != naming->table)
        ++*at;
}

static bo_status next_named(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    (void)err;
    struct naming *naming = ctx;
    skip_others(naming, &naming->given);
    *end_out = naming->given == naming->count;
    if (!*end_out)
        *row_out = naming->rows[naming->given++].row;
    return BO_OK;
}

static bo_status take_name(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    struct naming *naming = ctx;
    skip_others(naming, &naming->taken);
    const char *key = bo_key_text(naming->arena, naming->was, count, values);
    naming->rows[naming->taken++].key = key;
    return key ? BO_OK : bo_nomem(err);
}

bo_status bo_name_rows(bo_conn *conn, const bo_content *content, bo_arena *arena,
    bo_named_row *rows, size_t count, bo_error *err)
{
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++) {
        const bo_table *was = content->parts[i].was;
        struct naming naming = {
            .arena = arena, .was = was, .table = i, .rows = rows, .count = count};
        skip_others(&naming, &naming.given);
        if (naming.given < count)
            st = conn->driver->render(
                conn, was, BO_RENDER_TEXT, next_named, &naming, take_name, &naming, err);
    }
    return st;
}
