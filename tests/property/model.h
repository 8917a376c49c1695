/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/property/model.h - what a rollback should have done, by the rules of docs/design/undo.md
 * and nothing else: three states of each row, compared by their bytes.
 *
 * What it takes from the report are the rows that foreign keys and unique values kept back: that
 * is only asked for where carrying everything out would have broken one, and the rest must be so
 * then.
 */
#ifndef BO_TESTS_PROPERTY_MODEL_H
#define BO_TESTS_PROPERTY_MODEL_H

#include "property/history.h"
#include "property/rows.h"

/** What a change did to one row. */
typedef struct change {
    const char *key;
    const row *before, *after;
    bool mixed; /* others wrote it in between */
} change;

typedef struct change_set {
    change *items;
    size_t count;
} change_set;

/** A committed transaction, and the rows as they were then. */
typedef struct commit {
    unsigned session;
    moment then;
} commit;

/** What leads from one moment to another.  Without a key, one item for each of equal rows. */
change_set change_between(
    const schema *s, unsigned table, const moment *from, const moment *to, bo_arena *arena);
/** What one session did to the rows of a table with a key, in its commits among these; commits[-1]
 * is before the first. */
change_set change_of_session(const schema *s, unsigned table, const commit *commits, size_t count,
    unsigned session, bo_arena *arena);

typedef struct question {
    const history *h;
    bo_arena *arena;
    const bo_rollback_options *how; /* without tables and predicates: */
    unsigned tables;                /* bits of those that are rolled back */
    const condition *where;
    const change_set *changes; /* of each table: what the change did */
    bool sealed;
    bool undo;  /* of a rollback, or of the undo of one */
    bool loose; /* writers took turns: a write that changed nothing counts as one in between */
    const moment *point, *now;

    bo_status status; /* what backout says */
    const char *error;
    const bo_rollback *report; /* or NULL */
    const moment *found;       /* the rows after it */
} question;

/** What is wrong with the answer; "" when nothing is. */
const char *model_judge(const question *q);
/** How many rows differ, as verify counts them. */
uint64_t model_differences(
    const schema *s, unsigned table, const moment *a, const moment *b, bo_arena *arena);
/** The rows of the point with the change in them. */
moment model_after(
    const schema *s, const moment *point, const change_set *changes, bo_arena *arena);
/** The table of a name in a report. */
int model_table(const schema *s, const char *name);

#endif
