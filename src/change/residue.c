/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/residue.c - an open-addressing table of row hashes, as a multiset. */
#include "change/residue.h"

#include <stdlib.h>
#include <string.h>

void bo_residue_clear(bo_residue *residue)
{
    residue->count = 0;
    bo_buf_clear(&residue->rows);
    residue->overflow = residue->too_many = false;
    residue->stored = residue->digest = (bo_digest){0};
}

void bo_residue_done(bo_residue *residue)
{
    free(residue->items);
    free(residue->slots);
    bo_buf_done(&residue->rows);
    *residue = (bo_residue){0};
}

bo_status bo_residue_add(bo_residue *residue, const bo_table *table, bo_image row, bo_error *err)
{
    bo_digest one = {0};
    bo_digest_add(&one, bo_row_values(table, row));
    if (table->row_hint)
        bo_digest_add(&residue->stored, row);
    else
        bo_digest_merge(&residue->stored, &one);
    bo_digest_merge(&residue->digest, &one);
    if (residue->too_many)
        return BO_OK;
    if (residue->count == BO_RESIDUE_ROWS) {
        residue->too_many = residue->overflow = true;
        return BO_OK;
    }
    if (residue->count == residue->capacity) {
        size_t capacity = residue->capacity ? residue->capacity * 2 : 4096;
        struct bo_residue_row *items = realloc(residue->items, capacity * sizeof *items);
        if (!items)
            return bo_nomem(err);
        residue->items = items;
        residue->capacity = capacity;
    }
    residue->overflow = residue->overflow || residue->rows.size + row.size > BO_RESIDUE_KEEP;
    residue->items[residue->count++] = (struct bo_residue_row){one.low, one.high,
        (uint32_t)residue->rows.size, residue->overflow ? 0 : (uint32_t)row.size};
    if (residue->overflow)
        return BO_OK;
    bo_buf_add(&residue->rows, row.data, row.size);
    return bo_buf_check(&residue->rows, err);
}

static struct bo_residue_slot *find_slot(bo_residue *residue, uint64_t low, uint64_t high)
{
    size_t at = low & (residue->slot_count - 1);
    while (residue->slots[at].row) {
        const struct bo_residue_row *item = &residue->items[residue->slots[at].row - 1];
        if (item->low == low && item->high == high)
            break;
        at = (at + 1) & (residue->slot_count - 1);
    }
    return &residue->slots[at];
}

bo_status bo_residue_index(bo_residue *residue, bo_error *err)
{
    size_t slots = 64;
    while (slots < residue->count * 2)
        slots *= 2;
    if (slots > residue->slot_count) {
        struct bo_residue_slot *table = realloc(residue->slots, slots * sizeof *table);
        if (!table)
            return bo_nomem(err);
        residue->slots = table;
        residue->slot_count = slots;
    }
    memset(residue->slots, 0, residue->slot_count * sizeof *residue->slots);
    for (size_t i = 0; i < residue->count; i++) {
        struct bo_residue_slot *slot =
            find_slot(residue, residue->items[i].low, residue->items[i].high);
        if (!slot->row)
            slot->row = (uint32_t)i + 1;
        slot->left++;
    }
    residue->left = residue->count;
    return BO_OK;
}

static bool take(bo_residue *residue, uint64_t low, uint64_t high)
{
    struct bo_residue_slot *slot = find_slot(residue, low, high);
    if (!slot->row || slot->left == 0)
        return false;
    slot->left--;
    residue->left--;
    return true;
}

bool bo_residue_take(bo_residue *residue, const bo_table *table, bo_image row)
{
    bo_digest hash = {0};
    bo_digest_add(&hash, bo_row_values(table, row));
    return take(residue, hash.low, hash.high);
}

bo_status bo_residue_rest(bo_residue *residue,
    bo_status (*each)(void *ctx, bo_image row, bo_error *err), void *ctx, bo_error *err)
{
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && residue->left && i < residue->count; i++) {
        const struct bo_residue_row *item = &residue->items[i];
        if (take(residue, item->low, item->high))
            st = each(ctx, (bo_image){residue->rows.data + item->offset, item->size}, err);
    }
    return st;
}
