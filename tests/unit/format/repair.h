/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/format/repair.h - makes the hashes of a damaged pack right again, as an attacker
 * would.
 *
 * Only of packs that are not encrypted.  What is wrong behind a right hash must be found, too.
 */
#ifndef TEST_FORMAT_REPAIR_H
#define TEST_FORMAT_REPAIR_H

#include <string.h>

#include "format/pack_internal.h"

/** Where the entries of frames begin in the content of an index; 0: the ranges are damaged. */
static inline size_t repair_frames_at(const uint8_t *index, size_t size)
{
    size_t at = 4;
    uint32_t ranges = size >= 4 ? bo_get_u32(index) : 0;
    for (uint32_t i = 0; i < ranges; i++) {
        if (at > size || size - at < 6)
            return 0;
        at += 6u + bo_get_u16(index + at + 4);
    }
    return at <= size && size - at >= 4 ? at + 4 : 0;
}

static inline void repair_checksums(
    uint8_t *data, uint64_t begin, uint64_t end, uint8_t *index, size_t size)
{
    size_t at = repair_frames_at(index, size);
    if (at == 0)
        return;
    for (uint32_t left = bo_get_u32(index + at - 4); left > 0; left--, at += BO_FRAME_ENTRY_SIZE) {
        if (size - at < BO_FRAME_ENTRY_SIZE)
            return;
        uint64_t stored = bo_get_u64(index + at + 16);
        if (stored > end - begin)
            return;
        bo_checksum sum = bo_checksum_of(data + begin, (size_t)stored);
        memcpy(index + at + 56, sum.bytes, sizeof sum.bytes);
        begin += stored;
    }
}

static inline void repair(uint8_t *data, size_t size)
{
    uint32_t header = 0;
    if (size < 2 * BO_SKIP_SIZE + BO_TRAILER_SIZE || !bo_skip_get(data, BO_SKIP_HEADER, &header))
        return;
    uint64_t end = size - BO_TRAILER_SIZE;
    uint8_t *trailer = data + end + BO_SKIP_SIZE;
    uint64_t index = bo_get_u64(trailer);
    uint64_t length = bo_get_u64(trailer + 8);
    uint64_t begin = BO_SKIP_SIZE + (uint64_t)header;
    if (index > end || length > end - index || length < BO_SKIP_SIZE || begin > index)
        return;
    repair_checksums(
        data, begin, index, data + index + BO_SKIP_SIZE, (size_t)length - BO_SKIP_SIZE);
    bo_pack_root_of(
        (bo_span){data, (size_t)begin}, (bo_span){data + index, (size_t)length}, trailer + 16);
}

#endif
