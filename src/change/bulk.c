/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/bulk.c - type full on a table that the change has emptied: all of its rows come back
 * in one stream, instead of one by one through a stage.  Nothing is there that could be lost, so
 * this may happen while planning, inside the transaction; a refusal undoes it.
 */
#include <string.h>

#include "change/fill.h"
#include "change/seal.h"
#include "change/undo.h"

#define BULK_MIN 10000u

/* The change itself left the table empty, so that nobody else's deletes are undone unseen; a backup
 * belongs to no change. */
static bool emptied_by_change(const bo_undo *undo, uint32_t table, uint64_t rows)
{
    if (strcmp(undo->record.kind, "backup") == 0)
        return false;
    if (!undo->sealed || bo_point_is_open(undo->details, table))
        return true;
    const json_t *item = bo_undo_recorded(undo, table);
    json_int_t inserted = json_integer_value(json_object_get(item, "inserted"));
    json_int_t deleted = json_integer_value(json_object_get(item, "deleted"));
    return (json_int_t)rows + inserted - deleted == 0;
}

/* ---- in which order, where the database enforces foreign keys meanwhile ---- */

static int find_parent(const bo_content *content, const char *name)
{
    for (uint32_t i = 0; i < content->part_count; i++) {
        const bo_part *part = &content->parts[i];
        if (strcmp(part->was->name, name) == 0 ||
            (part->now && bo_table_has_partition(part->now, name)))
            return (int)i;
    }
    return -1;
}

/* None of its rows come back, and nobody's later writes go. */
static bool stays(const bo_undo *undo, uint32_t table)
{
    if (!undo->sealed || bo_point_is_open(undo->details, table) || undo->options->discard_later)
        return false;
    const json_t *item = bo_undo_recorded(undo, table);
    return json_integer_value(json_object_get(item, "inserted")) +
               json_integer_value(json_object_get(item, "updated")) +
               json_integer_value(json_object_get(item, "deleted")) ==
           0;
}

static bool parents_are_there(const bo_undo *undo, uint32_t table, const bool *loaded)
{
    const bo_content *content = undo->snapshot;
    const bo_table *now = content->parts[table].now;
    for (uint16_t i = 0; i < now->foreign_key_count; i++) {
        const int parent = find_parent(content, now->foreign_keys[i].parent);
        if (parent < 0 || (uint32_t)parent == table || content->parts[parent].left_out ||
            loaded[parent] || (!content->parts[parent].bulk && stays(undo, (uint32_t)parent)))
            continue;
        return false;
    }
    return true;
}

/* Parents first.  What refers to rows that come back otherwise, or in a ring, comes back so, too.
 */
static void put_in_order(bo_undo *undo, bool *loaded)
{
    bo_content *content = undo->snapshot;
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < content->part_count; i++) {
            if (!content->parts[i].bulk || loaded[i] || !parents_are_there(undo, i, loaded))
                continue;
            loaded[i] = more = true;
            undo->bulk_order[undo->bulk_count++] = i;
        }
    }
    for (uint32_t i = 0; i < content->part_count; i++)
        content->parts[i].bulk = loaded[i];
}

static bo_status choose_order(bo_undo *undo, bo_error *err)
{
    const bo_content *content = undo->snapshot;
    bo_conn *conn = undo->target->conn;
    bool enforces = false;
    bool *loaded = bo_arena_array(undo->arena, (size_t)content->part_count + 1, sizeof *loaded);
    undo->bulk_count = 0;
    undo->bulk_order =
        bo_arena_array(undo->arena, (size_t)content->part_count + 1, sizeof *undo->bulk_order);
    if (!loaded || !undo->bulk_order)
        return bo_nomem(err);
    bo_status st =
        conn->driver->load_enforces ? conn->driver->load_enforces(conn, &enforces, err) : BO_OK;
    if (st != BO_OK)
        return st;
    for (uint32_t i = 0; i < content->part_count; i++) {
        const bo_part *part = &content->parts[i];
        loaded[i] = part->bulk && (!enforces || part->fresh || !part->now);
        if (loaded[i])
            undo->bulk_order[undo->bulk_count++] = i;
    }
    put_in_order(undo, loaded);
    return BO_OK;
}

bo_status bo_undo_choose_bulk(bo_undo *undo, bo_error *err)
{
    const bo_rollback_options *options = undo->options;
    const bool chosen = options->where_count || options->only_added;
    for (uint32_t i = 0; !chosen && i < undo->snapshot->part_count; i++) {
        bo_part *part = &undo->snapshot->parts[i];
        bo_digest then = {0};
        uint64_t rows = 0;
        bo_pack_table_digest(undo->snapshot->pack, i, &then);
        if (part->left_out || part->bulk || part->predicate || part->unstored || !part->now ||
            then.rows < BULK_MIN || !emptied_by_change(undo, i, then.rows))
            continue;
        bo_conn *conn = undo->target->conn;
        bo_status st = conn->driver->count(conn, part->now, NULL, &rows, err);
        if (st != BO_OK)
            return st;
        part->bulk = rows == 0;
    }
    return choose_order(undo, err);
}

static bo_status violations(bo_undo *undo, uint64_t *count_out, bo_buf *example, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    const bo_table *const *tables = NULL;
    unsigned count = 0;
    *count_out = 0;
    bo_status st = bo_undo_is_whole(undo)
                       ? bo_content_referring(undo->intent, true, undo->arena, &tables, &count, err)
                       : bo_content_tables(undo->intent, true, undo->arena, &tables, &count, err);
    if (st != BO_OK || count == 0)
        return st;
    return conn->driver->check_references(conn, tables, count, count_out, example, err);
}

bo_status bo_undo_load_bulk(bo_undo *undo, bo_error *err)
{
    bo_meter meter;
    bo_status st = undo->options->dry_run
                       ? BO_OK
                       : bo_content_verify(undo->session, undo->snapshot, true, err);
    bo_meter_start(&meter, undo->session, "restore", 0);
    for (uint32_t i = 0; st == BO_OK && i < undo->bulk_count; i++) {
        const uint32_t table = undo->bulk_order[i];
        undo->now_known[table] = true; /* no rows: the digest of nothing */
        if (!undo->options->dry_run)
            st = bo_fill_table(undo->snapshot, table, undo->target->conn, &meter,
                &undo->applied[table].inserted, err);
    }
    return st;
}

bo_status bo_undo_check_bulk(bo_undo *undo, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) example = {0};
    uint64_t dangling = 0;
    bo_status st = violations(undo, &dangling, &example, err);
    if (st == BO_OK && dangling)
        return bo_fail(err, BO_CONFLICT, "rows that come back refer to rows that are not there\n%s",
            bo_buf_str(&example));
    return st;
}

struct keeping {
    bo_undo *undo;
    uint32_t table;
    bo_draft *draft;
};

static bo_status keep_row(void *ctx, bo_image row, bo_error *err)
{
    struct keeping *keeping = ctx;
    bo_undo *undo = keeping->undo;
    bo_digest_add(
        &undo->coming[keeping->table], bo_row_values(undo->intent->parts[keeping->table].was, row));
    undo->planned[keeping->table].inserted++;
    return keeping->draft ? bo_draft_change(keeping->draft, keeping->table, (bo_image){0}, row, err)
                          : BO_OK;
}

bo_status bo_undo_keep_bulk(bo_undo *undo, uint32_t table, bo_draft *draft, bo_error *err)
{
    struct keeping keeping = {undo, table, draft};
    return bo_content_rows(undo->snapshot, table, keep_row, &keeping, err);
}
