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

bo_status bo_undo_choose_bulk(bo_undo *undo, bo_error *err)
{
    const bo_rollback_options *options = undo->options;
    if (options->where_count || options->only_added)
        return BO_OK;
    for (uint32_t i = 0; i < undo->snapshot->part_count; i++) {
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
    return BO_OK;
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
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++) {
        if (!undo->intent->parts[i].bulk)
            continue;
        undo->now_known[i] = true; /* no rows: the digest of nothing */
        if (!undo->options->dry_run)
            st = bo_fill_table(
                undo->snapshot, i, undo->target->conn, &meter, &undo->applied[i].inserted, err);
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
