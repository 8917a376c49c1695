/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/following.h - what the files that look for dependents share. */
#ifndef BO_CHANGE_FOLLOWING_H
#define BO_CHANGE_FOLLOWING_H

#include "change/dependents.h"

/** A transaction that wrote a row, as the journal names it: its strings, or copies. */
typedef struct bo_transaction {
    const char *transaction, *user, *application, *run;
    char operation;
    struct bo_transaction *next;
} bo_transaction;

/**
 * A row that may stand in the way: by a tie, or because a cascade may have reached it (`tie` is the
 * number of ties then).  And who, of all that are no members, wrote it, in this order.
 */
typedef struct bo_candidate {
    size_t tie;
    uint32_t table;
    uint32_t parent; /* without a tie: the member that wrote the row last */
    bo_span key, values;
    bo_span shown;      /* the values as they are in the row */
    uint64_t low, high; /* the row of a member that it is tied to, or is */
    bo_transaction *first, *last;
} bo_candidate;

/** The search on its way. */
typedef struct bo_following {
    bo_undo *undo;
    bo_content *content;
    bo_journal_filter members;
    bool chosen; /* the change is told by user and run, else by the position of the seal */
    bo_dependents *found;
    bo_tie *ties;
    size_t tie_count;
    bo_marks transactions; /* of members: their node */

    /* of the round */
    bo_arena *arena;
    bo_marks rows; /* space i: rows of table i; then values of ties, and candidates by row */
    bo_candidate *candidates;
    size_t candidate_count;
    bool *walk; /* per table: something is there to be found in its journal */
    uint32_t table;
    bo_buf key, values;
    uint64_t seen;
} bo_following;

static inline bo_span bo_following_key(const bo_following *f)
{
    return (bo_span){f->key.data, f->key.size};
}

static inline bo_span bo_following_values(const bo_following *f)
{
    return (bo_span){f->values.data, f->values.size};
}

/** Where in `rows` the values of a tie are that members' rows have. */
static inline uint32_t bo_values_space(const bo_following *f, size_t tie)
{
    return f->content->part_count + (uint32_t)tie;
}

/* ---- following.c ---- */
/** The transaction becomes a member, or depends by one row more when it is one already. */
bo_status bo_following_add(bo_following *f, const bo_transaction *writer,
    const bo_dependent_node *how, uint32_t *node_out, bo_error *err);
/** `node` is the last that used the row of a member. */
bo_status bo_following_use(
    bo_following *f, uint64_t low, uint64_t high, uint32_t node, bo_error *err);

/* ---- candidates.c ---- */
/** The row of f->key, in f->table, has the values of a tie, f->values, which `values` marks. */
bo_status bo_candidate_tied(
    bo_following *f, size_t tie, const bo_mark *values, bo_image row, bo_error *err);
/** A cascade of this write may have reached a row of members, or left it as it was. */
bo_status bo_candidate_reached(
    bo_following *f, const bo_journal_row *row, const bo_mark *mark, bo_error *err);
/** Who is no member wrote a row; when it is a candidate, that is noted. */
bo_status bo_candidate_written(bo_following *f, const bo_journal_row *row, bo_error *err);
/** Finds out whose the candidates are; those become members. */
bo_status bo_candidates_judge(bo_following *f, bo_error *err);

#endif
