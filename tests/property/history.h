/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/property/history.h - what happens to a few tables, made of a seed before anything is done:
 * who writes what and when, which part of it is the change, and what is rolled back of it.
 */
#ifndef BO_TESTS_PROPERTY_HISTORY_H
#define BO_TESTS_PROPERTY_HISTORY_H

#include "backout/rollback.h"
#include "property/schema.h"

enum { SESSIONS = 3, STEPS_MAX = 400 }; /* session 0 makes the change */

typedef enum step_kind {
    STEP_TRIGGER, /* is made, before there are rows */
    STEP_ROW,     /* of the tables as they are first */
    STEP_BEGIN,
    STEP_SQL,
    STEP_SAVEPOINT,
    STEP_BACK, /* to the savepoint */
    STEP_COMMIT,
    STEP_ROLLBACK,
    STEP_POINT,
    STEP_SEAL,
} step_kind;

typedef struct step {
    step_kind kind;
    unsigned session;
    unsigned transaction; /* 0: none */
    const char *sql;
} step;

/** How backout is told what the change is. */
typedef enum making {
    MADE_SEALED,   /* between point and seal */
    MADE_UNSEALED, /* all since the point */
    MADE_BY_RUN,
    MADE_BY_FAILED_RUN,  /* which rolls it back by itself */
    MADE_BY_RUN_OF_MANY, /* --run: all that carries its mark, whenever it was written */
    MADE_BY_USER,        /* --user */
} making;

/** Rows of one table: column, how, number. */
typedef struct condition {
    int table; /* -1: none */
    unsigned column;
    enum { IS_LESS, IS_MORE, IS_NULL } how;
    int number;
} condition;

/** What is done after the rollback. */
typedef enum sequel {
    THEN_NOTHING,
    THEN_UNDO,            /* the rollback is rolled back */
    THEN_AGAIN,           /* the same once more */
    THEN_WRITE_AND_UNDO,  /* somebody writes, and then it is rolled back */
    THEN_UNDO_AND_REPEAT, /* undone, and done again */
} sequel;

/** When a point ends. */
typedef enum ending {
    ENDS_AT_POINT,
    ENDS_AT_SEAL,
    ENDS_LAST, /* it is returned to before */
} ending;

/** Another point, of all tables, that is there at the same time. */
typedef struct neighbour {
    bool taken; /* before anybody writes */
    bo_method method;
    ending end;
} neighbour;

typedef struct history {
    uint64_t seed;
    schema schema;
    const char *settings[SESSIONS]; /* of each, as SQL; NULL: the usual ones */
    step steps[STEPS_MAX];
    unsigned step_count;
    unsigned after; /* the first step after the rollback */
    making made;
    bo_method method;
    unsigned scope; /* bits of the tables in the point; 0: all */
    bool no_closure;
    bool as_owner; /* backout is no superuser */
    bo_rollback_options how;
    unsigned tables; /* bits of those that are rolled back; 0: all */
    condition where;
    neighbour neighbour;
    bool rehearsed; /* a dry run first */
    bool released;  /* the capture ends before the rollback */
    sequel then;
    bo_on_conflict undo_conflicts;
} history;

history *history_make(engine on, uint64_t seed, bo_arena *arena);
/** The condition in SQL. */
const char *condition_sql(const history *h, bo_arena *arena);

/* ---- statements.c ---- */
/** A statement that writes to some table. */
const char *statement_random(const schema *s, dice *d, bo_arena *arena);
/** The n-th of the rows that there are first. */
const char *statement_first(
    const schema *s, unsigned table, unsigned nth, dice *d, bo_arena *arena);

/* ---- statements_wide.c ---- */
/** One of several tables, of many keys, or of several parts. */
const char *statement_wide(const schema *s, dice *d, bo_arena *arena);
const char *statement_truncate(const schema *s, dice *d, bo_arena *arena);

/* ---- triggers.c ---- */
/** Adds triggers of users, and a log that they keep, to a history that is complete otherwise. */
void triggers_make(history *h, dice *d, bo_arena *arena);

#endif
