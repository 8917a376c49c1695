/* SPDX-License-Identifier: Apache-2.0 */
/* src/format/pack_index.c - taking the index apart; every number in it is doubted. */
#include "format/pack_internal.h"

typedef struct cursor {
    const uint8_t *at;
    size_t left;
} cursor;

static bool take(cursor *c, size_t size, const uint8_t **out)
{
    if (c->left < size)
        return false;
    *out = c->at;
    c->at += size;
    c->left -= size;
    return true;
}

static bool take_u32(cursor *c, uint32_t *out)
{
    const uint8_t *p = NULL;
    if (!take(c, 4, &p))
        return false;
    *out = bo_get_u32(p);
    return true;
}

static bo_status cut_short(bo_error *err)
{
    return bo_fail(err, BO_CORRUPT, "index: cut short");
}

static bo_status read_ranges(bo_pack *pack, cursor *c, bo_error *err)
{
    uint32_t count = 0;
    if (!take_u32(c, &count) || count > c->left / 6)
        return cut_short(err);
    pack->ranges = calloc(count ? count : 1, sizeof *pack->ranges);
    if (!pack->ranges)
        return bo_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        bo_pack_range *range = &pack->ranges[i];
        const uint8_t *head = NULL;
        if (!take(c, 6, &head))
            return cut_short(err);
        range->table = bo_get_u32(head);
        range->id.size = bo_get_u16(head + 4);
        if (range->id.size > BO_RANGE_ID_MAX || !take(c, range->id.size, &range->id.data))
            return bo_fail(err, BO_CORRUPT, "index: range %u is cut short", i);
    }
    pack->range_count = count;
    return BO_OK;
}

static void parse_entry(const uint8_t *p, bo_frame *frame)
{
    frame->table = bo_get_u32(p);
    frame->range = bo_get_u32(p + 4);
    frame->rows = bo_get_u64(p + 8);
    frame->stored_size = bo_get_u64(p + 16);
    frame->raw_size = bo_get_u64(p + 24);
    frame->digest.low = bo_get_u64(p + 32);
    frame->digest.high = bo_get_u64(p + 40);
    frame->digest.rows = bo_get_u64(p + 48);
    for (unsigned i = 0; i < sizeof frame->checksum.bytes; i++)
        frame->checksum.bytes[i] = p[56 + i];
}

/** The sizes are possible, and the range is one of its table. */
static bool is_sane(const bo_pack *pack, const bo_frame *frame)
{
    bool changes = pack->kind == BO_PACK_CHANGESET;
    uint64_t images = frame->digest.rows;
    return frame->raw_size > 0 && frame->raw_size <= BO_FRAME_MAX && frame->stored_size > 0 &&
           frame->stored_size >= bo_stored_least(frame->raw_size) && frame->rows > 0 &&
           frame->rows <= frame->raw_size / 2 && images >= frame->rows &&
           images <= frame->rows * (changes ? 2 : 1) && frame->range < pack->range_count &&
           pack->ranges[frame->range].table == frame->table;
}

static bo_status read_frames(bo_pack *pack, cursor *c, uint64_t begin, uint64_t end, bo_error *err)
{
    uint32_t count = 0;
    if (!take_u32(c, &count) || count > c->left / BO_FRAME_ENTRY_SIZE)
        return cut_short(err);
    pack->frames = calloc(count ? count : 1, sizeof *pack->frames);
    if (!pack->frames)
        return bo_nomem(err);
    uint64_t offset = begin;
    for (uint32_t i = 0; i < count; i++) {
        bo_frame *frame = &pack->frames[i];
        const uint8_t *entry = NULL;
        if (!take(c, BO_FRAME_ENTRY_SIZE, &entry))
            return cut_short(err);
        parse_entry(entry, frame);
        if (!is_sane(pack, frame))
            return bo_fail(err, BO_CORRUPT, "index: frame %u cannot be as it says", i);
        if (frame->stored_size > end - offset)
            return bo_fail(err, BO_CORRUPT, "index: frame %u reaches into the index", i);
        frame->offset = offset;
        offset += frame->stored_size;
        bo_digest_merge(&pack->ranges[frame->range].digest, &frame->digest);
    }
    if (offset != end)
        return bo_fail(err, BO_CORRUPT, "index: bytes after the last frame belong to none");
    pack->frame_count = count;
    return BO_OK;
}

bo_status bo_pack_index_read(bo_pack *pack, uint64_t begin, uint64_t end, bo_error *err)
{
    cursor c = {pack->index.data, pack->index.size};
    bo_status st = read_ranges(pack, &c, err);
    if (st == BO_OK)
        st = read_frames(pack, &c, begin, end, err);
    if (st == BO_OK && c.left > 0)
        st = bo_pack_json_read((bo_span){c.at, c.left}, "summary of the pack", &pack->tail, err);
    return st;
}
