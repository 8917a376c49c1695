/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/candidates.c - rows that may stand in the way, and which of those who wrote them it
 * was. */
#include <string.h>

#include "change/following.h"

/* Where in `rows` the candidates of f->table are, of a tie or without one. */
static uint32_t candidate_space(const bo_following *f, size_t tie)
{
    uint32_t first = bo_values_space(f, f->tie_count);
    return first + (uint32_t)tie + (tie == f->tie_count ? f->table : 0);
}

static bool has_tie(const bo_following *f, const bo_candidate *candidate)
{
    return candidate->tie < f->tie_count;
}

/* ---- noting them ---- */

static bo_status add_candidate(bo_following *f, bo_candidate candidate, bo_span key, bo_error *err)
{
    bo_candidate *candidates =
        bo_arena_grow(f->arena, f->candidates, f->candidate_count, sizeof *candidates);
    if (!candidates)
        return bo_nomem(err);
    f->candidates = candidates;
    bo_status st = bo_span_keep(f->arena, key, &candidate.key, err);
    bo_mark *mark =
        st == BO_OK ? bo_marks_put(&f->rows, candidate_space(f, candidate.tie), key) : NULL;
    if (!mark)
        return st == BO_OK ? bo_nomem(err) : st;
    mark->first = f->candidate_count;
    candidates[f->candidate_count++] = candidate;
    return BO_OK;
}

static bo_candidate *find_candidate(const bo_following *f, size_t tie, bo_span key)
{
    const bo_mark *mark = bo_marks_find(&f->rows, candidate_space(f, tie), key);
    return mark ? &f->candidates[mark->first] : NULL;
}

bo_status bo_candidate_tied(
    bo_following *f, size_t tie, const bo_mark *values, bo_image row, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) shown = {0};
    bo_candidate candidate = {
        .tie = tie, .table = f->table, .low = values->first, .high = values->second};
    bo_image_project(&shown, row, f->ties[tie].to_columns, f->ties[tie].count);
    bo_status st = bo_buf_check(&shown, err);
    if (st == BO_OK)
        st = bo_span_keep(f->arena, bo_following_values(f), &candidate.values, err);
    if (st == BO_OK)
        st = bo_span_keep(f->arena, (bo_span){shown.data, shown.size}, &candidate.shown, err);
    if (st != BO_OK)
        return st;
    f->walk[f->table] = true;
    if (f->found->count > 1) /* which of the members wrote the row that it is tied to? */
        f->walk[f->ties[tie].from] = true;
    return add_candidate(f, candidate, bo_following_key(f), err);
}

static bo_status add_writer(
    bo_following *f, bo_candidate *candidate, const bo_journal_row *row, bo_error *err)
{
    if (candidate->last && strcmp(candidate->last->transaction, row->transaction) == 0)
        return BO_OK;
    bo_transaction *writer = bo_arena_alloc(f->arena, sizeof *writer);
    if (!writer)
        return bo_nomem(err);
    *writer = (bo_transaction){.transaction = bo_arena_str(f->arena, row->transaction),
        .user = bo_arena_str(f->arena, row->user),
        .application = bo_arena_str(f->arena, row->application),
        .run = bo_arena_str(f->arena, row->run),
        .operation = row->operation};
    if (!writer->transaction || !writer->user || !writer->application || !writer->run)
        return bo_nomem(err);
    if (candidate->last)
        candidate->last->next = writer;
    else
        candidate->first = writer;
    candidate->last = writer;
    return BO_OK;
}

bo_status bo_candidate_written(bo_following *f, const bo_journal_row *row, bo_error *err)
{
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < f->tie_count; i++) {
        bo_candidate *candidate = f->ties[i].to == f->table ? find_candidate(f, i, row->key) : NULL;
        if (candidate)
            st = add_writer(f, candidate, row, err);
    }
    return st;
}

bo_status bo_candidate_reached(
    bo_following *f, const bo_journal_row *row, const bo_mark *mark, bo_error *err)
{
    bo_candidate candidate = {.tie = f->tie_count,
        .table = f->table,
        .parent = mark->node,
        .low = mark->low,
        .high = mark->high};
    bo_status st = find_candidate(f, f->tie_count, row->key)
                       ? BO_OK
                       : add_candidate(f, candidate, row->key, err);
    return st == BO_OK ? add_writer(f, find_candidate(f, f->tie_count, row->key), row, err) : st;
}

/* ---- whose they are ---- */

struct asking {
    bo_following *f;
    const bo_transaction *writer;
};

static bo_status join(
    bo_following *f, const bo_candidate *candidate, const bo_transaction *writer, bo_error *err)
{
    bool tied = has_tie(f, candidate);
    const bo_mark *row = bo_marks_find_hash(&f->rows, candidate->low, candidate->high);
    bo_dependent_node how = {.parent = !tied ? candidate->parent
                                       : row ? row->node
                                             : 0,
        .table = candidate->table,
        .key = candidate->key,
        .tie = tied ? &f->ties[candidate->tie] : NULL,
        .values = candidate->shown};
    uint32_t node = 0;
    bo_status st = bo_following_add(f, writer, &how, &node, err);
    bool later = !tied && bo_marks_find_hash(&f->found->used, candidate->low, candidate->high);
    return st == BO_OK && !later ? bo_following_use(f, candidate->low, candidate->high, node, err)
                                 : st;
}

/* Did this write give the candidate its values, or change the row at all? */
static bo_status is_it(bo_following *f, const bo_candidate *candidate,
    const bo_journal_change *change, bool *out, bo_error *err)
{
    if (!has_tie(f, candidate)) {
        bool both = change->before.data && change->after.data;
        *out =
            !both || !bo_row_equal(f->content->parts[f->table].now, change->before, change->after);
        return BO_OK;
    }
    bo_status st = bo_tie_of_other(
        &f->ties[candidate->tie], f->content, change->before, change->after, &f->values, out, err);
    *out = st == BO_OK && *out && bo_span_compare(bo_following_values(f), candidate->values) == 0;
    return st;
}

static bo_status check_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    struct asking *asking = ctx;
    bo_following *f = asking->f;
    bo_status st = bo_row_key(f->content->parts[f->table].now,
        change->after.data ? change->after : change->before, &f->key, err);
    for (size_t i = 0; st == BO_OK && i <= f->tie_count; i++) {
        bool here = i == f->tie_count || f->ties[i].to == f->table, found = false;
        const bo_candidate *candidate = here ? find_candidate(f, i, bo_following_key(f)) : NULL;
        if (candidate)
            st = is_it(f, candidate, change, &found, err);
        if (st == BO_OK && found)
            st = join(f, candidate, asking->writer, err);
    }
    return st;
}

/* Each is asked what it alone did; once, whatever the number of candidates. */
static bo_status ask_writers(
    bo_following *f, const bo_candidate *candidate, bo_marks *asked, bo_error *err)
{
    bo_conn *conn = f->undo->target->conn;
    bo_status st = BO_OK;
    f->table = candidate->table;
    for (const bo_transaction *w = candidate->first; st == BO_OK && w; w = w->next) {
        bo_span name = {(const uint8_t *)w->transaction, strlen(w->transaction)};
        bo_mark *mark = bo_marks_put(asked, candidate->table, name);
        if (!mark)
            return bo_nomem(err);
        if (mark->flags)
            continue;
        mark->flags = 1;
        const bo_journal_filter only = {.from = f->members.from,
            .transactions = &w->transaction,
            .transaction_count = 1,
            .only_transactions = true};
        struct asking asking = {f, w};
        st = conn->driver->capture->changes(
            conn, f->content->parts[f->table].now, &only, check_change, &asking, err);
    }
    return st;
}

bo_status bo_candidates_judge(bo_following *f, bo_error *err)
{
    bo_marks asked = {0};
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < f->candidate_count; i++) {
        const bo_candidate *candidate = &f->candidates[i];
        bool sure = has_tie(f, candidate) && candidate->first == candidate->last;
        if (candidate->first && sure)
            st = join(f, candidate, candidate->first, err);
        else if (candidate->first)
            st = ask_writers(f, candidate, &asked, err);
    }
    bo_marks_done(&asked);
    return st;
}
