/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/format/world.h - packs in memory. */
#ifndef TEST_FORMAT_WORLD_H
#define TEST_FORMAT_WORLD_H

#include <stdio.h>
#include <string.h>

#include "format/pack_internal.h"

/** A sink that keeps what is written. */
static inline bo_status world_write(void *ctx, const void *data, size_t size, bo_error *err)
{
    bo_buf_add(ctx, data, size);
    return bo_buf_check(ctx, err);
}

static inline bo_sink world_sink(bo_buf *file)
{
    return (bo_sink){file, world_write};
}

static inline bo_status world_read(
    void *ctx, uint64_t offset, void *data, size_t size, bo_error *err)
{
    const bo_buf *file = ctx;
    if (offset > file->size || file->size - offset < size)
        return bo_fail(err, BO_CORRUPT, "the file ends before");
    if (size > 0)
        memcpy(data, file->data + offset, size);
    return BO_OK;
}

static inline bo_source world_source(bo_buf *file)
{
    return (bo_source){file, file->size, world_read};
}

/** The image of row `i`: (i as text, "row", NULL). */
static inline bo_image world_row(bo_buf *buf, uint32_t i)
{
    char text[16];
    int size = snprintf(text, sizeof text, "%u", i);
    bo_buf_clear(buf);
    bo_image_begin(buf, 3);
    bo_image_add(buf, text, size);
    bo_image_add(buf, "row", 3);
    bo_image_add_null(buf);
    return (bo_image){buf->data, buf->size};
}

/** Argon2id as cheap as it gets: tests open packs thousands of times. */
static inline void world_cheap_passphrases(void)
{
    bo_kdf_cost_written = (bo_kdf_cost){crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN};
}

enum { WORLD_FRAMES = 4, WORLD_ROWS_PER_FRAME = 5 };

/**
 * Two tables with a range each and two frames in each range; row r of frame f is row 5 * f + r.  In
 * a changeset each row is inserted, deleted or updated (to the row 1000 after it) in turn.
 */
static inline bo_status world_fill(bo_pack_writer *writer, bo_pack_kind kind, bo_error *err)
{
    BO_OWN(bo_frame_writer) *frame = NULL;
    BO_OWN_VALUE(bo_buf) a = {0};
    BO_OWN_VALUE(bo_buf) b = {0};
    const bo_image none = {NULL, 0};
    bo_status st = bo_frame_writer_create(writer, &frame, err);
    uint32_t range = 0;
    for (uint32_t f = 0; st == BO_OK && f < WORLD_FRAMES; f++) {
        bo_span id = {(const uint8_t *)(f ? "second" : "first"), f ? 6 : 5};
        if (f % 2 == 0)
            st = bo_pack_writer_range(writer, f / 2, id, &range, err);
        bo_frame_writer_begin(frame, f / 2, range);
        for (uint32_t r = 0; st == BO_OK && r < WORLD_ROWS_PER_FRAME; r++) {
            uint32_t i = f * WORLD_ROWS_PER_FRAME + r;
            bo_image before = world_row(&a, i);
            bo_image after = world_row(&b, i + 1000);
            if (a.failed || b.failed)
                return bo_nomem(err);
            if (kind == BO_PACK_SNAPSHOT)
                st = bo_frame_writer_row(frame, before, err);
            else
                st = bo_frame_writer_change(
                    frame, i % 3 == 0 ? none : before, i % 3 == 1 ? none : after, err);
        }
        if (st == BO_OK)
            st = bo_frame_writer_flush(frame, err);
    }
    return st;
}

/** A whole pack in `file`. */
static inline bo_status world_pack(
    bo_buf *file, bo_pack_kind kind, const bo_pack_key *key, bo_error *err)
{
    BO_OWN(bo_pack_writer) *writer = NULL;
    json_t *meta = json_pack("{s:s, s:[s, s]}", "point", "rb_x", "tables", "a", "b");
    json_t *tail = json_pack("{s:i}", "rows", WORLD_FRAMES * WORLD_ROWS_PER_FRAME);
    bo_status st = bo_pack_writer_create(kind, meta, key, world_sink(file), &writer, err);
    if (st == BO_OK)
        st = world_fill(writer, kind, err);
    if (st == BO_OK)
        st = bo_pack_writer_finish(writer, tail, err);
    json_decref(meta);
    json_decref(tail);
    return st;
}

/** Opens the pack and loads and walks every frame; BO_OK only if all of it is accepted. */
static inline bo_status world_read_all(bo_buf *file, const bo_pack_key *key, bo_error *err)
{
    BO_OWN(bo_pack) *pack = NULL;
    BO_OWN(bo_frame_reader) *reader = NULL;
    bo_status st = bo_pack_open(world_source(file), key, &pack, err);
    if (st == BO_OK)
        st = bo_frame_reader_create(pack, &reader, err);
    for (uint32_t f = 0; st == BO_OK && f < bo_pack_frame_count(pack); f++) {
        st = bo_frame_reader_load(reader, f, err);
        for (bool end = false; st == BO_OK && !end;) {
            bo_image a = {NULL, 0};
            bo_image b = {NULL, 0};
            st = bo_pack_get_kind(pack) == BO_PACK_SNAPSHOT
                     ? bo_frame_reader_row(reader, &a, &end, err)
                     : bo_frame_reader_change(reader, &a, &b, &end, err);
        }
    }
    return st;
}

#endif
