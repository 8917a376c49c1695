/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/verify.c - do the tables equal the point, before or after its change?  Byte for byte,
 * keys and columns named. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "change/later.h"
#include "change/result.h"
#include "change/seal.h"
#include "change/shape.h"
#include "change/shown.h"
#include "change/stored.h"
#include "change/undo.h"

BO_DEFINE_SCOPE(bo_verification);

void bo_verification_free(bo_verification *verification)
{
    bo_result_free(verification);
}

struct verifying {
    bo_session *session;
    bo_target *target;
    bo_arena *arena;       /* of the result */
    bo_content *content;   /* snapshot, or changeset of an undo point */
    const json_t *details; /* of the point's record */
    bool with_change; /* against after: the rows are those of the point with the change in them */
    bo_verify_table *tables;
    uint64_t *missing, *extra; /* rows, of each part */
    const char **because;      /* of each part: why it is inconclusive */
    bo_named_row *found;       /* differences: the image whose key names each */
    bo_difference *differences;
    size_t found_count;
    const char **notes; /* room for one of each part */
    size_t note_count;
};

static bo_status note(void *ctx, uint32_t table, bo_image expected, bo_image now, bo_error *err)
{
    struct verifying *verifying = ctx;
    bo_verify_table *out = &verifying->tables[table];
    out->difference_count++;
    verifying->missing[table] += !now.data;
    verifying->extra[table] += !expected.data;
    if (out->difference_listed == BO_LISTED_MAX)
        return BO_OK;
    out->difference_listed++;
    bo_arena *arena = verifying->arena;
    const bo_table *was = verifying->content->parts[table].was;
    bo_image row = expected.data ? expected : now;
    bo_named_row *found =
        bo_arena_grow(arena, verifying->found, verifying->found_count, sizeof *found);
    bo_difference *items =
        bo_arena_grow(arena, verifying->differences, verifying->found_count, sizeof *items);
    uint8_t *copy = bo_arena_alloc(arena, row.size);
    const char **columns = bo_arena_array(arena, (size_t)was->image_count + 1, sizeof *columns);
    if (!found || !items || !copy || !columns)
        return bo_nomem(err);
    memcpy(copy, row.data, row.size);
    verifying->found = found;
    verifying->differences = items;
    found[verifying->found_count] = (bo_named_row){.table = table, .row = {copy, row.size}};
    bo_difference *item = &items[verifying->found_count++];
    *item = (bo_difference){.kind = !now.data        ? "missing"
                                    : !expected.data ? "extra"
                                                     : "differs",
        .columns = columns};
    for (uint16_t i = 0; expected.data && now.data && i < was->image_count; i++)
        if (!bo_value_equal(bo_image_value(expected, i), bo_image_value(now, i)))
            columns[item->column_count++] =
                bo_arena_str(arena, was->columns[was->image_columns[i]].name);
    return BO_OK;
}

/* ---- an undo point has no snapshot: only the rows it holds are verified ---- */

struct held {
    struct verifying *verifying;
    bo_changes changes;
    bool after;
    uint32_t table;
    uint64_t id;
    uint64_t rows, expected;
    bool unclear; /* without a key: a row that should be gone, or one that is equal to it, is there
                   */
};

static bo_image held_image(const struct held *held)
{
    return held->after ? held->changes.after : held->changes.before;
}

static bo_status next_held(struct held *held, bool *end_out, bo_error *err)
{
    bo_status st = bo_changes_next(&held->changes, err);
    *end_out = held->changes.end || held->changes.table != held->table;
    held->id++;
    return st;
}

static bo_status stage_held(void *ctx, bo_stage_entry *entry_out, bool *end_out, bo_error *err)
{
    struct held *held = ctx;
    bo_status st = next_held(held, end_out, err);
    if (st != BO_OK || *end_out)
        return st;
    bo_image row = held->changes.before.data ? held->changes.before : held->changes.after;
    *entry_out = (bo_stage_entry){.id = held->id, .row = row};
    return BO_OK;
}

static bo_status compare_held(struct held *held, bo_image now, bo_error *err)
{
    const bo_table *was = held->verifying->content->parts[held->table].was;
    bo_image expected = held_image(held);
    held->rows += now.data != NULL;
    held->expected += expected.data != NULL;
    if (!was->row_key && now.data && !expected.data) {
        held->unclear = true;
        return BO_OK;
    }
    return bo_row_same(was, expected, now) ? BO_OK
                                           : note(held->verifying, held->table, expected, now, err);
}

static bo_status held_row(void *ctx, uint64_t id, bo_image row, bo_error *err)
{
    struct held *held = ctx;
    bool end = false;
    bo_status st = next_held(held, &end, err);
    while (st == BO_OK && !end && held->id < id) {
        st = compare_held(held, (bo_image){0}, err);
        if (st == BO_OK)
            st = next_held(held, &end, err);
    }
    return st == BO_OK && !end ? compare_held(held, row, err) : st;
}

static bo_status verify_held(struct verifying *verifying, uint32_t table, bool after, bo_error *err)
{
    const bo_part *part = &verifying->content->parts[table];
    bo_conn *conn = verifying->target->conn;
    struct held held = {.verifying = verifying, .after = after, .table = table};
    bo_stage_table staged = {part->was, part->now};
    BO_OWN(bo_stage) *stage = NULL;
    bo_status st = conn->driver->stage_open(conn, &staged, 1, &stage, err);
    if (st == BO_OK)
        st = bo_changes_open_at(&held.changes, verifying->content, table, err);
    if (st == BO_OK)
        st = conn->driver->stage_fill(stage, 0, stage_held, &held, err);
    bo_changes_done(&held.changes);
    held.id = 0;
    if (st == BO_OK)
        st = bo_changes_open_at(&held.changes, verifying->content, table, err);
    if (st == BO_OK)
        st = conn->driver->stage_locate(stage, 0, held_row, &held, err);
    bool end = false;
    while (st == BO_OK && !end) {
        st = next_held(&held, &end, err);
        if (st == BO_OK && !end)
            st = compare_held(&held, (bo_image){0}, err);
    }
    bo_changes_done(&held.changes);
    verifying->tables[table].rows = held.rows;
    verifying->tables[table].expected_rows = held.expected;
    if (held.unclear && verifying->tables[table].difference_count == 0)
        verifying->because[table] = "rows are there that equal those that should be gone: without "
                                    "a key they cannot be told "
                                    "from others";
    return st;
}

/* ---- keys as text ---- */

static bo_status name_differences(struct verifying *verifying, bo_error *err)
{
    bo_status st = bo_name_rows(verifying->target->conn, verifying->content, verifying->arena,
        verifying->found, verifying->found_count, err);
    for (uint32_t i = 0; st == BO_OK && i < verifying->content->part_count; i++) {
        bo_verify_table *table = &verifying->tables[i];
        if (table->difference_listed == 0)
            continue;
        bo_difference *differences =
            bo_arena_array(verifying->arena, table->difference_listed, sizeof *differences);
        if (!differences)
            return bo_nomem(err);
        size_t at = 0;
        for (size_t f = 0; f < verifying->found_count; f++) {
            if (verifying->found[f].table != i)
                continue;
            differences[at] = verifying->differences[f];
            differences[at++].key = verifying->found[f].key;
        }
        table->differences = differences;
    }
    return st;
}

/* ---- the whole ---- */

static bo_status leave_out_reshaped(struct verifying *verifying, bo_error *err)
{
    for (uint32_t i = 0; i < verifying->content->part_count; i++) {
        bo_part *part = &verifying->content->parts[i];
        BO_OWN_VALUE(bo_buf) notes = {0};
        bo_shape shape = BO_SHAPE_SAME;
        bo_status st = bo_shape_of(part, verifying->arena, &shape, &notes, err);
        if (st != BO_OK)
            return st;
        bool open = verifying->with_change && bo_point_is_open(verifying->details, i);
        part->left_out = shape != BO_SHAPE_SAME || open;
        const char *lines = bo_buf_str(&notes);
        if (open)
            verifying->because[i] = "the table had changed its shape when the point was sealed";
        else if (part->left_out)
            verifying->because[i] =
                bo_arena_strn(verifying->arena, lines, strlen(lines) - (notes.size > 0));
    }
    return BO_OK;
}

/* Of chosen rows those of the point are compared, whatever meets the condition now. */
static bo_status note_chosen(
    struct verifying *verifying, uint32_t table, uint64_t entered, bo_error *err)
{
    const bo_part *part = &verifying->content->parts[table];
    if (!part->predicate || part->left_out || !part->now)
        return BO_OK;
    const char *name = part->was->name;
    const char *of = verifying->with_change ? "of the point and of its change" : "of the point";
    char *text =
        entered && !verifying->with_change
            ? bo_arena_printf(verifying->arena,
                  "%s: only the rows %s were compared; its condition is met by %llu now that did "
                  "not meet it then",
                  name, of, (unsigned long long)entered)
            : bo_arena_printf(verifying->arena, "%s: only the rows %s were compared", name, of);
    verifying->notes[verifying->note_count++] = text;
    return text ? BO_OK : bo_nomem(err);
}

/* How many rows the tables have, and how many they must have: of the differences one follows from
 * the other. */
static bo_status count_rows(
    struct verifying *verifying, const bo_diff_result *result, bo_error *err)
{
    const bo_content *content = verifying->content;
    bo_conn *conn = verifying->target->conn;
    const json_t *tables = json_object_get(verifying->details, "tables");
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++) {
        const bo_part *part = &content->parts[i];
        bo_verify_table *table = &verifying->tables[i];
        uint64_t missing = verifying->missing[i], extra = verifying->extra[i];
        bo_digest then = {0};
        bo_pack_table_digest(content->pack, i, &then);
        if (part->predicate) {
            const json_t *change = verifying->with_change ? json_array_get(tables, i) : NULL;
            json_int_t more = json_integer_value(json_object_get(change, "inserted")) -
                              json_integer_value(json_object_get(change, "deleted"));
            table->expected_rows = then.rows + (uint64_t)more;
            table->rows = table->expected_rows - missing + extra;
            continue;
        }
        table->rows = result->now[i].rows;
        if (part->journal)
            st = conn->driver->count(conn, part->now, NULL, &table->rows, err);
        table->expected_rows = part->left_out ? then.rows : table->rows + missing - extra;
    }
    return st;
}

static bo_status verify_snapshot(
    struct verifying *verifying, const bo_point_record *record, bo_error *err)
{
    bo_content *content = verifying->content;
    bo_diff_result result = {.operation = "verify"};
    result.now =
        bo_arena_array(verifying->arena, (size_t)content->part_count + 1, sizeof *result.now);
    result.entered =
        bo_arena_array(verifying->arena, (size_t)content->part_count + 1, sizeof *result.entered);
    if (!result.now || !result.entered)
        return bo_nomem(err);
    bo_status st = verifying->with_change
                       ? bo_later_rows(verifying->session, verifying->target, record, content, note,
                             verifying, &result, err)
                       : bo_diff(verifying->session, verifying->target, content,
                             bo_target_workers(verifying->target), note, verifying, &result, err);
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++)
        st = note_chosen(verifying, i, result.entered[i], err);
    return st == BO_OK ? count_rows(verifying, &result, err) : st;
}

static char *one_line(bo_arena *arena, const char *text)
{
    BO_OWN_VALUE(bo_buf) line = {0};
    bo_text_one_line(&line, text);
    return line.failed ? NULL : bo_arena_str(arena, bo_buf_str(&line));
}

/* Tables whose rows are not in the snapshot are compared through their journals, where these can be
 * trusted. */
static bo_status use_journals(
    struct verifying *verifying, const bo_point_record *record, bo_error *err)
{
    bo_content *content = verifying->content;
    bo_journal *journal = NULL;
    bo_status st = bo_journal_open(verifying->target, record, content, &journal, err);
    if (st == BO_OK)
        st = bo_journal_look_again(verifying->session, record, content, journal, err);
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++) {
        bo_part *part = &content->parts[i];
        if (!part->unstored || part->left_out || !journal->broken[i])
            continue;
        part->left_out = true;
        verifying->because[i] =
            bo_arena_printf(verifying->arena, "its capture is broken: %s", journal->broken[i]);
        if (verifying->because[i])
            verifying->because[i] = one_line(verifying->arena, verifying->because[i]);
        if (!verifying->because[i])
            st = bo_nomem(err);
    }
    return st == BO_OK ? bo_journal_use_unstored(content, journal, err) : st;
}

static bo_status compare(
    struct verifying *verifying, const bo_point_record *record, bool after, bo_error *err)
{
    bo_content *content = verifying->content;
    bo_conn *conn = verifying->target->conn;
    bool held = bo_pack_get_kind(content->pack) == BO_PACK_CHANGESET;
    bo_status st = bo_content_begin(
        content, conn, held || bo_content_has_predicate(content) ? BO_TX_WRITE : BO_TX_READ, err);
    if (st == BO_OK)
        st = leave_out_reshaped(verifying, err);
    if (st == BO_OK && !held)
        st = use_journals(verifying, record, err);
    if (st == BO_OK && !held)
        st = verify_snapshot(verifying, record, err);
    for (uint32_t i = 0; st == BO_OK && held && i < content->part_count; i++)
        if (!content->parts[i].left_out)
            st = verify_held(verifying, i, after, err);
    conn->driver->rollback(conn);
    return st == BO_OK ? name_differences(verifying, err) : st;
}

static const char *conclude(struct verifying *verifying)
{
    const char *whole = "match";
    for (uint32_t i = 0; i < verifying->content->part_count; i++) {
        bo_verify_table *table = &verifying->tables[i];
        table->name = bo_arena_str(verifying->arena, verifying->content->parts[i].was->name);
        table->because = verifying->because[i] ? verifying->because[i] : "";
        table->result = verifying->because[i]     ? "inconclusive"
                        : table->difference_count ? "mismatch"
                                                  : "match";
        if (strcmp(table->result, "mismatch") == 0 || strcmp(whole, "match") == 0)
            whole = table->result;
    }
    return whole;
}

static bo_status verify_record(bo_session *session, bo_target *target,
    const bo_point_record *record, bo_against against, bo_arena *arena, bo_verification *out,
    bo_error *err)
{
    bool after = against == BO_AGAINST_AFTER;
    bool has_snapshot = record->file && record->file[0];
    bo_status st =
        after ? bo_point_check_sealed(record, "the state after the change is not known", err)
              : bo_point_check_whole(record, err);
    BO_OWN(bo_content) *content = NULL;
    BO_OWN(json_ref) *details = NULL;
    if (st == BO_OK)
        st = bo_content_open_of(session, record, !has_snapshot, &content, err);
    if (st == BO_OK)
        st = bo_point_details_read(record, &details, err);
    if (st != BO_OK)
        return st;
    struct verifying verifying = {.session = session,
        .target = target,
        .arena = arena,
        .content = content,
        .details = details,
        .with_change = after && has_snapshot};
    verifying.tables =
        bo_arena_array(arena, (size_t)content->part_count + 1, sizeof *verifying.tables);
    verifying.because =
        bo_arena_array(arena, (size_t)content->part_count + 1, sizeof *verifying.because);
    size_t parts = (size_t)content->part_count + 1;
    verifying.missing = bo_arena_array(arena, parts, sizeof *verifying.missing);
    verifying.extra = bo_arena_array(arena, parts, sizeof *verifying.extra);
    verifying.notes = bo_arena_array(arena, parts, sizeof *verifying.notes);
    if (!verifying.tables || !verifying.because || !verifying.missing || !verifying.extra ||
        !verifying.notes)
        return bo_nomem(err);
    st = compare(&verifying, record, after, err);
    if (st != BO_OK)
        return st;
    *out = (bo_verification){.id = bo_arena_str(arena, record->id),
        .result = conclude(&verifying),
        .table_count = content->part_count,
        .tables = verifying.tables,
        .note_count = verifying.note_count,
        .notes = verifying.notes};
    return BO_OK;
}

bo_status bo_verify(bo_session *session, const bo_database *database, const char *id,
    bo_against against, bo_verification **out, bo_error *err)
{
    bo_arena *arena = NULL;
    BO_OWN(bo_verification) *owned = bo_result_create(sizeof *owned, &arena);
    if (!owned)
        return bo_nomem(err);
    BO_OWN(bo_target) *target = NULL;
    bo_point_record record;
    bo_status st = bo_catalog_point_find(session->catalog, id, arena, &record, err);
    if (st == BO_OK)
        st = bo_target_open(database, &target, err);
    if (st == BO_OK)
        st = bo_target_check_server(target, record.server, err);
    if (st == BO_OK)
        bo_target_warn_behind(session, target);
    if (st == BO_OK)
        st = verify_record(session, target, &record, against, arena, owned, err);
    if (st != BO_OK)
        st = bo_wrap(err, st, "cannot verify '%s'", id);
    json_t *details = st == BO_OK ? json_pack("{s:s}", "result", owned->result) : NULL;
    st = bo_session_audit_end(session, "point.verify", id, st, details, err);
    if (st != BO_OK)
        return st;
    bool match = strcmp(owned->result, "match") == 0;
    bool known = match || strcmp(owned->result, "mismatch") == 0;
    *out = BO_TAKE(owned);
    return match ? BO_OK
                 : bo_fail(err, BO_MISMATCH,
                       known ? "the tables are not as the point says"
                             : "whether all tables are as the point says could not be told");
}
