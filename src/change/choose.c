/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/choose.c - the options of a rollback that leave entries out: tables, predicates, only
 * what was added. */
#include <string.h>

#include "change/undo.h"

struct chooser {
    bo_walk walk;
    bool by_target;   /* which of the two images is asked about */
    uint8_t *numbers; /* bits by the number of the image that was given: it meets the predicate */
};

/* The next entry that has the image that is asked about. */
static bo_status next_asked(struct chooser *chooser, bo_image *row_out, bo_error *err)
{
    *row_out = (bo_image){0};
    while (!row_out->data) {
        bo_status st = bo_walk_next(&chooser->walk, err);
        if (st != BO_OK || chooser->walk.end)
            return st;
        *row_out = chooser->by_target ? chooser->walk.target : chooser->walk.expected;
    }
    return BO_OK;
}

static bo_status next_image(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    struct chooser *chooser = ctx;
    bo_status st = next_asked(chooser, row_out, err);
    *end_out = chooser->walk.end;
    return st;
}

static bo_status note_number(void *ctx, uint64_t row, bo_error *err)
{
    (void)err;
    struct chooser *chooser = ctx;
    chooser->numbers[row / 8] = (uint8_t)(chooser->numbers[row / 8] | 1u << (row % 8));
    return BO_OK;
}

static bo_status ask_side(bo_undo *undo, uint32_t table, const char *predicate,
    struct chooser *chooser, bo_fate *met, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    const bo_table *was = undo->intent->parts[table].was;
    memset(chooser->numbers, 0, met->entries / 8 + 1);
    bo_status st = bo_walk_open(&chooser->walk, undo, table, false, err);
    if (st == BO_OK)
        st = conn->driver->filter(
            conn, was, predicate, next_image, chooser, note_number, chooser, err);
    bo_walk_done(&chooser->walk);
    if (st == BO_OK)
        st = bo_walk_open(&chooser->walk, undo, table, false, err);
    for (uint64_t number = 0; st == BO_OK; number++) {
        bo_image row;
        st = next_asked(chooser, &row, err);
        if (st != BO_OK || chooser->walk.end)
            break;
        if (chooser->numbers[number / 8] >> (number % 8) & 1)
            bo_fate_drop(met, chooser->walk.id);
    }
    bo_walk_done(&chooser->walk);
    return st;
}

/* A row is chosen when it meets the predicate as it is expected now, or as it was. */
static bo_status drop_unmet(bo_undo *undo, uint32_t table, const char *predicate, bo_error *err)
{
    bo_fate *fate = &undo->fates[table];
    bo_fate met = {
        .entries = fate->entries, .dropped = bo_arena_alloc(undo->arena, fate->entries / 8 + 1)};
    struct chooser chooser = {.numbers = bo_arena_alloc(undo->arena, fate->entries / 8 + 1)};
    bo_status st = met.dropped && chooser.numbers ? BO_OK : bo_nomem(err);
    for (int side = 0; st == BO_OK && side < 2; side++) {
        chooser.by_target = side;
        st = ask_side(undo, table, predicate, &chooser, &met, err);
    }
    for (uint64_t id = 1; st == BO_OK && id <= fate->entries; id++)
        if (!bo_fate_dropped(&met, id))
            bo_fate_drop(fate, id);
    return st;
}

static bo_status drop_not_added(bo_undo *undo, uint32_t table, bo_error *err)
{
    bo_walk walk;
    bo_status st = bo_walk_open(&walk, undo, table, false, err);
    while (st == BO_OK) {
        st = bo_walk_next(&walk, err);
        if (st != BO_OK || walk.end)
            break;
        if (walk.target.data)
            bo_fate_drop(&undo->fates[table], walk.id);
    }
    bo_walk_done(&walk);
    return st;
}

const char *bo_undo_predicate(const bo_rollback_options *options, const char *table)
{
    for (size_t i = 0; i < options->where_count; i++)
        if (strcmp(options->where[i].table, table) == 0)
            return options->where[i].predicate;
    return NULL;
}

bo_status bo_undo_choose(bo_undo *undo, bo_error *err)
{
    const bo_rollback_options *options = undo->options;
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        const char *predicate = bo_undo_predicate(options, part->was->name);
        for (uint64_t id = 1; part->left_out && id <= undo->fates[i].entries; id++)
            bo_fate_drop(&undo->fates[i], id);
        if (part->left_out)
            continue;
        if (predicate)
            st = drop_unmet(undo, i, predicate, err);
        if (st == BO_OK && options->only_added)
            st = drop_not_added(undo, i, err);
    }
    return st;
}
