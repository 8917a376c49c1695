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
    free(residue->hashes);
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
        bo_digest *hashes = realloc(residue->hashes, capacity * sizeof *hashes);
        if (!hashes)
            return bo_nomem(err);
        residue->hashes = hashes;
        residue->capacity = capacity;
    }
    residue->hashes[residue->count++] = one;
    if (residue->overflow)
        return BO_OK;
    if (residue->rows.size + row.size > BO_RESIDUE_KEEP) {
        residue->overflow = true;
        return BO_OK;
    }
    bo_buf_add(&residue->rows, row.data, row.size);
    return bo_buf_check(&residue->rows, err);
}

static struct bo_residue_slot *find_slot(bo_residue *residue, const bo_digest *hash)
{
    size_t at = hash->low & (residue->slot_count - 1);
    while (residue->slots[at].row &&
           !bo_digest_equal(&residue->hashes[residue->slots[at].row - 1], hash))
        at = (at + 1) & (residue->slot_count - 1);
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
        struct bo_residue_slot *slot = find_slot(residue, &residue->hashes[i]);
        if (!slot->row)
            slot->row = (uint32_t)i + 1;
        slot->left++;
    }
    return BO_OK;
}

bool bo_residue_take(bo_residue *residue, const bo_table *table, bo_image row)
{
    bo_digest hash = {0};
    bo_digest_add(&hash, bo_row_values(table, row));
    struct bo_residue_slot *slot = find_slot(residue, &hash);
    if (!slot->row || slot->left == 0)
        return false;
    slot->left--;
    return true;
}
