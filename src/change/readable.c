/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/readable.c - what can be read of a snapshot that is damaged. */
#include "base/step.h"
#include "change/content.h"

/* What is not the file's own fault is no damage of it. */
static bool is_damage(bo_status st)
{
    return st != BO_OK && st != BO_NOMEM && st != BO_INTERRUPTED;
}

bo_status bo_content_leave_unreadable(
    bo_content *content, uint64_t *lost_out, bo_error *why_out, bo_error *err)
{
    const uint32_t count = bo_pack_frame_count(content->pack);
    BO_OWN(bo_frame_reader) *reader = NULL;
    content->unreadable =
        bo_arena_array(content->arena, (size_t)count + 1, sizeof *content->unreadable);
    if (!content->unreadable)
        return bo_nomem(err);
    bo_status st = bo_frame_reader_create(content->pack, &reader, err);
    for (uint32_t i = 0; st == BO_OK && i < count; i++) {
        const bo_frame *frame = bo_pack_get_frame(content->pack, i);
        bo_error failure = {0};
        st = bo_interrupt_check(err);
        if (st != BO_OK)
            return st;
        st = bo_content_load(content, reader, i, &failure);
        content->unreadable[i] = is_damage(st);
        if (st != BO_OK && !content->unreadable[i] && err)
            *err = failure;
        if (!content->unreadable[i])
            continue;
        lost_out[frame->table] += frame->rows;
        if (why_out->status == BO_OK)
            *why_out = failure;
        st = BO_OK;
    }
    return st;
}
