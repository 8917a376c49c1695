/* SPDX-License-Identifier: Apache-2.0 */
/* src/format/frame_read.c - reading one frame: nothing is given out before all of it was checked.
 */
#include <assert.h>
#include <string.h>
#include <zstd.h>

#include "format/pack_internal.h"

struct bo_frame_reader {
    bo_pack *pack;
    ZSTD_DCtx *zstd;
    bo_buf stored;
    bo_buf plain; /* of an encrypted frame: compressed rows */
    bo_buf raw;
    size_t at; /* the next row, in `raw` */
};

void bo_frame_reader_free(bo_frame_reader *reader)
{
    if (!reader)
        return;
    (void)ZSTD_freeDCtx(reader->zstd);
    bo_buf_done(&reader->stored);
    bo_buf_done(&reader->plain);
    bo_buf_done(&reader->raw);
    free(reader);
}

bo_status bo_frame_reader_create(bo_pack *pack, bo_frame_reader **out, bo_error *err)
{
    BO_OWN(bo_frame_reader) *reader = calloc(1, sizeof *reader);
    if (!reader)
        return bo_nomem(err);
    reader->pack = pack;
    reader->zstd = ZSTD_createDCtx();
    if (!reader->zstd)
        return bo_nomem(err);
    *out = BO_TAKE(reader);
    return BO_OK;
}

/** Reads the stored bytes and leaves the compressed rows in *compressed_out. */
static bo_status fetch(
    bo_frame_reader *reader, uint32_t number, bo_span *compressed_out, bo_error *err)
{
    bo_pack *pack = reader->pack;
    const bo_frame *frame = &pack->frames[number];
    bo_buf *stored = &reader->stored;
    if (!bo_buf_resize(stored, (size_t)frame->stored_size))
        return bo_nomem(err);
    bo_status st =
        pack->source.read(pack->source.ctx, frame->offset, stored->data, stored->size, err);
    if (st != BO_OK)
        return st;
    bo_checksum sum = bo_checksum_of(stored->data, stored->size);
    if (!bo_checksum_equal(&sum, &frame->checksum))
        return bo_fail(err, BO_CORRUPT, "checksum does not match");
    if (!pack->lock.on) {
        *compressed_out = (bo_span){stored->data, stored->size};
        return BO_OK;
    }
    uint32_t size = 0;
    if (stored->size < BO_SKIP_SIZE || !bo_skip_get(stored->data, BO_SKIP_SEALED, &size) ||
        size != stored->size - BO_SKIP_SIZE)
        return bo_fail(err, BO_CORRUPT, "not an encrypted frame");
    st = bo_pack_unseal(
        &pack->lock, number, (bo_span){stored->data + BO_SKIP_SIZE, size}, &reader->plain, err);
    *compressed_out = (bo_span){reader->plain.data, reader->plain.size};
    return st;
}

/** What follows the zstd frame is nothing, or padding to the end. */
static bool is_padding(const uint8_t *at, size_t size)
{
    uint32_t zeros = 0;
    return size == 0 || (size >= BO_SKIP_SIZE && bo_skip_get(at, BO_SKIP_PADDING, &zeros) &&
                            zeros == size - BO_SKIP_SIZE);
}

static bo_status decompress(
    bo_frame_reader *reader, const bo_frame *frame, bo_span compressed, bo_error *err)
{
    size_t size = ZSTD_findFrameCompressedSize(compressed.data, compressed.size);
    if (ZSTD_isError(size) || !is_padding(compressed.data + size, compressed.size - size))
        return bo_fail(err, BO_CORRUPT, "not one zstd frame");
    if (ZSTD_getFrameContentSize(compressed.data, size) != frame->raw_size)
        return bo_fail(err, BO_CORRUPT, "another size than the index says");
    if (!bo_buf_resize(&reader->raw, (size_t)frame->raw_size))
        return bo_nomem(err);
    size_t done = ZSTD_decompressDCtx(
        reader->zstd, reader->raw.data, reader->raw.size, compressed.data, size);
    if (ZSTD_isError(done) || done != frame->raw_size)
        return bo_fail(err, BO_CORRUPT, "cannot be decompressed");
    return BO_OK;
}

/** The image at reader->at, which moves behind it. */
static bo_status take_image(bo_frame_reader *reader, bo_image *out, bo_error *err)
{
    bo_span rest = {reader->raw.data + reader->at, reader->raw.size - reader->at};
    size_t size = 0;
    bo_status st = bo_image_measure(rest, &size, err);
    if (st != BO_OK)
        return st;
    *out = (bo_image){rest.data, size};
    reader->at += size;
    return BO_OK;
}

/** The change at reader->at, which moves behind it. */
static bo_status take_change(
    bo_frame_reader *reader, bo_image *before_out, bo_image *after_out, bo_error *err)
{
    uint8_t which = reader->raw.data[reader->at++];
    if (which == 0 || which > (BO_CHANGE_BEFORE | BO_CHANGE_AFTER))
        return bo_fail(err, BO_CORRUPT, "a change has neither image");
    bo_image before = {NULL, 0};
    bo_image after = {NULL, 0};
    bo_status st = BO_OK;
    if (which & BO_CHANGE_BEFORE)
        st = take_image(reader, &before, err);
    if (st == BO_OK && (which & BO_CHANGE_AFTER))
        st = take_image(reader, &after, err);
    if (st != BO_OK)
        return st;
    *before_out = before;
    *after_out = after;
    return BO_OK;
}

/** Walks over all rows: their number and digest must be as the index says. */
static bo_status check_rows(bo_frame_reader *reader, const bo_frame *frame, bo_error *err)
{
    bool changes = reader->pack->kind == BO_PACK_CHANGESET;
    bo_digest digest = {0};
    uint64_t rows = 0;
    for (reader->at = 0; reader->at < reader->raw.size; rows++) {
        bo_image before = {NULL, 0};
        bo_image after = {NULL, 0};
        bo_status st =
            changes ? take_change(reader, &before, &after, err) : take_image(reader, &after, err);
        if (st != BO_OK)
            return st;
        if (before.data)
            bo_digest_add(&digest, before);
        if (after.data)
            bo_digest_add(&digest, after);
    }
    if (rows != frame->rows)
        return bo_fail(err, BO_CORRUPT, "another number of rows than the index says");
    if (!bo_digest_equal(&digest, &frame->digest))
        return bo_fail(err, BO_CORRUPT, "digest of the rows does not match");
    reader->at = 0;
    return BO_OK;
}

bo_status bo_frame_reader_load(bo_frame_reader *reader, uint32_t frame, bo_error *err)
{
    assert(frame < reader->pack->frame_count);
    const bo_frame *entry = &reader->pack->frames[frame];
    bo_span compressed = {NULL, 0};
    bo_status st = fetch(reader, frame, &compressed, err);
    if (st == BO_OK)
        st = decompress(reader, entry, compressed, err);
    if (st == BO_OK)
        st = check_rows(reader, entry, err);
    if (st == BO_OK)
        return BO_OK;
    bo_buf_clear(&reader->raw);
    reader->at = 0;
    return bo_wrap(err, st, "cannot read frame %u", frame);
}

bo_status bo_frame_reader_row(
    bo_frame_reader *reader, bo_image *row_out, bool *end_out, bo_error *err)
{
    assert(reader->pack->kind == BO_PACK_SNAPSHOT);
    *end_out = reader->at >= reader->raw.size;
    return *end_out ? BO_OK : take_image(reader, row_out, err);
}

bo_status bo_frame_reader_change(bo_frame_reader *reader, bo_image *before_out, bo_image *after_out,
    bool *end_out, bo_error *err)
{
    assert(reader->pack->kind == BO_PACK_CHANGESET);
    *end_out = reader->at >= reader->raw.size;
    return *end_out ? BO_OK : take_change(reader, before_out, after_out, err);
}
