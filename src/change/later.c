/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/later.c - the diff from the point to now, less the change.
 *
 * Both come in the order of (table, key) and are merged.  A row in neither is as it was; one in the
 * diff alone was changed by others; one in the change alone is as it was at the point; of one in
 * both, what the change left is compared with what is there.
 *
 * How a row was at the point that is in the change alone: as the change met it, where the change is
 * all that happened until the seal.  A run is one writer among others: it may have met a row that
 * others had written since the point.  Then the snapshot is looked into; where the rows are not
 * stored, the diff is made of journals, and these name every row that was written.
 */
#include "change/later.h"

#include <string.h>

#include "base/step.h"
#include "change/sort.h"

#define SORT_MEMORY (2u << 20)
#define MARKS       (8u << 20) /* bits */

/* Rows of one table that the change of a run touched and that are as at the point. */
struct resting {
    uint32_t table;
    bo_sorter *left; /* what the change left, by key; NULL: no row rests */
    uint8_t *marks;  /* bits of the keys' hashes */
    bo_buf key;      /* of a row of the snapshot */
};

struct later {
    bo_content *snapshot;
    const char *scratch;
    bo_changes change;
    bo_buf key, change_key;
    bool of_run; /* the change of captured tables is what one run wrote */
    struct resting resting;
    bo_change_fn *each;
    void *ctx;
};

static bo_status give(
    struct later *later, uint32_t table, bo_image expected, bo_image now, bo_error *err)
{
    return bo_row_same(later->snapshot->parts[table].was, expected, now)
               ? BO_OK
               : later->each(later->ctx, table, expected, now, err);
}

/* ---- resting rows: the snapshot tells how they are ---- */

static uint32_t mark_of(bo_span key)
{
    bo_checksum hash = bo_checksum_of(key.data, key.size);
    return bo_get_u32(hash.bytes) % MARKS;
}

static void resting_done(struct resting *resting)
{
    bo_sorter_free(resting->left);
    free(resting->marks);
    bo_buf_done(&resting->key);
    *resting = (struct resting){0};
}

/* The current row of the change. */
static bo_status rest(struct later *later, bo_error *err)
{
    struct resting *resting = &later->resting;
    bo_status st = BO_OK;
    if (!resting->left) {
        resting->table = later->change.table;
        resting->marks = calloc(MARKS / 8, 1);
        st = resting->marks ? bo_sorter_create(later->scratch, SORT_MEMORY, &resting->left, err)
                            : bo_nomem(err);
    }
    if (st != BO_OK)
        return st;
    bo_span key = {later->change_key.data, later->change_key.size};
    uint32_t mark = mark_of(key);
    resting->marks[mark / 8] |= (uint8_t)(1u << mark % 8);
    return bo_sorter_add(resting->left, key, later->change.after, err);
}

/* Rows of the snapshot that may be meant. */
static bo_status keep_marked(
    struct later *later, bo_frame_reader *reader, bo_sorter *then, bo_error *err)
{
    struct resting *resting = &later->resting;
    const bo_table *was = later->snapshot->parts[resting->table].was;
    bool end = false;
    bo_status st = BO_OK;
    while (st == BO_OK) {
        bo_image row;
        st = bo_frame_reader_row(reader, &row, &end, err);
        if (st != BO_OK || end)
            break;
        st = bo_row_key(was, row, &resting->key, err);
        bo_span key = {resting->key.data, resting->key.size};
        uint32_t mark = st == BO_OK ? mark_of(key) : 0;
        if (st == BO_OK && resting->marks[mark / 8] >> mark % 8 & 1)
            st = bo_sorter_add(then, key, row, err);
    }
    return st;
}

static bo_status read_then(struct later *later, bo_sorter *then, bo_error *err)
{
    const bo_content *snapshot = later->snapshot;
    BO_OWN(bo_frame_reader) *reader = NULL;
    bo_status st = bo_frame_reader_create(snapshot->pack, &reader, err);
    for (uint32_t i = 0; st == BO_OK && i < bo_pack_range_count(snapshot->pack); i++) {
        if (bo_pack_get_range(snapshot->pack, i)->table != later->resting.table)
            continue;
        for (uint32_t f = snapshot->first_frame[i]; st == BO_OK && f != UINT32_MAX;
             f = snapshot->next_frame[f]) {
            st = bo_content_load(snapshot, reader, f, err);
            if (st == BO_OK)
                st = keep_marked(later, reader, then, err);
            if (st == BO_OK)
                st = bo_interrupt_check(err);
        }
    }
    return st;
}

/* Each row that rests, beside its row of the point. */
static bo_status give_resting(struct later *later, bo_sorter *then, bo_error *err)
{
    struct resting *resting = &later->resting;
    bo_span key = {0}, then_key = {0};
    bo_image after = {0}, row = {0};
    bool more = false, have_then = false;
    bo_status st = bo_sorter_finish(resting->left, err);
    if (st == BO_OK)
        st = bo_sorter_finish(then, err);
    if (st == BO_OK)
        st = bo_sorter_next(then, &then_key, &row, &have_then, err);
    if (st == BO_OK)
        st = bo_sorter_next(resting->left, &key, &after, &more, err);
    while (st == BO_OK && more) {
        int order = have_then ? bo_span_compare(then_key, key) : 1;
        if (order < 0) {
            st = bo_sorter_next(then, &then_key, &row, &have_then, err);
            continue;
        }
        st = give(later, resting->table, after.size ? after : (bo_image){0},
            order == 0 ? row : (bo_image){0}, err);
        if (st == BO_OK)
            st = bo_sorter_next(resting->left, &key, &after, &more, err);
    }
    return st;
}

static bo_status settle(struct later *later, bo_error *err)
{
    if (!later->resting.left)
        return BO_OK;
    BO_OWN(bo_sorter) *then = NULL;
    bo_status st = bo_sorter_create(later->scratch, SORT_MEMORY, &then, err);
    if (st == BO_OK)
        st = read_then(later, then, err);
    if (st == BO_OK)
        st = give_resting(later, then, err);
    resting_done(&later->resting);
    return st;
}

/* ---- the merge ---- */

static bo_status next_change(struct later *later, bo_error *err)
{
    bo_changes *change = &later->change;
    bo_status st = bo_changes_next(change, err);
    if (st != BO_OK || change->end)
        return st;
    return bo_row_key(later->snapshot->parts[change->table].was,
        change->before.data ? change->before : change->after, &later->change_key, err);
}

static int compare_place(const struct later *later, uint32_t table, bo_span key)
{
    if (later->change.table != table)
        return later->change.table < table ? -1 : 1;
    return bo_span_compare((bo_span){later->change_key.data, later->change_key.size}, key);
}

/* The current row of the change is as it was at the point. */
static bo_status take_resting(struct later *later, bo_error *err)
{
    const bo_changes *change = &later->change;
    const bo_part *part = &later->snapshot->parts[change->table];
    bo_status st = BO_OK;
    if (later->resting.left && later->resting.table != change->table)
        st = settle(later, err);
    if (st != BO_OK || part->left_out)
        return st == BO_OK ? next_change(later, err) : st;
    if (!later->of_run || !part->captured)
        st = give(later, change->table, change->after, change->before, err);
    else if (part->journal) /* of what was written the diff names all but what is not there */
        st = give(later, change->table, change->after, (bo_image){0}, err);
    else
        st = rest(later, err);
    return st == BO_OK ? next_change(later, err) : st;
}

/* Rows of the change before this place are not in the diff. */
static bo_status pass(struct later *later, uint32_t table, bo_span key, bo_error *err)
{
    bo_status st = BO_OK;
    while (st == BO_OK && !later->change.end && compare_place(later, table, key) < 0)
        st = take_resting(later, err);
    return st == BO_OK && later->resting.left && later->resting.table != table ? settle(later, err)
                                                                               : st;
}

static bo_status take_difference(
    void *ctx, uint32_t table, bo_image before, bo_image now, bo_error *err)
{
    struct later *later = ctx;
    const bo_table *was = later->snapshot->parts[table].was;
    bo_status st = bo_row_key(was, before.data ? before : now, &later->key, err);
    bo_span key = {later->key.data, later->key.size};
    if (st == BO_OK)
        st = pass(later, table, key, err);
    bo_changes *change = &later->change;
    /* equal rows of a table without key: one more and one less do not belong together */
    while (st == BO_OK && !was->row_key && !change->end && compare_place(later, table, key) == 0 &&
           !change->before.data != !before.data)
        st = take_resting(later, err);
    if (st != BO_OK)
        return st;
    if (change->end || compare_place(later, table, key) != 0)
        return give(later, table, before, now, err);
    st = give(later, table, change->after, now, err);
    return st == BO_OK ? next_change(later, err) : st;
}

static bool is_of_run(const bo_point_record *record)
{
    BO_OWN(json_ref) *details = json_loads(record->details, 0, NULL);
    return json_object_get(json_object_get(details, "capture"), "run") != NULL;
}

bo_status bo_later_rows(bo_session *session, bo_target *target, const bo_point_record *record,
    bo_content *snapshot, bo_change_fn *each, void *ctx, bo_diff_result *result, bo_error *err)
{
    struct later later = {
        .snapshot = snapshot, .of_run = is_of_run(record), .each = each, .ctx = ctx};
    BO_OWN(bo_content) *change = NULL;
    result->resting = later.of_run;
    bo_status st = bo_repository_scratch(session->repository, &later.scratch, err);
    if (st == BO_OK)
        st = bo_content_open_of(session, record, true, &change, err);
    if (st == BO_OK)
        st = bo_changes_open(&later.change, change, err);
    if (st == BO_OK)
        st = next_change(&later, err);
    if (st == BO_OK)
        st = bo_diff(session, target, snapshot, bo_target_workers(target), take_difference, &later,
            result, err);
    if (st == BO_OK)
        st = pass(&later, UINT32_MAX, (bo_span){0}, err);
    resting_done(&later.resting);
    bo_changes_done(&later.change);
    bo_buf_done(&later.key);
    bo_buf_done(&later.change_key);
    return st;
}
