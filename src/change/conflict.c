/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/conflict.c - expected, now, target: each entry is carried out, needs nothing, or is a
 * conflict.
 *
 * now = expected: carry out.  now = target: nothing to do.  Anything else is a conflict, and
 * conflicts have closure: an entry that is left out may keep others from being carried out (DESIGN,
 * "Three states").
 */
#include <string.h>

#include "base/step.h"
#include "change/undo.h"

#define DROP_BATCH 4096u

const char *bo_conflict_class_name(bo_conflict_class conflict_class)
{
    static const char *const names[] = {"data", "not-found", "exists", "constraint", "foreign-key"};
    return names[conflict_class];
}

bo_status bo_undo_list_conflict(bo_undo *undo, uint32_t table, bo_conflict_class conflict_class,
    bo_image row, const char *because, const char *const *columns, size_t column_count,
    bo_error *err)
{
    undo->conflict_count++;
    undo->blocked_count += conflict_class >= BO_CLASS_CONSTRAINT;
    undo->conflicts_of[table]++;
    if (undo->listed == BO_LISTED_MAX)
        return BO_OK;
    if (!undo->conflicts)
        undo->conflicts = bo_arena_array(undo->arena, BO_LISTED_MAX, sizeof *undo->conflicts);
    uint8_t *image = bo_arena_alloc(undo->arena, row.size);
    const char **copy = bo_arena_array(undo->arena, column_count + 1, sizeof *copy);
    char *text = bo_arena_str(undo->arena, because);
    if (!undo->conflicts || !image || !copy || !text)
        return bo_nomem(err);
    memcpy(image, row.data, row.size);
    for (size_t i = 0; i < column_count; i++)
        copy[i] = columns[i];
    undo->conflicts[undo->listed++] = (bo_undo_conflict){.table = table,
        .conflict_class = conflict_class,
        .image = image,
        .image_size = row.size,
        .because = text,
        .column_count = column_count,
        .columns = copy};
    return BO_OK;
}

/* ---- classifying the rows of one table ---- */

struct classify {
    bo_undo *undo;
    uint32_t table;
};

static bo_status drop(struct classify *classify, const bo_walk *walk)
{
    bo_fate_drop(&classify->undo->fates[classify->table], walk->id);
    return BO_OK;
}

static size_t differing_columns(const bo_table *was, bo_image a, bo_image b, const char **out)
{
    size_t count = 0;
    for (uint16_t i = 0; a.data && b.data && i < was->image_count; i++)
        if (!bo_value_equal(bo_image_value(a, i), bo_image_value(b, i)))
            out[count++] = was->columns[was->image_columns[i]].name;
    return count;
}

static const char *text_of(bo_conflict_class conflict_class)
{
    static const char *const texts[] = {
        [BO_CLASS_DATA] = "the row was changed after the change",
        [BO_CLASS_NOT_FOUND] = "the row was deleted after the change",
        [BO_CLASS_EXISTS] = "the key was used again after the change had deleted the row",
    };
    return texts[conflict_class];
}

static bo_status conflict(struct classify *classify, const bo_walk *walk,
    bo_conflict_class conflict_class, const char *because, bo_image now, bo_error *err)
{
    bo_undo *undo = classify->undo;
    const bo_table *was = undo->intent->parts[classify->table].was;
    const char *columns[BO_COLUMNS_MAX];
    size_t count = differing_columns(was, now, walk->expected, columns);
    bool whole = undo->options->type == BO_ROLLBACK_FULL;
    if (whole && undo->options->discard_later) {
        undo->lost_rows++;
        undo->lost_of[classify->table]++;
        return BO_OK; /* type full takes the row back all the same; the undo point keeps what it was
                       */
    }
    uint8_t *bits = undo->fates[classify->table].listed;
    bits[walk->id / 8] = (uint8_t)(bits[walk->id / 8] | 1u << (walk->id % 8));
    bo_image named = walk->expected.data ? walk->expected : walk->target;
    bo_status st = bo_undo_list_conflict(
        undo, classify->table, conflict_class, named, because, columns, count, err);
    bool keep = undo->options->on_conflict != BO_ON_CONFLICT_SKIP;
    return st == BO_OK && !keep ? drop(classify, walk) : st;
}

/* Somebody else wrote the row between two writes of the change: to take the change back would take
 * that back as well. */
static bo_status is_mixed(struct classify *classify, const bo_walk *walk, bool *out, bo_error *err)
{
    const bo_mixed *mixed = &classify->undo->mixed[classify->table];
    *out = false;
    if (mixed->count == 0)
        return BO_OK;
    BO_OWN_VALUE(bo_buf) key = {0};
    bo_status st = bo_row_key(classify->undo->intent->parts[classify->table].was,
        walk->expected.data ? walk->expected : walk->target, &key, err);
    *out = st == BO_OK && bo_mixed_has(mixed, (bo_span){key.data, key.size});
    return st;
}

static bo_status classify_entry(void *ctx, const bo_walk *walk, bo_image now, bo_error *err)
{
    struct classify *classify = ctx;
    const bo_table *was = classify->undo->intent->parts[classify->table].was;
    bool as_expected = bo_row_same(was, now, walk->expected);
    bool done = bo_row_same(was, now, walk->target);
    bool mixed = false;
    bo_status st = as_expected ? is_mixed(classify, walk, &mixed, err) : BO_OK;
    if (st != BO_OK)
        return st;
    if (mixed)
        return conflict(classify, walk, BO_CLASS_DATA,
            "others wrote the row between two writes of the change", now, err);
    if (as_expected)
        return BO_OK;
    if (done)
        return drop(classify, walk);
    bo_conflict_class kind = !now.data             ? BO_CLASS_NOT_FOUND
                             : walk->expected.data ? BO_CLASS_DATA
                                                   : BO_CLASS_EXISTS;
    return conflict(classify, walk, kind, text_of(kind), now, err);
}

/* Tells the stage what was dropped since `before`. */
static bo_status apply_drops(bo_undo *undo, uint32_t table, const bo_fate *before, bo_error *err)
{
    const bo_driver *driver = undo->target->conn->driver;
    const bo_fate *fate = &undo->fates[table];
    uint64_t batch[DROP_BATCH];
    size_t count = 0;
    bo_status st = BO_OK;
    for (uint64_t id = 1; st == BO_OK && id <= fate->entries; id++) {
        if (bo_fate_dropped(fate, id) && !bo_fate_dropped(before, id))
            batch[count++] = id;
        if (count == DROP_BATCH || (count && id == fate->entries)) {
            st = driver->stage_drop(undo->stage, undo->staged[table], batch, count, err);
            count = 0;
        }
    }
    return st;
}

static bo_status classify_table(bo_undo *undo, uint32_t table, bo_error *err)
{
    struct classify classify = {.undo = undo, .table = table};
    const bo_fate *fate = &undo->fates[table];
    size_t size = fate->entries / 8 + 1;
    bo_fate before = {.entries = fate->entries, .dropped = bo_arena_alloc(undo->arena, size)};
    if (!before.dropped)
        return bo_nomem(err);
    memcpy(before.dropped, fate->dropped, size);
    bo_status st = bo_walk_meet(undo, table, undo->stage, undo->staged[table],
        undo->target->conn->driver->stage_locate, classify_entry, &classify, err);
    return st == BO_OK ? apply_drops(undo, table, &before, err) : st;
}

/* ---- staging ---- */

static bo_status open_stage(bo_undo *undo, bo_error *err)
{
    uint32_t parts = undo->intent->part_count;
    bo_stage_table *tables = bo_arena_array(undo->arena, (size_t)parts + 1, sizeof *tables);
    undo->staged = bo_arena_array(undo->arena, (size_t)parts + 1, sizeof *undo->staged);
    if (!tables || !undo->staged)
        return bo_nomem(err);
    for (uint32_t i = 0; i < parts; i++) {
        const bo_part *part = &undo->intent->parts[i];
        undo->staged[i] = UINT32_MAX;
        if (!part->now || undo->fates[i].entries == 0)
            continue;
        tables[undo->stage_count] = (bo_stage_table){.was = part->was, .now = part->now};
        undo->staged[i] = undo->stage_count++;
    }
    if (undo->stage_count == 0)
        return BO_OK;
    return undo->target->conn->driver->stage_open(
        undo->target->conn, tables, undo->stage_count, &undo->stage, err);
}

static bo_status stage_table(bo_undo *undo, uint32_t table, bo_error *err)
{
    bo_walk walk;
    bo_status st = bo_walk_open(&walk, undo, table, false, err);
    if (st == BO_OK)
        st = undo->target->conn->driver->stage_fill(
            undo->stage, undo->staged[table], bo_walk_stage, &walk, err);
    bo_walk_done(&walk);
    return st;
}

/* ---- closure ---- */

struct closing {
    bo_undo *undo;
    struct blocked_id {
        uint32_t table;
        uint64_t id;
        bo_conflict_class conflict_class;
        const char *because;
    } * items;
    size_t count;
    bo_buf text; /* why a row is blocked, on its way */
};

/* Type full makes all tables of the point as they were: a reference among them that leads nowhere
 * then led nowhere at the point too, and comes back as it was. */
bool bo_undo_is_whole(const bo_undo *undo)
{
    const bo_rollback_options *options = undo->options;
    return undo->full && options->on_conflict != BO_ON_CONFLICT_SKIP && !options->table_count &&
           !options->where_count && !options->only_added;
}

static bool is_of_point(const bo_undo *undo, uint32_t table, const bo_part *other)
{
    return bo_undo_is_whole(undo) && !other->left_out && !other->predicate &&
           !undo->intent->parts[table].predicate;
}

bool bo_undo_may_dangle(const bo_undo *undo)
{
    return strcmp(undo->record.kind, "undo") == 0 &&
           undo->target->conn->driver->caps & BO_CAP_DANGLING;
}

/* Rows come constraint by constraint: one text for all of one.  NULL: no memory. */
static const char *because_of(struct closing *closing, const bo_blocked *blocked)
{
    bo_buf *text = &closing->text;
    bo_buf_clear(text);
    if (blocked->conflict_class == BO_CLASS_CONSTRAINT)
        bo_buf_printf(
            text, "a row that stays holds its value of the unique key '%s'", blocked->constraint);
    else
        bo_buf_printf(text, "foreign key '%s' ties it to rows of '%s' that stay as they are",
            blocked->constraint, blocked->other ? blocked->other : "?");
    const char *last = closing->count ? closing->items[closing->count - 1].because : "";
    if (text->failed || strcmp(last, bo_buf_str(text)) == 0)
        return text->failed ? NULL : last;
    return bo_arena_str(closing->undo->arena, bo_buf_str(text));
}

static bo_status note_blocked(void *ctx, const bo_blocked *blocked, bo_error *err)
{
    struct closing *closing = ctx;
    bo_undo *undo = closing->undo;
    uint32_t table = 0;
    while (undo->staged[table] != blocked->table)
        table++;
    int other = blocked->other ? bo_content_find(undo->intent, blocked->other) : -1;
    bool comes_whole = other >= 0 && undo->intent->parts[other].bulk && undo->options->dry_run;
    bool of_point = other >= 0 && is_of_point(undo, table, &undo->intent->parts[other]);
    bool dangles = blocked->conflict_class == BO_CLASS_FOREIGN_KEY && bo_undo_may_dangle(undo) &&
                   undo->options->on_conflict == BO_ON_CONFLICT_REPLACE;
    if (comes_whole || of_point || dangles || bo_fate_dropped(&undo->fates[table], blocked->id))
        return BO_OK; /* a dry run does not fill emptied tables, so their rows seem to be missing */
    if (undo->fates[table].listed[blocked->id / 8] >> (blocked->id % 8) & 1) {
        undo->blocked_count++; /* one row, one conflict; but nothing can replace it */
        return BO_OK;
    }
    const char *because = because_of(closing, blocked);
    struct blocked_id *items =
        bo_arena_grow(undo->arena, closing->items, closing->count, sizeof *items);
    if (!items || !because)
        return bo_nomem(err);
    closing->items = items;
    items[closing->count++] =
        (struct blocked_id){table, blocked->id, blocked->conflict_class, because};
    bo_fate_drop(&undo->fates[table], blocked->id);
    return BO_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct blocked_id *left = a, *right = b;
    if (left->table != right->table)
        return left->table < right->table ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* Items are in the order of tables and ids. */
static bo_status drop_blocked(struct closing *closing, bo_error *err)
{
    bo_undo *undo = closing->undo;
    uint64_t batch[DROP_BATCH];
    size_t count = 0;
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < closing->count; i++) {
        uint32_t table = closing->items[i].table;
        batch[count++] = closing->items[i].id;
        if (count < DROP_BATCH && i + 1 < closing->count && closing->items[i + 1].table == table)
            continue;
        st = undo->target->conn->driver->stage_drop(
            undo->stage, undo->staged[table], batch, count, err);
        count = 0;
    }
    return st;
}

/* Lists the blocked entries with their rows, in the order of the intent. */
static bo_status list_blocked(struct closing *closing, bo_error *err)
{
    bo_undo *undo = closing->undo;
    qsort(closing->items, closing->count, sizeof *closing->items, by_place);
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < closing->count;) {
        uint32_t table = closing->items[i].table;
        bo_walk walk;
        st = bo_walk_open(&walk, undo, table, true, err);
        while (st == BO_OK && i < closing->count && closing->items[i].table == table) {
            st = bo_walk_next(&walk, err);
            if (st != BO_OK || walk.end)
                break;
            const struct blocked_id *item = &closing->items[i];
            if (walk.id != item->id)
                continue;
            st = bo_undo_list_conflict(undo, table, item->conflict_class,
                walk.expected.data ? walk.expected : walk.target, item->because, NULL, 0, err);
            i++;
        }
        bo_walk_done(&walk);
    }
    return st == BO_OK ? drop_blocked(closing, err) : st;
}

static bo_status close_once(struct closing *closing, bo_error *err)
{
    bo_undo *undo = closing->undo;
    bo_status st =
        undo->target->conn->driver->stage_blocked(undo->stage, note_blocked, closing, err);
    bo_buf_done(&closing->text);
    return st == BO_OK && closing->count ? list_blocked(closing, err) : st;
}

static bo_status close_over(bo_undo *undo, bo_error *err)
{
    bool only_direct = undo->options->on_conflict != BO_ON_CONFLICT_SKIP;
    for (;;) {
        struct closing closing = {.undo = undo};
        bo_status st = close_once(&closing, err);
        if (st != BO_OK || closing.count == 0 || only_direct)
            return st;
    }
}

bo_status bo_undo_find_conflicts(bo_undo *undo, bo_error *err)
{
    bo_status st = open_stage(undo, err);
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++)
        if (undo->staged[i] != UINT32_MAX)
            st = stage_table(undo, i, err);
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++)
        if (undo->staged[i] != UINT32_MAX)
            st = classify_table(undo, i, err);
    if (st == BO_OK && undo->stage)
        st = close_over(undo, err);
    return st;
}
