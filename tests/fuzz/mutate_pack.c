/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/mutate_pack.c - mutants of packs whose checksums are right.
 *
 * One part is changed: the JSON, a range, a frame's place or its rows, a row or a value of one.
 * Then the pack is put together again.  Some mutants are blind changes of the file.
 */
#include <string.h>

#include "fuzz.h"
#include "remake.h"
#include "unit/format/repair.h"

enum { MORE = 64, ROWS_MOST = 256 };

/* ---- rows ---- */

/** Where the images of a frame begin, and where the last of them ends. */
typedef struct images {
    size_t count;
    size_t starts[ROWS_MOST + 1];
} images;

static void find_images(const remake *pack, const bo_buf *raw, images *out)
{
    size_t at = 0;
    *out = (images){0};
    for (unsigned left = 0; at < raw->size && out->count < ROWS_MOST;) {
        if (left == 0 && pack->kind == BO_PACK_CHANGESET) {
            left = (raw->data[at] & 1u) + (raw->data[at] >> 1 & 1u);
            at++;
        }
        size_t size = 0;
        bo_span rest = {raw->data + at, raw->size - at};
        if (bo_image_measure(rest, &size, NULL) != BO_OK)
            return;
        out->starts[out->count++] = at;
        out->starts[out->count] = at += size;
        left -= left > 0;
    }
}

static void add_value(bo_buf *out, bo_value value)
{
    if (value.size < 0)
        bo_image_add_null(out);
    else
        bo_image_add(out, value.data, value.size);
}

/** The image with one value other, gone, doubled or NULL. */
static void change_image(bo_image image, bo_buf *out, uint64_t *random)
{
    static bo_value values[BO_COLUMNS_MAX];
    uint16_t count = bo_image_count(image);
    size_t at = fuzz_below(random, count);
    size_t what = count > 0 ? fuzz_below(random, 6) : 6;
    bo_image_values(image, values);
    bo_image_begin(out, (uint16_t)(count - (what == 0) + (what == 1 && count < BO_COLUMNS_MAX)));
    for (uint16_t i = 0; i < count; i++) {
        BO_OWN_VALUE(bo_buf) bytes = {0};
        if (i != at || what == 1)
            add_value(out, values[i]);
        if (i != at || what == 0 || (what == 1 && count == BO_COLUMNS_MAX))
            continue;
        if (what == 2) {
            bo_image_add_null(out);
            continue;
        }
        if (values[i].size > 0)
            bo_buf_add(&bytes, values[i].data, (size_t)values[i].size);
        if (what > 2)
            fuzz_mutate(&bytes, MORE);
        bo_image_add(out, bytes.data, (int32_t)bytes.size);
    }
}

static void change_rows(const remake *pack, remake_frame *frame, uint64_t *random)
{
    images found;
    BO_OWN_VALUE(bo_buf) made = {0};
    find_images(pack, &frame->raw, &found);
    if (found.count == 0 || fuzz_below(random, 8) == 0) {
        fuzz_mutate(&frame->raw, MORE);
        return;
    }
    size_t at = fuzz_below(random, found.count);
    size_t from = found.starts[at];
    size_t next = found.starts[at + 1];
    bo_buf_add(&made, frame->raw.data, from);
    change_image((bo_image){frame->raw.data + from, next - from}, &made, random);
    bo_buf_add(&made, frame->raw.data + next, frame->raw.size - next);
    if (made.failed || made.size == 0)
        return;
    bo_buf old = frame->raw;
    frame->raw = made;
    made = old;
}

/* ---- parts ---- */

static void change_number(uint32_t *number, uint64_t *random)
{
    static const uint32_t edges[] = {0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff};
    *number = edges[fuzz_below(random, sizeof edges / sizeof *edges)];
}

static void change_frame(remake *pack, uint64_t *random)
{
    if (pack->frame_count == 0)
        return;
    uint32_t at = (uint32_t)fuzz_below(random, pack->frame_count);
    remake_frame *frame = &pack->frames[at];
    switch (fuzz_below(random, 12)) {
    case 0:
        change_number(&frame->table, random);
        break;
    case 1:
        change_number(&frame->range, random);
        break;
    case 2: /* the frame is gone */
        bo_buf_done(&frame->raw);
        pack->frame_count--;
        memmove(frame, frame + 1, (pack->frame_count - at) * sizeof *frame);
        pack->frames[pack->frame_count] = (remake_frame){0};
        break;
    default:
        change_rows(pack, frame, random);
    }
}

static void change_range(remake *pack, uint64_t *random)
{
    if (pack->range_count == 0)
        return;
    remake_range *range = &pack->ranges[fuzz_below(random, pack->range_count)];
    if (fuzz_below(random, 2))
        change_number(&range->table, random);
    else
        fuzz_mutate(&range->id, MORE);
}

static void change_part(remake *pack, uint64_t *random)
{
    switch (fuzz_below(random, 8)) {
    case 0:
        fuzz_mutate(&pack->meta, MORE);
        break;
    case 1:
    case 2:
    case 3:
        (void)fuzz_mutate_json(&pack->meta, random);
        break;
    case 4:
        if (pack->tail.size == 0 || !fuzz_mutate_json(&pack->tail, random))
            fuzz_mutate(&pack->tail, MORE);
        break;
    case 5:
        change_range(pack, random);
        break;
    default:
        change_frame(pack, random);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t random = seed + UINT64_C(0x9e3779b97f4a7c15);
    remake pack;
    if (fuzz_below(&random, 8) == 0 || !remake_take((bo_span){data, size}, &pack)) {
        size = LLVMFuzzerMutate(data, size, max_size);
        repair(data, size);
        return size;
    }
    BO_OWN_VALUE(bo_buf) made = {0};
    for (size_t changes = 1 + fuzz_below(&random, 3); changes > 0; changes--)
        change_part(&pack, &random);
    remake_put(&pack, &made);
    remake_done(&pack);
    if (made.failed || made.size > max_size)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(data, made.data, made.size);
    return made.size;
}
