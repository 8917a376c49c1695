/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/stage.h - the temporary tables of a stage.
 *
 * One per table: id, target (1: the entry has one), found (1: its row of now was located), live
 * (that row's number, or the one that a new row gets), blocked, hint (number that
 * the row had), image (of the whole row, for tables without key), and a column
 * c<position> for each column of now that is in images, with the affinity and collation it has
 * there: so it holds what the table would hold.
 */
#ifndef BO_DRIVER_SQLITE_STAGE_H
#define BO_DRIVER_SQLITE_STAGE_H

#include "driver/sqlite/capture.h"

enum { SQ_STAGE_OWN_COLUMNS = 7 }; /* besides those of the table */

typedef struct sq_staged {
    const bo_table *was;
    const bo_table *now;
    const int *map;     /* value of an image of `was` -> column of `now`, or -1: dropped since */
    const bool *given;  /* per column of `now`: images of `was` have it */
    const bo_key *key;  /* of `now`, the columns that identify rows; NULL: a multiset */
    const char *rowid;  /* how `now` calls its row number; NULL: rows are addressed by key */
    char name[64];      /* temp.backout_stage_1_0 */
    sq_journal journal; /* of `now`, while it is applied; number 0: it is not captured */
} sq_staged;

typedef struct sq_stage {
    bo_stage base;
    sq_conn *conn;
    bo_arena *arena;
    unsigned count;
    sq_staged *tables;
    bool indexed; /* the indexes that `blocked` needs are there */
} sq_stage;

static inline sq_stage *sq_stage_of(bo_stage *stage)
{
    return (sq_stage *)stage;
}

/** Adds the condition that entry `entry` has located row `row` (both aliases). */
void sq_staged_address(bo_buf *out, const sq_staged *table, const char *entry, const char *row);
/** Adds the condition that row and entry have the same bytes in the key's columns. */
void sq_staged_same_key(bo_buf *out, const sq_staged *table, const char *entry, const char *row);
/** Before the stage is applied: rows that change or go are kept in the table's journal. */
bo_status sq_journal_stage(sq_conn *conn, sq_staged *table, bo_error *err);
/** After it: the keys of rows that came. */
bo_status sq_journal_staged(sq_conn *conn, const sq_staged *table, bo_error *err);
/** The staged table that `name` (as in bo_table.name) is, or NULL. */
const sq_staged *sq_staged_find(const sq_stage *stage, const char *name);

#endif
