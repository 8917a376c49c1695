/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/dependents.h - the transactions that used what a change wrote:
 * docs/design/backout-modes.md.
 *
 * They are found in the journals, so only captured tables have them.
 */
#ifndef BO_CHANGE_DEPENDENTS_H
#define BO_CHANGE_DEPENDENTS_H

#include "change/marks.h"
#include "change/ties.h"
#include "change/undo.h"

/** A dependent transaction, and the first row by which it depends. */
typedef struct bo_dependent_node {
    const char *transaction, *user, *application, *run;
    uint32_t parent;   /* position of what it depends on */
    uint64_t rows;     /* by which it depends on that */
    uint32_t table;    /* of the row it wrote */
    bo_span key;       /* of that row, as bo_row_key() makes it */
    char operation;    /* what it did to the row, as in the journal */
    const bo_tie *tie; /* NULL: the row is one that its parent wrote */
    bo_span values;    /* of the tie, as they are in that row */
} bo_dependent_node;

typedef struct bo_dependents {
    size_t count; /* with nodes[0], which is the change itself; parents come before */
    bo_dependent_node *nodes;
    const char **transactions; /* of nodes[1] and on; one less than `count` */
    bo_marks used;             /* rows that are undone: the node that used it last */
} bo_dependents;
void bo_dependents_done(bo_dependents *dependents);

/** Finds all dependents of the change into undo->dependents, the more often in reading the journals
 * the longer the chain.  Nothing is captured: none. Inside the transaction. */
bo_status bo_undo_find_dependents(bo_undo *undo, bo_error *err);
/** Mode cascade: the dependents are undone together with the change.  Before the intent is made. */
bo_status bo_undo_follow_dependents(bo_undo *undo, bo_error *err);
/** Says of the conflicts that were found whose they are.  What cannot be found out is a note. */
bo_status bo_undo_name_dependents(bo_undo *undo, bo_error *err);

/* ---- tree.c ---- */
/** "transaction 815 of user alice (psql)"; "" when the engine knows neither.  NULL: no memory. */
const char *bo_dependent_name(const bo_dependent_node *node, bo_arena *arena);
/** Fills the list of dependents, in the order of a tree.  Asks the connection for text. */
bo_status bo_undo_list_dependents(bo_undo *undo, bo_arena *arena, bo_rollback *out, bo_error *err);

#endif
