/* SPDX-License-Identifier: Apache-2.0 */
/* src/format/pack_write.c - writing a pack: header, frames in the order they come, index, trailer.
 */
#include <assert.h>
#include <string.h>

#include "format/pack_internal.h"

void bo_pack_writer_free(bo_pack_writer *writer)
{
    if (!writer)
        return;
    sodium_memzero(&writer->lock, sizeof writer->lock);
    bo_buf_done(&writer->header);
    bo_buf_done(&writer->ranges);
    bo_buf_done(&writer->range_tables);
    bo_buf_done(&writer->frames);
    bo_buf_done(&writer->sealed);
    (void)pthread_mutex_destroy(&writer->mutex);
    free(writer);
}

/** The first failure is everybody's: whoever writes later is told the same.  Has the mutex. */
static bo_status give_up(bo_pack_writer *writer, const bo_error *failure, bo_error *err)
{
    if (writer->broken.status == BO_OK)
        writer->broken = *failure;
    if (err)
        *err = writer->broken;
    return writer->broken.status;
}

/** Writes to the sink; the caller has the mutex. */
static bo_status emit(bo_pack_writer *writer, const void *data, size_t size, bo_error *err)
{
    bo_error failure = {0};
    bo_status st = writer->broken.status;
    if (st == BO_OK)
        st = writer->sink.write(writer->sink.ctx, data, size, &failure);
    failure.status = st;
    if (st != BO_OK)
        return give_up(writer, &failure, err);
    writer->size += size;
    return BO_OK;
}

/** Header as stored: skippable frame, prefix, the wrapped key if there is one, meta. */
static bo_status make_header(
    bo_pack_writer *writer, const json_t *meta, const bo_pack_key *key, bo_error *err)
{
    bo_buf *header = &writer->header;
    uint8_t skip[BO_SKIP_SIZE] = {0};
    bool locked = key && key->kind != BO_KEY_NONE;
    bo_buf_add(header, skip, sizeof skip);
    bo_buf_add(header, BO_PACK_MAGIC, BO_MAGIC_SIZE);
    bo_buf_add_u16(header, BO_PACK_VERSION);
    bo_buf_add_byte(header, (uint8_t)writer->kind);
    bo_buf_add_byte(header, locked ? (uint8_t)key->kind : BO_KEY_NONE);
    bo_buf_add(header, writer->lock.uuid, BO_UUID_SIZE);

    bo_status st = bo_buf_check(header, err);
    if (st == BO_OK && locked)
        st = bo_pack_lock_create(key, header, &writer->lock, err);
    BO_OWN_VALUE(bo_buf) text = {0};
    if (st == BO_OK)
        st = bo_pack_json_write(meta, "description of the pack", &text, err);
    if (st == BO_OK)
        st =
            bo_pack_seal(&writer->lock, BO_PART_META, (bo_span){text.data, text.size}, header, err);
    if (st == BO_OK)
        st = bo_buf_check(header, err);
    if (st == BO_OK)
        bo_skip_put(header->data, BO_SKIP_HEADER, (uint32_t)(header->size - BO_SKIP_SIZE));
    return st;
}

bo_status bo_pack_writer_create(bo_pack_kind kind, const json_t *meta, const bo_pack_key *key,
    bo_sink sink, bo_pack_writer **out, bo_error *err)
{
    if (sodium_init() < 0)
        return bo_fail(err, BO_FAILED, "the cryptographic library does not start");
    bo_pack_writer *made = calloc(1, sizeof *made);
    if (!made)
        return bo_nomem(err);
    if (pthread_mutex_init(&made->mutex, NULL) != 0) {
        free(made);
        return bo_nomem(err);
    }
    BO_OWN(bo_pack_writer) *writer = made;
    writer->kind = kind;
    writer->sink = sink;
    randombytes_buf(writer->lock.uuid, BO_UUID_SIZE);

    bo_status st = make_header(writer, meta, key, err);
    if (st == BO_OK)
        st = emit(writer, writer->header.data, writer->header.size, err);
    if (st != BO_OK)
        return st;
    *out = BO_TAKE(writer);
    return BO_OK;
}

bo_status bo_pack_writer_range(
    bo_pack_writer *writer, uint32_t table, bo_span id, uint32_t *range_out, bo_error *err)
{
    assert(id.size <= BO_RANGE_ID_MAX);
    (void)pthread_mutex_lock(&writer->mutex);
    bo_status st = BO_OK;
    bo_buf_add_u32(&writer->ranges, table);
    bo_buf_add_u16(&writer->ranges, (uint16_t)id.size);
    bo_buf_add(&writer->ranges, id.data, id.size);
    bo_buf_add_u32(&writer->range_tables, table);
    if (writer->ranges.failed || writer->range_tables.failed) {
        bo_error failure = {0};
        (void)bo_nomem(&failure);
        st = give_up(writer, &failure, err);
    } else {
        *range_out = writer->range_count++;
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return st;
}

static void add_entry(bo_buf *frames, const bo_frame *frame)
{
    bo_buf_add_u32(frames, frame->table);
    bo_buf_add_u32(frames, frame->range);
    bo_buf_add_u64(frames, frame->rows);
    bo_buf_add_u64(frames, frame->stored_size);
    bo_buf_add_u64(frames, frame->raw_size);
    bo_buf_add_u64(frames, frame->digest.low);
    bo_buf_add_u64(frames, frame->digest.high);
    bo_buf_add_u64(frames, frame->digest.rows);
    bo_buf_add(frames, frame->checksum.bytes, sizeof frame->checksum.bytes);
}

/** The frame's stored bytes: as compressed, or a skippable frame with them encrypted. */
static bo_status make_stored(
    bo_pack_writer *writer, bo_span compressed, bo_span *stored, bo_error *err)
{
    if (!writer->lock.on) {
        *stored = compressed;
        return BO_OK;
    }
    bo_buf *sealed = &writer->sealed;
    if (!bo_buf_resize(sealed, BO_SKIP_SIZE))
        return bo_nomem(err);
    bo_status st = bo_pack_seal(&writer->lock, writer->frame_count, compressed, sealed, err);
    if (st != BO_OK)
        return st;
    bo_skip_put(sealed->data, BO_SKIP_SEALED, (uint32_t)(sealed->size - BO_SKIP_SIZE));
    *stored = (bo_span){sealed->data, sealed->size};
    return BO_OK;
}

static bo_status append(bo_pack_writer *writer, bo_frame *frame, bo_span compressed, bo_error *err)
{
    assert(!writer->finished && frame->range < writer->range_count);
    assert(bo_get_u32(writer->range_tables.data + 4 * (size_t)frame->range) == frame->table);
    if (writer->frames.size + writer->ranges.size > BO_PACK_INDEX_MAX / 2)
        return bo_fail(err, BO_UNSUPPORTED, "the pack has too many frames");
    bo_span stored = {NULL, 0};
    bo_status st = make_stored(writer, compressed, &stored, err);
    if (st != BO_OK)
        return st;
    frame->stored_size = stored.size;
    frame->checksum = bo_checksum_of(stored.data, stored.size);
    if (!bo_buf_reserve(&writer->frames, BO_FRAME_ENTRY_SIZE))
        return bo_nomem(err);
    st = emit(writer, stored.data, stored.size, err);
    if (st != BO_OK)
        return st;
    add_entry(&writer->frames, frame);
    writer->frame_count++;
    return BO_OK;
}

bo_status bo_pack_writer_append(
    bo_pack_writer *writer, bo_frame *frame, bo_span compressed, bo_error *err)
{
    (void)pthread_mutex_lock(&writer->mutex);
    bo_error failure = {0};
    bo_status st = append(writer, frame, compressed, &failure);
    if (st != BO_OK) /* rows are missing: never finish such a pack */
        st = give_up(writer, &failure, err);
    (void)pthread_mutex_unlock(&writer->mutex);
    return st;
}

/** The index as stored. */
static bo_status make_index(
    bo_pack_writer *writer, const json_t *tail, bo_buf *index, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) plain = {0};
    bo_buf_add_u32(&plain, writer->range_count);
    bo_buf_add(&plain, writer->ranges.data, writer->ranges.size);
    bo_buf_add_u32(&plain, writer->frame_count);
    bo_buf_add(&plain, writer->frames.data, writer->frames.size);
    bo_status st = bo_buf_check(&plain, err);
    if (st == BO_OK && tail)
        st = bo_pack_json_write(tail, "summary of the pack", &plain, err);
    if (st == BO_OK && plain.size > BO_PACK_INDEX_MAX - BO_SEAL_OVERHEAD)
        st = bo_fail(err, BO_UNSUPPORTED, "the pack has too many frames");
    if (st != BO_OK)
        return st;
    if (!bo_buf_resize(index, BO_SKIP_SIZE))
        return bo_nomem(err);
    st = bo_pack_seal(&writer->lock, BO_PART_INDEX, (bo_span){plain.data, plain.size}, index, err);
    if (st == BO_OK)
        bo_skip_put(index->data, BO_SKIP_INDEX, (uint32_t)(index->size - BO_SKIP_SIZE));
    return st;
}

static void make_trailer(
    const bo_pack_writer *writer, const bo_buf *index, uint8_t trailer[BO_TRAILER_SIZE])
{
    uint8_t *at = trailer + BO_SKIP_SIZE;
    bo_skip_put(trailer, BO_SKIP_TRAILER, BO_TRAILER_SIZE - BO_SKIP_SIZE);
    bo_put_u64(at, writer->size);
    bo_put_u64(at + 8, index->size);
    bo_pack_root_of((bo_span){writer->header.data, writer->header.size},
        (bo_span){index->data, index->size}, at + 16);
    memcpy(at + 16 + BO_ROOT_SIZE, BO_PACK_END, BO_MAGIC_SIZE);
}

bo_status bo_pack_writer_finish(bo_pack_writer *writer, const json_t *tail, bo_error *err)
{
    assert(!writer->finished);
    if (writer->broken.status != BO_OK)
        return give_up(writer, &writer->broken, err);
    BO_OWN_VALUE(bo_buf) index = {0};
    bo_status st = make_index(writer, tail, &index, err);
    if (st != BO_OK)
        return st;
    uint8_t trailer[BO_TRAILER_SIZE];
    make_trailer(writer, &index, trailer);
    st = emit(writer, index.data, index.size, err);
    if (st == BO_OK)
        st = emit(writer, trailer, sizeof trailer, err);
    writer->finished = st == BO_OK;
    return st;
}
