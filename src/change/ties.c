/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/ties.c - the foreign keys and unique keys between the parts of a point, and the values
 * that rows have in them. */
#include "change/ties.h"

#include <string.h>

#define TIE_COLUMNS 64u

enum { PG_INT8 = 20, PG_INT2 = 21, PG_INT4 = 23 };

const bo_table *bo_part_shape(const bo_part *part)
{
    return part->captured && part->now ? part->now : part->was;
}

/* ---- the ties ---- */

struct listing {
    const bo_content *content;
    bo_arena *arena;
    bo_tie *ties;
    size_t count;
};

/* Positions in the images; NULL when a column is not in them, or there is no memory. */
static const uint16_t *by_name(
    struct listing *listing, const bo_table *table, const char *const *names, uint16_t count)
{
    uint16_t *out = bo_arena_array(listing->arena, count, sizeof *out);
    for (uint16_t i = 0; out && i < count; i++) {
        int column = bo_table_column(table, names[i]);
        int position = column < 0 ? -1 : bo_table_image_position(table, (uint16_t)column);
        if (position < 0)
            return NULL;
        out[i] = (uint16_t)position;
    }
    return out;
}

static const uint16_t *by_key(struct listing *listing, const bo_table *table, const bo_key *key)
{
    uint16_t *out = bo_arena_array(listing->arena, key->count, sizeof *out);
    for (uint16_t i = 0; out && i < key->count; i++) {
        int position = bo_table_image_position(table, key->columns[i]);
        if (position < 0)
            return NULL;
        out[i] = (uint16_t)position;
    }
    return out;
}

static bo_status add(struct listing *listing, bo_tie tie, bo_error *err)
{
    bo_tie *ties = bo_arena_grow(listing->arena, listing->ties, listing->count, sizeof *ties);
    if (!ties)
        return bo_nomem(err);
    listing->ties = ties;
    ties[listing->count++] = tie;
    return BO_OK;
}

static bool takes_part(const bo_part *part)
{
    return part->now && !part->left_out;
}

/* The part that has this partition, or -1. */
static int find_whole(const bo_content *content, const char *name)
{
    for (uint32_t i = 0; i < content->part_count; i++) {
        const bo_table *shape = bo_part_shape(&content->parts[i]);
        if (shape->kind == 'p' && bo_table_has_partition(shape, name))
            return (int)i;
    }
    return -1;
}

/* Both ways: what goes takes what refers to it along; what comes back needs what it refers to. */
static bo_status add_foreign_key(
    struct listing *listing, uint32_t child, const bo_foreign_key *key, bo_error *err)
{
    const bo_content *content = listing->content;
    int parent = bo_content_find(content, key->parent);
    if (parent < 0) /* it may refer to one partition of a part */
        parent = find_whole(content, key->parent);
    if (parent < 0 || !takes_part(&content->parts[parent]) || key->count > TIE_COLUMNS)
        return BO_OK;
    const uint16_t *of_child =
        by_name(listing, bo_part_shape(&content->parts[child]), key->child_columns, key->count);
    const uint16_t *of_parent =
        by_name(listing, bo_part_shape(&content->parts[parent]), key->parent_columns, key->count);
    if (!of_child || !of_parent)
        return BO_OK;
    bo_tie refers = {
        BO_TIE_REFERS, (uint32_t)parent, child, key->count, of_parent, of_child, key->name};
    bo_tie needed = {
        BO_TIE_NEEDED, child, (uint32_t)parent, key->count, of_child, of_parent, key->name};
    bo_status st = add(listing, refers, err);
    return st == BO_OK ? add(listing, needed, err) : st;
}

static bo_status add_part(struct listing *listing, uint32_t i, bo_error *err)
{
    const bo_table *shape = bo_part_shape(&listing->content->parts[i]);
    bo_status st = BO_OK;
    for (uint16_t k = 0; st == BO_OK && k < shape->foreign_key_count; k++)
        st = add_foreign_key(listing, i, &shape->foreign_keys[k], err);
    for (uint16_t k = 0; st == BO_OK && k < shape->referenced_count; k++) {
        const bo_foreign_key *key = &shape->referenced_by[k];
        const int whole = bo_content_find(listing->content, key->child) < 0
                              ? find_whole(listing->content, key->child)
                              : -1;
        if (whole >= 0 && takes_part(&listing->content->parts[whole]))
            st = add_foreign_key(listing, (uint32_t)whole, key, err); /* one partition has it */
    }
    for (uint16_t k = 0; st == BO_OK && k < shape->key_count; k++) {
        const bo_key *key = &shape->keys[k];
        if (key == shape->row_key || !key->simple || key->count > TIE_COLUMNS)
            continue;
        const uint16_t *columns = by_key(listing, shape, key);
        if (columns)
            st = add(listing,
                (bo_tie){BO_TIE_UNIQUE, i, i, key->count, columns, columns, key->name}, err);
    }
    return st;
}

bo_status bo_ties_of(
    const bo_content *content, bo_arena *arena, bo_tie **out, size_t *count_out, bo_error *err)
{
    struct listing listing = {.content = content, .arena = arena};
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++)
        if (takes_part(&content->parts[i]))
            st = add_part(&listing, i, err);
    if (st != BO_OK)
        return st;
    *out = listing.ties;
    *count_out = listing.count;
    return BO_OK;
}

/* ---- the values ---- */

/* Integers of different widths refer to each other; everything else has one form. */
static void add_value(bo_buf *out, const bo_table *table, uint16_t position, bo_value value)
{
    uint32_t type = table->columns[table->image_columns[position]].type_oid;
    bool integer = table->encoding == BO_ENCODING_PG_BINARY &&
                   (type == PG_INT2 || type == PG_INT4 || type == PG_INT8) && value.size <= 8;
    if (!integer) {
        bo_image_add(out, value.data, value.size);
        return;
    }
    uint8_t wide[8];
    memset(wide, value.size > 0 && value.data[0] & 0x80 ? 0xff : 0, sizeof wide);
    memcpy(wide + sizeof wide - (size_t)value.size, value.data, (size_t)value.size);
    bo_image_add(out, wide, sizeof wide);
}

/* False: one of the values is NULL, so that they tie nothing. */
static bool add_values(
    bo_buf *out, const bo_table *table, const uint16_t *columns, uint16_t count, bo_image row)
{
    bo_image_begin(out, count);
    for (uint16_t i = 0; i < count; i++) {
        bo_value value = bo_image_value(row, columns[i]);
        if (value.size < 0)
            return false;
        add_value(out, table, columns[i], value);
    }
    return true;
}

static bool same_values(const uint16_t *columns, uint16_t count, bo_image a, bo_image b)
{
    for (uint16_t i = 0; i < count; i++)
        if (!bo_value_equal(bo_image_value(a, columns[i]), bo_image_value(b, columns[i])))
            return false;
    return true;
}

/* The values that `row` has and `other` has not. */
static bo_status values_of(const bo_table *table, const uint16_t *columns, uint16_t count,
    bo_image row, bo_image other, bo_buf *out, bool *there_out, bo_error *err)
{
    bo_buf_clear(out);
    *there_out = row.data && !(other.data && same_values(columns, count, row, other)) &&
                 add_values(out, table, columns, count, row);
    return bo_buf_check(out, err);
}

bo_status bo_tie_of_member(const bo_tie *tie, const bo_content *content, bo_image before,
    bo_image after, bo_buf *out, bool *there_out, bo_error *err)
{
    bool goes = tie->kind == BO_TIE_REFERS;
    return values_of(bo_part_shape(&content->parts[tie->from]), tie->from_columns, tie->count,
        goes ? after : before, goes ? before : after, out, there_out, err);
}

bo_status bo_tie_of_other(const bo_tie *tie, const bo_content *content, bo_image before,
    bo_image after, bo_buf *out, bool *there_out, bo_error *err)
{
    bool went = tie->kind == BO_TIE_NEEDED;
    return values_of(bo_part_shape(&content->parts[tie->to]), tie->to_columns, tie->count,
        went ? before : after, went ? after : before, out, there_out, err);
}
