/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/chosen.c - rows chosen by a predicate, found again through a stage of their keys. */
#include "change/chosen.h"

#include "base/step.h"
#include "change/sort.h"

#define SORT_MEMORY (2u << 20)

struct walk {
    bo_content *content;
    uint32_t table;
    const bo_chosen *chosen;
    bo_frame_reader *reader;
    uint32_t range, frame; /* the next frame to read */
    bool loaded;
    uint64_t id;
    bo_sorter *keys;    /* of the snapshot's rows */
    bo_sorter *meeting; /* of the rows that meet the predicate now */
    bo_buf key;
};

/* Moves to the next frame of the part; false at the end. */
static bool next_frame(struct walk *walk)
{
    const bo_content *content = walk->content;
    if (walk->frame != UINT32_MAX && walk->loaded)
        walk->frame = content->next_frame[walk->frame];
    while (walk->frame == UINT32_MAX && walk->range < bo_pack_range_count(content->pack)) {
        uint32_t range = walk->range++;
        if (bo_pack_get_range(content->pack, range)->table == walk->table)
            walk->frame = content->first_frame[range];
    }
    walk->loaded = false;
    return walk->frame != UINT32_MAX;
}

static bo_status stage_key(void *ctx, bo_stage_entry *entry_out, bool *end_out, bo_error *err)
{
    struct walk *walk = ctx;
    bo_image row;
    bool end = true;
    bo_status st = BO_OK;
    while (st == BO_OK) {
        if (walk->loaded) {
            st = bo_frame_reader_row(walk->reader, &row, &end, err);
            if (st != BO_OK || !end)
                break;
        }
        if (!next_frame(walk)) {
            *end_out = true;
            return BO_OK;
        }
        st = bo_content_load(walk->content, walk->reader, walk->frame, err);
        walk->loaded = true;
    }
    if (st == BO_OK)
        st = walk->chosen->before(walk->chosen->ctx, row, err);
    if (st == BO_OK)
        st = bo_row_key(walk->content->parts[walk->table].was, row, &walk->key, err);
    if (st == BO_OK)
        st =
            bo_sorter_add(walk->keys, (bo_span){walk->key.data, walk->key.size}, (bo_span){0}, err);
    if (st != BO_OK)
        return st;
    *entry_out = (bo_stage_entry){.id = ++walk->id, .row = row};
    *end_out = false;
    return BO_OK;
}

static bo_status found(void *ctx, uint64_t id, bo_image row, bo_error *err)
{
    (void)id;
    struct walk *walk = ctx;
    return walk->chosen->now(walk->chosen->ctx, row, err);
}

static bo_status meets(void *ctx, bo_image row, bo_error *err)
{
    struct walk *walk = ctx;
    bo_status st = bo_row_key(walk->content->parts[walk->table].was, row, &walk->key, err);
    return st == BO_OK ? bo_sorter_add(walk->meeting, (bo_span){walk->key.data, walk->key.size},
                             (bo_span){0}, err)
                       : st;
}

static bo_status count_entered(struct walk *walk, uint64_t *entered_out, bo_error *err)
{
    bo_span key = {0}, meeting = {0}, unused;
    bool have_key = false, have_meeting = false;
    bo_status st = bo_sorter_finish(walk->keys, err);
    if (st == BO_OK)
        st = bo_sorter_finish(walk->meeting, err);
    if (st == BO_OK)
        st = bo_sorter_next(walk->keys, &key, &unused, &have_key, err);
    if (st == BO_OK)
        st = bo_sorter_next(walk->meeting, &meeting, &unused, &have_meeting, err);
    uint64_t entered = 0;
    while (st == BO_OK && have_meeting) {
        int order = have_key ? bo_span_compare(key, meeting) : 1;
        entered += order > 0;
        if (order <= 0)
            st = bo_sorter_next(walk->keys, &key, &unused, &have_key, err);
        if (st == BO_OK && order >= 0)
            st = bo_sorter_next(walk->meeting, &meeting, &unused, &have_meeting, err);
    }
    if (st == BO_OK)
        *entered_out = entered;
    return st;
}

static bo_status follow(bo_target *target, struct walk *walk, bo_error *err)
{
    const bo_part *part = &walk->content->parts[walk->table];
    const bo_driver *driver = target->conn->driver;
    bo_stage_table staged = {.was = part->was, .now = part->now};
    BO_OWN(bo_stage) *stage = NULL;
    bo_status st = driver->stage_open(target->conn, &staged, 1, &stage, err);
    if (st == BO_OK)
        st = driver->stage_fill(stage, 0, stage_key, walk, err);
    if (st == BO_OK)
        st = driver->stage_locate(stage, 0, found, walk, err);
    /* what foreign keys reached is not asked again: its parents may be gone, and their tables too
     */
    bo_scan scan = {.table = part->now, .shape = part->was, .predicate = part->entering};
    return st == BO_OK && part->entering ? driver->scan(target->conn, &scan, meets, walk, err) : st;
}

bo_status bo_chosen_rows(bo_target *target, const char *scratch, bo_content *content,
    uint32_t table, const bo_chosen *chosen, uint64_t *entered_out, bo_error *err)
{
    BO_OWN(bo_sorter) *keys = NULL;
    BO_OWN(bo_sorter) *meeting = NULL;
    BO_OWN(bo_frame_reader) *reader = NULL;
    bo_status st = bo_sorter_create(scratch, SORT_MEMORY, &keys, err);
    if (st == BO_OK)
        st = bo_sorter_create(scratch, SORT_MEMORY, &meeting, err);
    if (st == BO_OK)
        st = bo_frame_reader_create(content->pack, &reader, err);
    struct walk walk = {.content = content,
        .table = table,
        .chosen = chosen,
        .reader = reader,
        .frame = UINT32_MAX,
        .keys = keys,
        .meeting = meeting};
    if (st == BO_OK)
        st = follow(target, &walk, err);
    bo_buf_done(&walk.key);
    return st == BO_OK ? count_entered(&walk, entered_out, err) : st;
}
