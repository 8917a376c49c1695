/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/change/stories.h - a change, the transactions after it, and what must be left of it in
 * each backout mode.
 *
 * The first stories are those by which Oracle explains TRANSACTION_BACKOUT, and end as they do
 * there. SQLite does not tell transactions: each row that is written is one of its own there.
 */
#ifndef BO_TESTS_UNIT_CHANGE_STORIES_H
#define BO_TESTS_UNIT_CHANGE_STORIES_H

#include "world.h"

#define LATER_MAX 4

struct story_rows {
    const char *same;   /* on every engine */
    const char *sqlite; /* or there, where other writes of the same transaction stay */
};

struct story {
    const char *name;
    const char *before; /* tables and rows */
    const char *change;
    const char *later[LATER_MAX]; /* one transaction each */
    const char *ask;              /* SQL for the rows as one text */
    const char *classes;          /* of the conflicts, sorted */
    struct story_rows non_conflict, cascade;
    const char *tree;        /* depth and reason of each dependent */
    const char *sqlite_tree; /* or there */
};

extern const struct story stories[];
extern const size_t story_count;
const struct story *story_named(const char *name);

/** The one that the test tells; the functions below are about it. */
extern const struct story *told;

/** Makes its tables, takes a point, makes the change and all that came later; returns the point. */
const char *tell(world *w);
const char *tell_with(world *w, bo_method method);
/** Its rows as one text. */
const char *rows(world *w);
const char *expected_rows(world *w, const struct story_rows *expected);
const char *expected_tree(world *w);

bo_status back_out(world *w, const char *id, bo_backout_mode mode, bool dry_run, bo_rollback **out);
/** Classes of the conflicts, sorted. */
const char *classes(world *w, const bo_rollback *rollback);
/** "0 changed t 1; 1 changed t 1"; names in quotes are up to the engine. */
const char *tree(world *w, const bo_rollback *rollback);

#endif
