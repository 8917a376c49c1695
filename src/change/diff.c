/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/diff.c - snapshot against now: ranges, residues, one sort, one merge. */
#include "change/diff.h"

#include <string.h>

#include "base/step.h"
#include "change/chosen.h"
#include "change/residue.h"
#include "change/sort.h"
#include "change/sweep.h"

#define WORKERS_MAX 17u
#define SORT_MEMORY (4u << 20)

struct worker {
    bo_residue residue;
    bo_frame_reader *reader;
    bo_buf key;
};

struct diff {
    bo_session *session;
    bo_content *content;
    const char *scratch;
    struct worker workers[WORKERS_MAX];
    bo_sorter *before; /* rows that are in the snapshot only, so far as ranges can tell */
    bo_sorter *now;
    bo_diff_result *result;
    pthread_mutex_t lock; /* of result->now */
    bo_meter meter;
};

/* Records are sorted by table number, then key. */
static bo_status add_row(bo_sorter *sorter, uint32_t table, const bo_table *was, bo_image row,
    bo_buf *key, bo_error *err)
{
    bo_status st = bo_row_key(was, row, key, err);
    if (st != BO_OK)
        return st;
    if (!bo_buf_reserve(key, 4))
        return bo_nomem(err);
    memmove(key->data + 4, key->data, key->size);
    bo_put_u32(key->data, table);
    return bo_sorter_add(sorter, (bo_span){key->data, key->size + 4}, row, err);
}

struct range_ctx {
    struct diff *diff;
    struct worker *worker;
    uint32_t table;
};

static bo_status note_row(void *ctx, bo_image row, bo_error *err)
{
    struct range_ctx *range = ctx;
    return bo_residue_add(
        &range->worker->residue, range->diff->content->parts[range->table].was, row, err);
}

static bo_status add_before(void *ctx, bo_image row, bo_error *err)
{
    struct range_ctx *range = ctx;
    return add_row(range->diff->before, range->table, range->diff->content->parts[range->table].was,
        row, &range->worker->key, err);
}

static bo_status add_now(void *ctx, bo_image row, bo_error *err)
{
    struct range_ctx *range = ctx;
    return add_row(range->diff->now, range->table, range->diff->content->parts[range->table].was,
        row, &range->worker->key, err);
}

static bo_status emit_now(void *ctx, bo_image row, bo_error *err)
{
    struct range_ctx *range = ctx;
    if (!range->worker->residue.too_many && !bo_residue_take(&range->worker->residue,
                                                range->diff->content->parts[range->table].was, row))
        return BO_OK;
    return add_now(range, row, err);
}

/* Rows of the snapshot's range: those that are also there now cancel, the rest is before-only. */
static bo_status emit_before(struct range_ctx *range, uint32_t number, bo_error *err)
{
    struct diff *diff = range->diff;
    struct worker *worker = range->worker;
    bo_status st = BO_OK;
    for (uint32_t f = diff->content->first_frame[number]; st == BO_OK && f != UINT32_MAX;
         f = diff->content->next_frame[f]) {
        st = bo_content_load(diff->content, worker->reader, f, err);
        bool end = false;
        while (st == BO_OK) {
            bo_image row;
            st = bo_frame_reader_row(worker->reader, &row, &end, err);
            if (st != BO_OK || end)
                break;
            if (worker->residue.too_many ||
                !bo_residue_take(&worker->residue, diff->content->parts[range->table].was, row))
                st = add_before(range, row, err);
        }
    }
    return st;
}

/* Rows of now that are in this range only.  Too many to keep: they are read once more. */
static bo_status emit_rest(
    struct range_ctx *range, bo_conn *conn, const bo_scan *scan, bo_error *err)
{
    bo_residue *residue = &range->worker->residue;
    if (residue->overflow)
        return conn->driver->scan(conn, scan, emit_now, range, err);
    return bo_residue_rest(residue, add_now, range, err);
}

static bo_status compare_range(
    void *ctx, uint32_t worker_number, bo_conn *conn, const bo_job *job, bo_error *err)
{
    struct diff *diff = ctx;
    struct worker *worker = &diff->workers[worker_number];
    const bo_part *part = &diff->content->parts[job->table];
    struct range_ctx range = {diff, worker, job->table};
    bo_scan scan = {.table = part->now, .shape = part->was, .range = job->id};
    bo_residue_clear(&worker->residue);
    bo_status st = part->now ? conn->driver->scan(conn, &scan, note_row, &range, err) : BO_OK;
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read table '%s'", part->was->name);
    const bo_digest none = {0};
    const bo_digest *was = job->range == BO_JOB_NEW
                               ? &none
                               : &bo_pack_get_range(diff->content->pack, job->range)->digest;
    if (!bo_digest_equal(was, &worker->residue.stored)) {
        st = bo_residue_index(&worker->residue, err);
        if (st == BO_OK && job->range != BO_JOB_NEW)
            st = emit_before(&range, job->range, err);
        if (st == BO_OK && part->now)
            st = emit_rest(&range, conn, &scan, err);
        if (st != BO_OK)
            return st;
    }
    if (diff->result && diff->result->now) {
        pthread_mutex_lock(&diff->lock);
        bo_digest_merge(&diff->result->now[job->table], &worker->residue.digest);
        pthread_mutex_unlock(&diff->lock);
    }
    bo_meter_add(&diff->meter, part->was->name, worker->residue.digest.rows, 0);
    return BO_OK;
}

static bo_status list_jobs(struct diff *diff, bo_target *target, bo_jobs *jobs, bo_error *err)
{
    bo_content *content = diff->content;
    uint32_t ranges = bo_pack_range_count(content->pack);
    bo_span *known = bo_arena_array(jobs->arena, (size_t)ranges + 1, sizeof *known);
    if (!known)
        return bo_nomem(err);
    for (uint32_t table = 0; table < content->part_count; table++) {
        const bo_part *part = &content->parts[table];
        if (part->left_out || part->predicate || part->bulk || part->journal)
            continue;
        size_t known_count = 0;
        for (uint32_t i = 0; i < ranges; i++) {
            const bo_pack_range *range = bo_pack_get_range(content->pack, i);
            if (range->table != table)
                continue;
            known[known_count++] = range->id;
            bo_status st = bo_jobs_add(jobs, table, i, range->id, err);
            if (st != BO_OK)
                return st;
        }
        bo_status st =
            part->now ? bo_jobs_add_ranges(jobs, target->conn, table, part, known, known_count, err)
                      : BO_OK;
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

/* Parts with a predicate: their rows of now are found by key, see chosen.h. */
static bo_status compare_chosen(struct diff *diff, bo_target *target, bo_error *err)
{
    for (uint32_t i = 0; i < diff->content->part_count; i++) {
        const bo_part *part = &diff->content->parts[i];
        if (!part->predicate || part->left_out || !part->now)
            continue;
        uint64_t entered = 0;
        struct range_ctx range = {diff, &diff->workers[0], i};
        bo_chosen chosen = {.before = add_before, .now = add_now, .ctx = &range};
        bo_status st =
            bo_chosen_rows(target, diff->scratch, diff->content, i, &chosen, &entered, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot read the chosen rows of table '%s'", part->was->name);
        if (diff->result && diff->result->entered)
            diff->result->entered[i] = entered;
    }
    return BO_OK;
}

/* ---- parts whose writes are read from the journal ---- */

static bo_status add_captured(void *ctx, const bo_journal_change *change, bo_error *err)
{
    struct range_ctx *range = ctx;
    struct diff *diff = range->diff;
    bo_status st = change->before.data ? add_before(range, change->before, err) : BO_OK;
    if (st == BO_OK && change->after.data)
        st = add_now(range, change->after, err);
    if (st != BO_OK)
        return st;
    bo_meter_add(&diff->meter, diff->content->parts[range->table].was->name, 1, 0);
    if (!change->mixed || !diff->result || !diff->result->mixed)
        return BO_OK;
    bo_buf *key = &range->worker->key; /* of the sorted record: a table number before it */
    return bo_mixed_add(&diff->result->mixed[range->table], diff->content->arena,
        (bo_span){key->data + 4, key->size}, err);
}

static bo_status compare_captured(struct diff *diff, bo_target *target, bo_error *err)
{
    bo_conn *conn = target->conn;
    for (uint32_t i = 0; i < diff->content->part_count; i++) {
        const bo_part *part = &diff->content->parts[i];
        if (!part->journal || part->left_out || !part->now)
            continue;
        struct range_ctx range = {diff, &diff->workers[0], i};
        bo_status st = conn->driver->capture->changes(
            conn, part->now, part->journal, add_captured, &range, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot read the journal of table '%s'", part->was->name);
        if (diff->result && diff->result->mixed)
            bo_mixed_sort(&diff->result->mixed[i]);
    }
    return BO_OK;
}

static uint32_t record_table(bo_span key)
{
    return bo_get_u32(key.data);
}

static bo_status merge(struct diff *diff, bo_change_fn *each, void *ctx, bo_error *err)
{
    bo_span before_key = {0}, now_key = {0};
    bo_image before = {0}, now = {0};
    bool have_before = false, have_now = false;
    bo_status st = bo_sorter_finish(diff->before, err);
    if (st == BO_OK)
        st = bo_sorter_finish(diff->now, err);
    if (st == BO_OK)
        st = bo_sorter_next(diff->before, &before_key, &before, &have_before, err);
    if (st == BO_OK)
        st = bo_sorter_next(diff->now, &now_key, &now, &have_now, err);
    while (st == BO_OK && (have_before || have_now)) {
        int order = !have_now ? -1 : !have_before ? 1 : bo_span_compare(before_key, now_key);
        bool take_before = order <= 0, take_now = order >= 0;
        uint32_t table = record_table(take_before ? before_key : now_key);
        const bo_part *part = &diff->content->parts[table];
        bool told = part->journal && diff->result && diff->result->resting;
        if (order != 0 || told || !bo_row_equal(part->was, before, now))
            st = each(ctx, table, take_before ? before : (bo_image){0},
                take_now ? now : (bo_image){0}, err);
        if (st == BO_OK)
            st = bo_interrupt_check(err);
        if (st == BO_OK && take_before)
            st = bo_sorter_next(diff->before, &before_key, &before, &have_before, err);
        if (st == BO_OK && take_now)
            st = bo_sorter_next(diff->now, &now_key, &now, &have_now, err);
    }
    return st;
}

static bo_status collect(struct diff *diff, bo_target *target, uint32_t workers, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_jobs jobs = {.arena = arena};
    bo_status st = list_jobs(diff, target, &jobs, err);
    if (st == BO_OK)
        st = bo_sweep(target, &jobs, workers, compare_range, diff, err);
    if (st == BO_OK)
        st = compare_chosen(diff, target, err);
    if (st == BO_OK)
        st = compare_captured(diff, target, err);
    return st;
}

bo_status bo_diff(bo_session *session, bo_target *target, bo_content *content, uint32_t workers,
    bo_change_fn *each, void *ctx, bo_diff_result *result, bo_error *err)
{
    struct diff diff = {.session = session, .content = content, .result = result};
    const char *scratch = NULL;
    bo_status st = bo_repository_scratch(session->repository, &scratch, err);
    BO_OWN(bo_sorter) *before = NULL;
    BO_OWN(bo_sorter) *now = NULL;
    if (st == BO_OK)
        st = bo_sorter_create(scratch, SORT_MEMORY, &before, err);
    if (st == BO_OK)
        st = bo_sorter_create(scratch, SORT_MEMORY, &now, err);
    diff.scratch = scratch;
    diff.before = before;
    diff.now = now;
    if (workers > WORKERS_MAX)
        workers = WORKERS_MAX;
    for (uint32_t i = 0; st == BO_OK && i < workers; i++)
        st = bo_frame_reader_create(content->pack, &diff.workers[i].reader, err);
    pthread_mutex_init(&diff.lock, NULL);
    bo_meter_start(
        &diff.meter, session, result && result->operation ? result->operation : "diff", 0);
    if (st == BO_OK)
        st = collect(&diff, target, workers, err);
    pthread_mutex_destroy(&diff.lock);
    for (uint32_t i = 0; i < workers; i++) {
        bo_frame_reader_free(diff.workers[i].reader);
        bo_residue_done(&diff.workers[i].residue);
        bo_buf_done(&diff.workers[i].key);
    }
    return st == BO_OK ? merge(&diff, each, ctx, err) : st;
}
