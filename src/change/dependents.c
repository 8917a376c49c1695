/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/dependents.c - which transactions used what the change, or another dependent, wrote.
 *
 * The members are the change and the dependents known so far.  A round reads, of every captured
 * table, what the members did in sum, what all did, and where these meet who wrote there; that
 * makes new members, until a round finds none.  A row that is as the members left it, or as it was
 * before them, is in nobody's way.
 */
#include "change/following.h"

#include <string.h>

#include "base/step.h"

#define NOBODY UINT32_MAX

enum {              /* flags of rows */
    SEEN = 1,       /* a member has written it */
    IN_THE_WAY = 2, /* it is neither as the members left it nor as it was before */
};
enum { LATE = 1 }; /* of a transaction: not of the change, although it looks so */

static const bo_capture_driver *capture_of(const bo_following *f)
{
    return f->undo->target->conn->driver->capture;
}

static bool is_read(const bo_following *f, uint32_t table)
{
    const bo_part *part = &f->content->parts[table];
    return part->captured && part->now && !part->left_out && !f->undo->journal->broken[table];
}

static uint64_t hash_of(const bo_table *shape, bo_image row)
{
    return row.data ? bo_marks_hash(bo_row_values(shape, row)) : 0;
}

static bo_status breathe(bo_following *f, bo_error *err)
{
    return ++f->seen % 4096 == 0 ? bo_interrupt_check(err) : BO_OK;
}

/* ---- what the members did ---- */

static bo_status note_member(
    bo_following *f, bo_image before, bo_image after, bool mixed, bo_error *err)
{
    const bo_table *shape = bo_part_shape(&f->content->parts[f->table]);
    if (!mixed && before.data && after.data && bo_row_equal(shape, before, after))
        return breathe(f, err); /* written, and in sum not changed: there is nothing to undo */
    bo_status st = bo_row_key(shape, after.data ? after : before, &f->key, err);
    bo_mark *mark = st == BO_OK ? bo_marks_put(&f->rows, f->table, bo_following_key(f)) : NULL;
    if (!mark)
        return st == BO_OK ? bo_nomem(err) : st;
    mark->first = hash_of(shape, after);
    mark->second = hash_of(shape, before);
    mark->flags = mixed ? IN_THE_WAY : 0u;
    f->walk[f->table] = f->walk[f->table] || mixed;
    uint64_t low = mark->low, high = mark->high;
    for (size_t i = 0; st == BO_OK && i < f->tie_count; i++) {
        bool there = false;
        if (f->ties[i].from != f->table)
            continue;
        st = bo_tie_of_member(&f->ties[i], f->content, before, after, &f->values, &there, err);
        if (st != BO_OK || !there)
            continue;
        mark = bo_marks_put(&f->rows, bo_values_space(f, i), bo_following_values(f));
        if (!mark)
            return bo_nomem(err);
        mark->first = low;
        mark->second = high;
    }
    return st == BO_OK ? breathe(f, err) : st;
}

static bo_status note_member_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    return note_member(ctx, change->before, change->after, change->mixed, err);
}

static bo_status note_sealed(bo_following *f, bo_image before, bo_image after, bo_error *err)
{
    if (!is_read(f, f->table))
        return note_member(f, before, after, false, err);
    const bo_table *shape = bo_part_shape(&f->content->parts[f->table]);
    bo_status st = bo_row_key(shape, after.data ? after : before, &f->key, err);
    bo_mark *mark = st == BO_OK ? bo_marks_find(&f->rows, f->table, bo_following_key(f)) : NULL;
    if (mark)
        mark->flags |= SEEN;
    return st == BO_OK ? breathe(f, err) : st;
}

/* The sealed change was all before the journals are walked; what is in no journal is known of it
 * alone. */
static bo_status read_sealed(bo_following *f, bo_error *err)
{
    bo_changes changes;
    bo_status st = bo_changes_open_at(&changes, f->undo->change, f->table, err);
    while (st == BO_OK) {
        st = bo_changes_next(&changes, err);
        if (st != BO_OK || changes.end || changes.table != f->table)
            break;
        st = note_sealed(f, changes.before, changes.after, err);
    }
    bo_changes_done(&changes);
    return st;
}

static bo_status read_members(bo_following *f, uint32_t table, bo_error *err)
{
    const bo_part *part = &f->content->parts[table];
    bo_status st = BO_OK;
    f->table = table;
    if (!part->now || part->left_out)
        return BO_OK;
    if (is_read(f, table))
        st = capture_of(f)->changes(
            f->undo->target->conn, part->now, &f->members, note_member_change, f, err);
    bool sealed = f->content == f->undo->change && !(f->chosen && is_read(f, table));
    return st == BO_OK && sealed ? read_sealed(f, err) : st;
}

/* ---- what all did ---- */

static bo_status note_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    bo_following *f = ctx;
    const bo_table *now = f->content->parts[f->table].now;
    bo_status st =
        bo_row_key(now, change->after.data ? change->after : change->before, &f->key, err);
    if (st != BO_OK)
        return st;
    bo_mark *row = bo_marks_find(&f->rows, f->table, bo_following_key(f));
    uint64_t hash = hash_of(now, change->after);
    if (row && hash != row->first && hash != row->second) {
        row->flags |= IN_THE_WAY;
        f->walk[f->table] = true;
    }
    bool members_own = row && hash == row->first;
    for (size_t i = 0; st == BO_OK && !members_own && i < f->tie_count; i++) {
        bool there = false;
        if (f->ties[i].to != f->table)
            continue;
        st = bo_tie_of_other(
            &f->ties[i], f->content, change->before, change->after, &f->values, &there, err);
        const bo_mark *values =
            st == BO_OK && there
                ? bo_marks_find(&f->rows, bo_values_space(f, i), bo_following_values(f))
                : NULL;
        if (values)
            st = bo_candidate_tied(
                f, i, values, change->after.data ? change->after : change->before, err);
    }
    return st == BO_OK ? breathe(f, err) : st;
}

static bo_status read_all(bo_following *f, uint32_t table, bo_error *err)
{
    const bo_journal_filter all = {.from = f->members.from};
    f->table = table;
    return is_read(f, table) ? capture_of(f)->changes(f->undo->target->conn,
                                   f->content->parts[table].now, &all, note_change, f, err)
                             : BO_OK;
}

/* ---- who wrote there ---- */

static bool is_of_change(const bo_following *f, const bo_journal_row *row, bo_mark *transaction)
{
    const bo_journal_filter *members = &f->members;
    if (!f->chosen || (transaction && transaction->flags & LATE))
        return false;
    return (!members->run || strcmp(members->run, row->run) == 0) &&
           (!members->user || strcmp(members->user, row->user) == 0);
}

static uint32_t member_of(const bo_following *f, const bo_journal_row *row)
{
    bo_span name = {(const uint8_t *)row->transaction, strlen(row->transaction)};
    bo_mark *mark = bo_marks_find(&f->transactions, 0, name);
    if (is_of_change(f, row, mark))
        return 0;
    return mark && mark->node ? mark->node : NOBODY;
}

/* Somebody wrote a row that members had written before. */
static bo_status note_overwrite(
    bo_following *f, const bo_journal_row *row, bo_mark *mark, uint32_t node, bo_error *err)
{
    bo_transaction writer = {
        row->transaction, row->user, row->application, row->run, row->operation, NULL};
    bo_dependent_node how = {.parent = mark->node, .table = f->table, .key = row->key};
    bo_status st = BO_OK;
    if (node == NOBODY && row->operation == 'C')
        return bo_candidate_reached(f, row, mark, err);
    if (node == NOBODY || (node && node != mark->node))
        st = bo_following_add(f, &writer, &how, &node, err);
    if (st == BO_OK && node)
        st = bo_following_use(f, mark->low, mark->high, node, err);
    mark->node = node;
    return st;
}

static bo_status note_write(void *ctx, const bo_journal_row *row, bo_error *err)
{
    bo_following *f = ctx;
    uint32_t node = member_of(f, row);
    bo_mark *mark = bo_marks_find(&f->rows, f->table, row->key);
    bo_status st = BO_OK;
    if (mark && mark->flags & SEEN && mark->flags & IN_THE_WAY) {
        st = note_overwrite(f, row, mark, node, err);
    } else if (mark && node != NOBODY) {
        mark->flags |= SEEN;
        mark->node = node;
    } else if (node == NOBODY) {
        st = bo_candidate_written(f, row, err);
    }
    return st == BO_OK ? breathe(f, err) : st;
}

static bo_status walk_journal(bo_following *f, uint32_t table, bo_error *err)
{
    if (!f->walk[table] || !is_read(f, table))
        return BO_OK;
    f->table = table;
    const char *from = f->chosen ? f->members.from : f->members.to;
    return capture_of(f)->walk(
        f->undo->target->conn, f->content->parts[table].now, from, note_write, f, err);
}

/* ---- rounds ---- */

/* Transactions that look like the change's but were not over when it was sealed. */
static bo_status note_late(void *ctx, const bo_journal_row *row, bo_error *err)
{
    bo_following *f = ctx;
    if (!is_of_change(f, row, NULL))
        return BO_OK;
    bo_span name = {(const uint8_t *)row->transaction, strlen(row->transaction)};
    bo_mark *mark = bo_marks_put(&f->transactions, 0, name);
    if (!mark)
        return bo_nomem(err);
    mark->flags |= LATE;
    return BO_OK;
}

static bo_status find_late(bo_following *f, bo_error *err)
{
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && f->chosen && f->members.to && i < f->content->part_count;
         i++)
        if (is_read(f, i))
            st = capture_of(f)->walk(
                f->undo->target->conn, f->content->parts[i].now, f->members.to, note_late, f, err);
    return st;
}

static bo_status one_round(bo_following *f, bo_error *err)
{
    uint32_t count = f->content->part_count;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    f->arena = arena;
    f->walk = arena ? bo_arena_array(arena, (size_t)count + 1, sizeof *f->walk) : NULL;
    if (!f->walk)
        return bo_nomem(err);
    bo_marks_clear(&f->rows);
    f->candidates = NULL;
    f->candidate_count = 0;
    f->members.transactions = f->found->transactions;
    f->members.transaction_count = f->found->count - 1;
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < count; i++)
        st = read_members(f, i, err);
    for (uint32_t i = 0; st == BO_OK && i < count; i++)
        st = read_all(f, i, err);
    for (uint32_t i = 0; st == BO_OK && i < count; i++)
        st = walk_journal(f, i, err);
    return st == BO_OK ? bo_candidates_judge(f, err) : st;
}

static bo_status all_rounds(bo_following *f, bo_error *err)
{
    bo_status st = find_late(f, err);
    for (size_t known = 0; st == BO_OK && known < f->found->count;) {
        known = f->found->count;
        st = one_round(f, err);
    }
    bo_marks_done(&f->transactions);
    bo_marks_done(&f->rows);
    bo_buf_done(&f->key);
    bo_buf_done(&f->values);
    return st;
}

bo_status bo_undo_find_dependents(bo_undo *undo, bo_error *err)
{
    bo_following f = {.undo = undo, .content = bo_undo_base(undo)};
    f.found = bo_arena_alloc(undo->arena, sizeof *f.found);
    if (!f.found)
        return bo_nomem(err);
    f.found->nodes = bo_arena_grow(undo->arena, NULL, 0, sizeof *f.found->nodes);
    if (!f.found->nodes)
        return bo_nomem(err);
    f.found->nodes[f.found->count++] = (bo_dependent_node){.transaction = ""};
    undo->dependents = f.found;
    if (!undo->journal)
        return BO_OK;
    bo_status st = bo_undo_writers_filter(undo, &f.members, err);
    f.chosen = f.members.run || f.members.user;
    if (st == BO_OK && !f.chosen && !f.members.to)
        st = bo_fail(
            err, BO_REFUSED, "where the journals were when the point was sealed is not known");
    if (st == BO_OK)
        st = bo_ties_of(f.content, undo->arena, &f.ties, &f.tie_count, err);
    if (st == BO_OK)
        st = all_rounds(&f, err);
    return st == BO_OK ? BO_OK
                       : bo_wrap(err, st, "who used what the change wrote cannot be found out");
}

void bo_dependents_done(bo_dependents *dependents)
{
    if (dependents)
        bo_marks_done(&dependents->used);
}
