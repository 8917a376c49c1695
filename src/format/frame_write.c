/* SPDX-License-Identifier: Apache-2.0 */
/* src/format/frame_write.c - filling one frame after another; compression in the caller's thread.
 */
#include <assert.h>
#include <string.h>
#include <zstd.h>

#include "format/pack_internal.h"

enum { LEVEL = 1 };

struct bo_frame_writer {
    bo_pack_writer *writer;
    ZSTD_CCtx *zstd;
    bo_frame frame;   /* being filled */
    bo_digest digest; /* of the frames before it that were begun with it */
    uint64_t bytes;
    bo_buf raw;
    bo_buf compressed;
};

void bo_frame_writer_free(bo_frame_writer *frame)
{
    if (!frame)
        return;
    (void)ZSTD_freeCCtx(frame->zstd);
    bo_buf_done(&frame->raw);
    bo_buf_done(&frame->compressed);
    free(frame);
}

bo_status bo_frame_writer_create(bo_pack_writer *writer, bo_frame_writer **out, bo_error *err)
{
    BO_OWN(bo_frame_writer) *frame = calloc(1, sizeof *frame);
    if (!frame)
        return bo_nomem(err);
    frame->writer = writer;
    frame->zstd = ZSTD_createCCtx();
    if (!frame->zstd ||
        ZSTD_isError(ZSTD_CCtx_setParameter(frame->zstd, ZSTD_c_compressionLevel, LEVEL)))
        return bo_nomem(err);
    *out = BO_TAKE(frame);
    return BO_OK;
}

void bo_frame_writer_begin(bo_frame_writer *frame, uint32_t table, uint32_t range)
{
    assert(frame->frame.rows == 0);
    frame->frame = (bo_frame){.table = table, .range = range};
    frame->digest = (bo_digest){0};
    frame->bytes = 0;
}

void bo_frame_writer_total(const bo_frame_writer *frame, bo_digest *digest_out, uint64_t *bytes_out)
{
    *digest_out = frame->digest;
    *bytes_out = frame->bytes;
}

/** Pads with a skippable frame, so that no reader has to believe in an absurd ratio. */
static void pad(bo_buf *compressed, uint64_t raw)
{
    uint64_t least = bo_stored_least(raw);
    if (compressed->size >= least)
        return;
    uint64_t missing = least - compressed->size;
    uint32_t zeros = missing > BO_SKIP_SIZE ? (uint32_t)(missing - BO_SKIP_SIZE) : 0;
    uint8_t skip[BO_SKIP_SIZE];
    bo_skip_put(skip, BO_SKIP_PADDING, zeros);
    bo_buf_add(compressed, skip, sizeof skip);
    if (bo_buf_reserve(compressed, zeros)) {
        memset(compressed->data + compressed->size, 0, zeros);
        compressed->size += zeros;
    }
}

bo_status bo_frame_writer_flush(bo_frame_writer *frame, bo_error *err)
{
    if (frame->frame.rows == 0)
        return BO_OK;
    bo_buf *compressed = &frame->compressed;
    if (!bo_buf_resize(compressed, ZSTD_compressBound(frame->raw.size)))
        return bo_nomem(err);
    size_t size = ZSTD_compress2(
        frame->zstd, compressed->data, compressed->size, frame->raw.data, frame->raw.size);
    if (ZSTD_isError(size))
        return bo_fail(err, BO_FAILED, "cannot compress: %s", ZSTD_getErrorName(size));
    compressed->size = size;
    pad(compressed, frame->raw.size);
    if (compressed->failed)
        return bo_nomem(err);

    frame->frame.raw_size = frame->raw.size;
    bo_status st = bo_pack_writer_append(
        frame->writer, &frame->frame, (bo_span){compressed->data, compressed->size}, err);
    if (st != BO_OK)
        return st;
    bo_digest_merge(&frame->digest, &frame->frame.digest);
    frame->bytes += frame->raw.size;
    if (frame->raw.capacity > BO_FRAME_FREE) { /* a huge row made it so: do not keep that */
        bo_buf_done(&frame->raw);
        bo_buf_done(&frame->compressed);
    }
    bo_buf_clear(&frame->raw);
    frame->frame = (bo_frame){.table = frame->frame.table, .range = frame->frame.range};
    return BO_OK;
}

/** Makes room for `size` bytes more (`two` images or one), closing the frame if it would hold too
 * much. */
static bo_status make_room(bo_frame_writer *frame, size_t size, bool two, bo_error *err)
{
    if (size > BO_FRAME_MAX)
        return bo_fail(err, BO_UNSUPPORTED, "a row %sis larger than %u MiB%s",
            two ? "before and after " : "", BO_FRAME_MAX >> 20, two ? " together" : "");
    if (frame->raw.size + size > BO_FRAME_TARGET) {
        bo_status st = bo_frame_writer_flush(frame, err);
        if (st != BO_OK)
            return st;
    }
    return bo_buf_reserve(&frame->raw, size) ? BO_OK : bo_nomem(err);
}

static void add_image(bo_frame_writer *frame, bo_image image)
{
    bo_buf_add(&frame->raw, image.data, image.size);
    bo_digest_add(&frame->frame.digest, image);
}

bo_status bo_frame_writer_row(bo_frame_writer *frame, bo_image row, bo_error *err)
{
    assert(frame->writer->kind == BO_PACK_SNAPSHOT && row.data);
    bo_status st = make_room(frame, row.size, false, err);
    if (st != BO_OK)
        return st;
    add_image(frame, row);
    frame->frame.rows++;
    return BO_OK;
}

bo_status bo_frame_writer_change(
    bo_frame_writer *frame, bo_image before, bo_image after, bo_error *err)
{
    assert(frame->writer->kind == BO_PACK_CHANGESET && (before.data || after.data));
    const bool two = before.data && after.data;
    bo_status st = make_room(frame, 1 + before.size + after.size, two, err);
    if (st != BO_OK)
        return st;
    bo_buf_add_byte(&frame->raw,
        (uint8_t)((before.data ? BO_CHANGE_BEFORE : 0) | (after.data ? BO_CHANGE_AFTER : 0)));
    if (before.data)
        add_image(frame, before);
    if (after.data)
        add_image(frame, after);
    frame->frame.rows++;
    return BO_OK;
}
