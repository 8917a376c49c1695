/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/computed.c - foreign keys of columns that the database computes (generated ones).
 *
 * Images do not have their values, so the stage cannot tell which entries such a key ties.  The
 * references that lead nowhere are counted before the rows are put back and after: more of them,
 * and it is refused as a whole.  With BO_CAP_COMPUTED_KEYS the server enforces them by itself.
 */
#include "change/undo.h"

static const bo_part *find_part(const bo_undo *undo, const char *table)
{
    const int part = bo_content_find(undo->intent, table);
    return part >= 0 ? &undo->intent->parts[part] : NULL;
}

static bool any_computed(const bo_part *part, const char *const *columns, uint16_t column_count)
{
    const bo_table *now = part ? part->now : NULL;
    for (uint16_t i = 0; now && i < column_count; i++) {
        const int column = bo_table_column(now, columns[i]);
        if (column >= 0 && !now->columns[column].in_image)
            return true;
    }
    return false;
}

static bool comes_back(const bo_part *part)
{
    return part && !part->left_out && !part->predicate;
}

/* On a side that is in the point.  Where both come back as they were, so do references between
 * them, wherever they lead. */
static bool is_computed(const bo_undo *undo, const bo_foreign_key *key)
{
    const bo_part *child = find_part(undo, key->child), *parent = find_part(undo, key->parent);
    if (bo_undo_is_whole(undo) && comes_back(child) && comes_back(parent))
        return false;
    return any_computed(child, key->child_columns, key->count) ||
           any_computed(parent, key->parent_columns, key->count);
}

static bo_status only_computed(
    const bo_undo *undo, const bo_foreign_key **keys, uint16_t *count, bo_error *err)
{
    bo_foreign_key *left = bo_arena_array(undo->arena, *count + 1u, sizeof *left);
    uint16_t left_count = 0;
    if (!left)
        return bo_nomem(err);
    for (uint16_t i = 0; i < *count; i++)
        if (is_computed(undo, &(*keys)[i]))
            left[left_count++] = (*keys)[i];
    *keys = left;
    *count = left_count;
    return BO_OK;
}

static bo_status tables_of(
    const bo_undo *undo, const bo_table ***out, unsigned *count_out, bo_error *err)
{
    const bo_content *content = undo->intent;
    const bo_table **tables =
        bo_arena_array(undo->arena, (size_t)content->part_count + 1, sizeof *tables);
    unsigned count = 0;
    if (!tables)
        return bo_nomem(err);
    for (uint32_t i = 0; i < content->part_count; i++) {
        if (undo->staged[i] == UINT32_MAX)
            continue;
        bo_table *table = bo_arena_alloc(undo->arena, sizeof *table);
        if (!table)
            return bo_nomem(err);
        *table = *content->parts[i].now;
        bo_status st = only_computed(undo, &table->foreign_keys, &table->foreign_key_count, err);
        if (st == BO_OK)
            st = only_computed(undo, &table->referenced_by, &table->referenced_count, err);
        if (st != BO_OK)
            return st;
        if (table->foreign_key_count + table->referenced_count > 0)
            tables[count++] = table;
    }
    *out = tables;
    *count_out = count;
    return BO_OK;
}

bo_status bo_undo_count_computed(bo_undo *undo, uint64_t *out, bo_buf *example, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    const bo_table **tables = NULL;
    unsigned count = 0;
    *out = 0;
    if (conn->driver->caps & BO_CAP_COMPUTED_KEYS ||
        (bo_undo_may_dangle(undo) && undo->options->on_conflict == BO_ON_CONFLICT_REPLACE))
        return BO_OK;
    bo_status st = tables_of(undo, &tables, &count, err);
    return st == BO_OK && count > 0
               ? conn->driver->check_references(conn, tables, count, out, example, err)
               : st;
}

bo_status bo_undo_check_computed(bo_undo *undo, uint64_t before, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) example = {0};
    uint64_t after = 0;
    bo_status st = bo_undo_count_computed(undo, &after, &example, err);
    if (st == BO_OK && after > before)
        return bo_fail(err, BO_CONFLICT, "a foreign key of generated columns would be broken\n%s",
            bo_buf_str(&example));
    return st;
}
