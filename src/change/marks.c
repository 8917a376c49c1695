/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/marks.c - open addressing over 128-bit hashes. */
#include "change/marks.h"

#include <stdlib.h>
#include <string.h>

#include "data/digest.h"

#define FIRST_SIZE 1024u

void bo_marks_done(bo_marks *marks)
{
    free(marks->slots);
    *marks = (bo_marks){0};
}

void bo_marks_clear(bo_marks *marks)
{
    if (marks->used)
        memset(marks->slots, 0, marks->size * sizeof *marks->slots);
    marks->used = 0;
}

static void hash_of(bo_span bytes, uint32_t space, uint64_t *low, uint64_t *high)
{
    bo_checksum sum = bo_checksum_of(bytes.data, bytes.size);
    *low = bo_get_u64(sum.bytes);
    *high = bo_get_u64(sum.bytes + 8) ^ (space + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
    if (*low == 0 && *high == 0)
        *high = 1; /* zeros are a free slot */
}

uint64_t bo_marks_hash(bo_span bytes)
{
    uint64_t low, high;
    hash_of(bytes, 0, &low, &high);
    return low ? low : 1;
}

/* Where the hash is, or where it would be. */
static bo_mark *slot_of(bo_mark *slots, size_t size, uint64_t low, uint64_t high)
{
    size_t at = (size_t)(low ^ high) & (size - 1);
    while ((slots[at].low || slots[at].high) && (slots[at].low != low || slots[at].high != high))
        at = (at + 1) & (size - 1);
    return &slots[at];
}

bo_mark *bo_marks_find_hash(const bo_marks *marks, uint64_t low, uint64_t high)
{
    if (!marks->used)
        return NULL;
    bo_mark *slot = slot_of(marks->slots, marks->size, low, high);
    return slot->low || slot->high ? slot : NULL;
}

static bool grow(bo_marks *marks)
{
    size_t size = marks->size ? marks->size * 2 : FIRST_SIZE;
    bo_mark *slots = size > marks->size ? calloc(size, sizeof *slots) : NULL;
    if (!slots)
        return false;
    for (size_t i = 0; i < marks->size; i++)
        if (marks->slots[i].low || marks->slots[i].high)
            *slot_of(slots, size, marks->slots[i].low, marks->slots[i].high) = marks->slots[i];
    free(marks->slots);
    marks->slots = slots;
    marks->size = size;
    return true;
}

bo_mark *bo_marks_put_hash(bo_marks *marks, uint64_t low, uint64_t high)
{
    if (marks->used >= marks->size / 4 * 3 && !grow(marks))
        return NULL;
    bo_mark *slot = slot_of(marks->slots, marks->size, low, high);
    if (!slot->low && !slot->high) {
        *slot = (bo_mark){.low = low, .high = high};
        marks->used++;
    }
    return slot;
}

bo_mark *bo_marks_find(const bo_marks *marks, uint32_t space, bo_span name)
{
    uint64_t low, high;
    hash_of(name, space, &low, &high);
    return bo_marks_find_hash(marks, low, high);
}

bo_mark *bo_marks_put(bo_marks *marks, uint32_t space, bo_span name)
{
    uint64_t low, high;
    hash_of(name, space, &low, &high);
    return bo_marks_put_hash(marks, low, high);
}
