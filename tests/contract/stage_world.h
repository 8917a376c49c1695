/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/stage_world.h - a database in which a change is undone through the stage.
 *
 * stage_undo() is the whole story: reads the tables as they are before a change, makes the change,
 * stages the difference backwards, and demands that all is as it was.
 */
#ifndef BO_TESTS_CONTRACT_STAGE_WORLD_H
#define BO_TESTS_CONTRACT_STAGE_WORLD_H

#include "contract/pg_world.h"

typedef struct stage_world {
    bo_conn *super; /* may take the role of a replica */
    bo_conn *owner; /* owns the tables, nothing more */
    bo_conn *user;  /* the owner's own session */
} stage_world;

stage_world *stage_world_create(const char *database); /* NULL: no server to test with */
void stage_world_free(stage_world *world);
/** The teardown of a group of tests; *state is NULL without a server. */
int stage_world_finish(void **state);
/* `w`, the world of a test; without a server the test is skipped. */
#define WORLD                \
    stage_world *w = *state; \
    if (!w)                  \
    skip()
/** An empty schema public of the owner, and `sql` run in it as the owner. */
void stage_world_reset(stage_world *world, const char *sql);

/** Nine customers with a unique email, and thirty orders of them. */
extern const char stage_customers[];

/** Rows of one table, sorted by key (without one: by all bytes). */
typedef struct stage_row {
    bo_buf key;
    bo_buf image;
} stage_row;
typedef struct stage_rows {
    const bo_table *table; /* whose images they are */
    stage_row *rows;
    size_t count;
    uint16_t key_count;
    uint16_t key[BO_COLUMNS_MAX];
} stage_rows;
void stage_rows_read(bo_conn *conn, const bo_table *table, stage_rows *out);
void stage_rows_free(stage_rows *rows);
bool stage_rows_equal(const stage_rows *a, const stage_rows *b);

#define STAGE_TABLES_MAX 4

/** The tables before a change, and then the stage that leads back. */
typedef struct stage_undo {
    bo_conn *conn;
    bo_arena *arena;
    unsigned count;
    const bo_table *was[STAGE_TABLES_MAX];
    const bo_table *now[STAGE_TABLES_MAX];
    stage_rows before[STAGE_TABLES_MAX];
    stage_rows after[STAGE_TABLES_MAX];
    uint64_t targets[STAGE_TABLES_MAX];
    uint64_t known[STAGE_TABLES_MAX]; /* entries with a row of now */
    bo_stage *stage;
    bo_applied applied[STAGE_TABLES_MAX];
    bool partial; /* entries were dropped: fewer rows than targets are read back */
} stage_undo;

void stage_undo_begin(stage_undo *undo, bo_conn *conn, const char *const *tables);
/** Begins a transaction, stages the difference and locates it. */
void stage_undo_stage(stage_undo *undo);
/** Applies, reads back and commits; BO_CONFLICT and the like roll back. */
bo_status stage_undo_apply(stage_undo *undo, bo_error *err);
/** Fails unless the tables are as they were. */
void stage_undo_check(stage_undo *undo);
void stage_undo_end(stage_undo *undo);

/** As super-user and then as owner: setup, change, undo, check. */
void stage_undo_both(
    stage_world *world, const char *setup, const char *change, const char *const *tables);

#endif
