/* SPDX-License-Identifier: Apache-2.0 */
/* src/format/pack_read.c - opening a pack that may be cut short, flipped or hostile. */
#include <assert.h>
#include <string.h>

#include "format/pack_internal.h"

void bo_pack_free(bo_pack *pack)
{
    if (!pack)
        return;
    sodium_memzero(&pack->lock, sizeof pack->lock);
    json_decref(pack->meta);
    json_decref(pack->tail);
    bo_buf_done(&pack->index);
    free(pack->ranges);
    free(pack->frames);
    free(pack);
}

/** What the trailer says: where the index is, and what header and index hash to. */
typedef struct trailer {
    uint64_t index_offset;
    uint64_t index_size;
    uint8_t root[BO_ROOT_SIZE];
} trailer;

static bo_status read_trailer(const bo_source *source, trailer *out, bo_error *err)
{
    const uint64_t least = BO_SKIP_SIZE + BO_PREFIX_SIZE + BO_SKIP_SIZE + BO_TRAILER_SIZE;
    uint8_t bytes[BO_TRAILER_SIZE];
    if (source->size < least)
        return bo_fail(err, BO_CORRUPT, "trailer: the file is too short for a pack");
    uint64_t offset = source->size - BO_TRAILER_SIZE;
    bo_status st = source->read(source->ctx, offset, bytes, sizeof bytes, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the trailer");

    uint32_t size = 0;
    const uint8_t *at = bytes + BO_SKIP_SIZE;
    if (!bo_skip_get(bytes, BO_SKIP_TRAILER, &size) || size != BO_TRAILER_SIZE - BO_SKIP_SIZE ||
        memcmp(at + 16 + BO_ROOT_SIZE, BO_PACK_END, BO_MAGIC_SIZE) != 0)
        return bo_fail(err, BO_CORRUPT,
            "trailer: not the end of a pack (cut short, or something was appended)");
    out->index_offset = bo_get_u64(at);
    out->index_size = bo_get_u64(at + 8);
    memcpy(out->root, at + 16, BO_ROOT_SIZE);
    if (out->index_size < BO_SKIP_SIZE || out->index_size > BO_PACK_INDEX_MAX ||
        out->index_size > offset || out->index_offset != offset - out->index_size)
        return bo_fail(err, BO_CORRUPT, "trailer: the index is not where it should be");
    return BO_OK;
}

/** Reads the skippable frame of kind `digit` whose whole size is `size`. */
static bo_status read_part(const bo_source *source, uint64_t offset, uint64_t size, unsigned digit,
    const char *part, bo_buf *out, bo_error *err)
{
    if (!bo_buf_resize(out, (size_t)size))
        return bo_nomem(err);
    bo_status st = source->read(source->ctx, offset, out->data, out->size, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the %s", part);
    uint32_t content = 0;
    if (!bo_skip_get(out->data, digit, &content) || content != size - BO_SKIP_SIZE)
        return bo_fail(err, BO_CORRUPT, "%s: damaged", part);
    return BO_OK;
}

/** The header is as long as it says, if there is room for that before the index. */
static bo_status read_header(
    const bo_source *source, uint64_t index_offset, bo_buf *out, bo_error *err)
{
    uint8_t skip[BO_SKIP_SIZE];
    uint32_t content = 0;
    bo_status st = source->read(source->ctx, 0, skip, sizeof skip, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the header");
    if (!bo_skip_get(skip, BO_SKIP_HEADER, &content) || content < BO_PREFIX_SIZE ||
        content > BO_PACK_META_MAX + BO_PREFIX_SIZE + BO_LOCK_SIZE + BO_SEAL_OVERHEAD ||
        index_offset < BO_SKIP_SIZE + (uint64_t)content)
        return bo_fail(err, BO_CORRUPT, "header: not that of a pack");
    return read_part(
        source, 0, BO_SKIP_SIZE + (uint64_t)content, BO_SKIP_HEADER, "header", out, err);
}

/** Version, kind, key and meta; what is read was found to be as written by the root. */
static bo_status parse_header(
    bo_pack *pack, const bo_pack_key *key, const bo_buf *header, bo_error *err)
{
    const uint8_t *at = header->data + BO_SKIP_SIZE;
    if (memcmp(at, BO_PACK_MAGIC, BO_MAGIC_SIZE) != 0)
        return bo_fail(err, BO_CORRUPT, "header: not that of a pack");
    unsigned version = bo_get_u16(at + BO_MAGIC_SIZE);
    if (version > BO_PACK_VERSION)
        return bo_fail(err, BO_UNSUPPORTED,
            "the pack has format %u; this version reads up to format %u", version, BO_PACK_VERSION);
    unsigned kind = at[BO_MAGIC_SIZE + 2];
    unsigned key_kind = at[BO_MAGIC_SIZE + 3];
    if (version == 0 || kind < BO_PACK_SNAPSHOT || kind > BO_PACK_CHANGESET ||
        key_kind > BO_KEY_BYTES)
        return bo_fail(err, BO_CORRUPT, "header: a field has a value that is never written");
    pack->kind = (bo_pack_kind)kind;
    memcpy(pack->lock.uuid, at + BO_MAGIC_SIZE + 4, BO_UUID_SIZE);

    size_t used = BO_SKIP_SIZE + BO_PREFIX_SIZE;
    if (key_kind != BO_KEY_NONE) {
        if (header->size < used + BO_LOCK_SIZE)
            return bo_fail(err, BO_CORRUPT, "header: cut short");
        bo_status st = bo_pack_lock_open(key, header->data, &pack->lock, err);
        if (st != BO_OK)
            return st;
        used += BO_LOCK_SIZE;
    }
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_span sealed = {header->data + used, header->size - used};
    bo_status st = bo_pack_unseal(&pack->lock, BO_PART_META, sealed, &text, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the description of the pack");
    return bo_pack_json_read(
        (bo_span){text.data, text.size}, "description of the pack", &pack->meta, err);
}

static bo_status open_pack(bo_pack *pack, const bo_pack_key *key, bo_error *err)
{
    const bo_source *source = &pack->source;
    trailer end;
    BO_OWN_VALUE(bo_buf) header = {0};
    BO_OWN_VALUE(bo_buf) index = {0};
    bo_status st = read_trailer(source, &end, err);
    if (st == BO_OK)
        st = read_header(source, end.index_offset, &header, err);
    if (st == BO_OK)
        st = read_part(
            source, end.index_offset, end.index_size, BO_SKIP_INDEX, "index", &index, err);
    if (st != BO_OK)
        return st;

    bo_pack_root_of(
        (bo_span){header.data, header.size}, (bo_span){index.data, index.size}, pack->root);
    if (sodium_memcmp(pack->root, end.root, BO_ROOT_SIZE) != 0)
        return bo_fail(err, BO_CORRUPT, "header or index: not what the trailer's hash is of");
    st = parse_header(pack, key, &header, err);
    if (st != BO_OK)
        return st;
    bo_span sealed = {index.data + BO_SKIP_SIZE, index.size - BO_SKIP_SIZE};
    st = bo_pack_unseal(&pack->lock, BO_PART_INDEX, sealed, &pack->index, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the index");
    return bo_pack_index_read(pack, header.size, end.index_offset, err);
}

bo_status bo_pack_open(bo_source source, const bo_pack_key *key, bo_pack **out, bo_error *err)
{
    if (sodium_init() < 0)
        return bo_fail(err, BO_FAILED, "the cryptographic library does not start");
    BO_OWN(bo_pack) *pack = calloc(1, sizeof *pack);
    if (!pack)
        return bo_nomem(err);
    pack->source = source;
    bo_status st = open_pack(pack, key, err);
    if (st != BO_OK)
        return st;
    *out = BO_TAKE(pack);
    return BO_OK;
}

bo_pack_kind bo_pack_get_kind(const bo_pack *pack)
{
    return pack->kind;
}

bool bo_pack_encrypted(const bo_pack *pack)
{
    return pack->lock.on;
}

const json_t *bo_pack_meta(const bo_pack *pack)
{
    return pack->meta;
}

const json_t *bo_pack_tail(const bo_pack *pack)
{
    return pack->tail;
}

uint32_t bo_pack_range_count(const bo_pack *pack)
{
    return pack->range_count;
}

const bo_pack_range *bo_pack_get_range(const bo_pack *pack, uint32_t range)
{
    assert(range < pack->range_count);
    return &pack->ranges[range];
}

uint32_t bo_pack_frame_count(const bo_pack *pack)
{
    return pack->frame_count;
}

const bo_frame *bo_pack_get_frame(const bo_pack *pack, uint32_t frame)
{
    assert(frame < pack->frame_count);
    return &pack->frames[frame];
}

void bo_pack_table_digest(const bo_pack *pack, uint32_t table, bo_digest *out)
{
    bo_digest sum = {0};
    for (uint32_t i = 0; i < pack->frame_count; i++)
        if (pack->frames[i].table == table)
            bo_digest_merge(&sum, &pack->frames[i].digest);
    *out = sum;
}

const uint8_t *bo_pack_root(const bo_pack *pack)
{
    return pack->root;
}
