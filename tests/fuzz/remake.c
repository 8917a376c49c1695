/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/remake.c - packs in parts; docs/design/pack-format.md has every byte. */
#include "remake.h"

#include <string.h>
#include <zstd.h>

#include "fuzz.h"
#include "unit/format/world.h"

void remake_done(remake *pack)
{
    bo_buf_done(&pack->meta);
    bo_buf_done(&pack->tail);
    for (uint32_t i = 0; i < REMAKE_MOST; i++) {
        bo_buf_done(&pack->ranges[i].id);
        bo_buf_done(&pack->frames[i].raw);
    }
}

/* ---- taking apart ---- */

static void take_json(const json_t *json, bo_buf *out)
{
    if (json)
        (void)bo_pack_json_write(json, "part", out, NULL);
}

static bool take_frame(bo_span file, const bo_frame *from, remake_frame *out)
{
    out->table = from->table;
    out->range = from->range;
    const uint8_t *stored = file.data + from->offset;
    size_t size = ZSTD_findFrameCompressedSize(stored, (size_t)from->stored_size);
    if (ZSTD_isError(size) || from->raw_size > BO_FRAME_TARGET ||
        !bo_buf_resize(&out->raw, (size_t)from->raw_size))
        return false;
    return ZSTD_decompress(out->raw.data, out->raw.size, stored, size) == out->raw.size;
}

static bool take_parts(bo_span file, const bo_pack *pack, remake *out)
{
    out->kind = bo_pack_get_kind(pack);
    memcpy(out->uuid, pack->lock.uuid, sizeof out->uuid);
    take_json(bo_pack_meta(pack), &out->meta);
    take_json(bo_pack_tail(pack), &out->tail);
    out->range_count = bo_pack_range_count(pack);
    out->frame_count = bo_pack_frame_count(pack);
    if (out->range_count > REMAKE_MOST || out->frame_count > REMAKE_MOST)
        return false;
    for (uint32_t i = 0; i < out->range_count; i++) {
        const bo_pack_range *range = bo_pack_get_range(pack, i);
        out->ranges[i].table = range->table;
        bo_buf_add(&out->ranges[i].id, range->id.data, range->id.size);
    }
    bool good = true;
    for (uint32_t i = 0; good && i < out->frame_count; i++)
        good = take_frame(file, bo_pack_get_frame(pack, i), &out->frames[i]);
    return good;
}

bool remake_take(bo_span file, remake *out)
{
    BO_OWN(bo_pack) *pack = NULL;
    bo_buf whole = {.data = (uint8_t *)(uintptr_t)file.data, .size = file.size}; /* only read */
    if (bo_pack_open(world_source(&whole), NULL, &pack, NULL) != BO_OK || bo_pack_encrypted(pack))
        return false;
    *out = (remake){0};
    bool good = take_parts(file, pack, out);
    if (!good)
        remake_done(out);
    return good;
}

/* ---- putting together ---- */

static void add_skip(bo_buf *out, unsigned digit, const bo_buf *content)
{
    uint8_t skip[BO_SKIP_SIZE];
    bo_skip_put(skip, digit, (uint32_t)content->size);
    bo_buf_add(out, skip, sizeof skip);
    bo_buf_add(out, content->data, content->size);
}

static void add_header(const remake *pack, bo_buf *out)
{
    BO_OWN_VALUE(bo_buf) header = {0};
    bo_buf_add(&header, BO_PACK_MAGIC, BO_MAGIC_SIZE);
    bo_buf_add_u16(&header, BO_PACK_VERSION);
    bo_buf_add_byte(&header, (uint8_t)pack->kind);
    bo_buf_add_byte(&header, BO_KEY_NONE);
    bo_buf_add(&header, pack->uuid, sizeof pack->uuid);
    bo_buf_add(&header, pack->meta.data, pack->meta.size);
    add_skip(out, BO_SKIP_HEADER, &header);
}

/** Rows and digest as far as the bytes are rows. */
static void count_rows(const remake *pack, const bo_buf *raw, bo_frame *frame)
{
    bool changes = pack->kind == BO_PACK_CHANGESET;
    for (size_t at = 0; at < raw->size; frame->rows++) {
        unsigned images = 1;
        if (changes) {
            uint8_t which = raw->data[at++];
            images = (which & 1u) + (which >> 1 & 1u);
        }
        for (; images > 0; images--) {
            size_t size = 0;
            bo_span rest = {raw->data + at, raw->size - at};
            if (bo_image_measure(rest, &size, NULL) != BO_OK)
                return;
            bo_digest_add(&frame->digest, (bo_image){rest.data, size});
            at += size;
        }
    }
}

static void add_frame(const remake *pack, const remake_frame *from, bo_buf *out, bo_buf *index)
{
    bo_frame frame = {.table = from->table, .range = from->range, .raw_size = from->raw.size};
    size_t begin = out->size;
    size_t room = ZSTD_compressBound(from->raw.size);
    if (!bo_buf_reserve(out, room))
        return;
    size_t size = ZSTD_compress(out->data + begin, room, from->raw.data, from->raw.size, 1);
    out->size += ZSTD_isError(size) ? 0 : size;
    uint64_t least = bo_stored_least(from->raw.size);
    if (out->size - begin < least) {
        BO_OWN_VALUE(bo_buf) zeros = {0};
        if (bo_buf_resize(&zeros, (size_t)least)) {
            memset(zeros.data, 0, zeros.size);
            add_skip(out, BO_SKIP_PADDING, &zeros);
        }
    }
    frame.stored_size = out->size - begin;
    count_rows(pack, &from->raw, &frame);
    bo_checksum sum = bo_checksum_of(out->data + begin, out->size - begin);
    bo_buf_add_u32(index, frame.table);
    bo_buf_add_u32(index, frame.range);
    const uint64_t numbers[] = {frame.rows, frame.stored_size, frame.raw_size, frame.digest.low,
        frame.digest.high, frame.digest.rows};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        bo_buf_add_u64(index, numbers[i]);
    bo_buf_add(index, sum.bytes, sizeof sum.bytes);
}

void remake_put(const remake *pack, bo_buf *out)
{
    BO_OWN_VALUE(bo_buf) index = {0};
    BO_OWN_VALUE(bo_buf) trailer = {0};
    size_t start = out->size;
    add_header(pack, out);
    size_t header = out->size - start;
    bo_buf_add_u32(&index, pack->range_count);
    for (uint32_t i = 0; i < pack->range_count; i++) {
        bo_buf_add_u32(&index, pack->ranges[i].table);
        bo_buf_add_u16(&index, (uint16_t)pack->ranges[i].id.size);
        bo_buf_add(&index, pack->ranges[i].id.data, pack->ranges[i].id.size);
    }
    bo_buf_add_u32(&index, pack->frame_count);
    for (uint32_t i = 0; i < pack->frame_count; i++)
        add_frame(pack, &pack->frames[i], out, &index);
    bo_buf_add(&index, pack->tail.data, pack->tail.size);

    size_t at = out->size;
    uint8_t root[BO_ROOT_SIZE];
    add_skip(out, BO_SKIP_INDEX, &index);
    fuzz_must(!out->failed && !index.failed, "memory for a pack");
    bo_pack_root_of(
        (bo_span){out->data + start, header}, (bo_span){out->data + at, out->size - at}, root);
    bo_buf_add_u64(&trailer, at - start);
    bo_buf_add_u64(&trailer, out->size - at);
    bo_buf_add(&trailer, root, sizeof root);
    bo_buf_add(&trailer, BO_PACK_END, BO_MAGIC_SIZE);
    add_skip(out, BO_SKIP_TRAILER, &trailer);
}
