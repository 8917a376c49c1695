/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/trial.h - a history that is lived through, in a process of its own. */
#ifndef BO_TESTS_PROPERTY_TRIAL_H
#define BO_TESTS_PROPERTY_TRIAL_H

#include "backout/run.h"
#include "change/session.h"
#include "property/history.h"
#include "property/model.h"
#include "property/place.h"

enum { COMMITS_MAX = 128, SCRIPT_MAX = 1 << 18 };

/** What the other process found; shared memory, so that it outlives a crash. */
typedef struct finding {
    bool ended;
    char text[8192];         /* what is wrong; "" when nothing is */
    char script[SCRIPT_MAX]; /* the history as SQL, as far as it came */
    size_t script_size;
    unsigned rolled_back, refused; /* how the rollbacks ended */
    unsigned commits, changing;    /* transactions that left something else than before */
    unsigned rows, conflicts, kept_back, lost; /* what they came upon */
} finding;

typedef struct trial {
    history *h;
    const place *place;
    const bool *left_out; /* of each step */
    finding *found;
    bo_arena *arena;
    char catalog[128], repository[128];
    bo_settings settings;
    bo_database database;
    bo_session *session;
    bo_conn *reader;
    bo_conn *players[SESSIONS];
    bool in_transaction[SESSIONS], saved[SESSIONS];
    commit commits[COMMITS_MAX + 1]; /* commits[0] is the moment before the first one */
    size_t commit_count;
    char point[160];
    const char *reported[TABLES_MAX]; /* names of its tables, or NULL */
    bo_run *run;
    char mark[160];              /* of what session 0 writes; or "" */
    char neighbour[160];         /* or "" */
    bool neighbour_captures;     /* some of its tables */
    moment then;                 /* as it has it */
    unsigned in_neighbour;       /* bits of tables */
    unsigned in_point, captured; /* bits of tables */
    size_t at_point, at_seal;    /* commits that were made by then */
} trial;

/** Lives through the history, or ends the process where something is wrong. */
void trial_run(trial *t);

/** Writes a line of the script. */
void trial_note(trial *t, const char *format, ...) BO_PRINTF(2, 3);
/** Ends the process with these words unless `holds`. */
void trial_expect(trial *t, bool holds, const char *format, ...) BO_PRINTF(3, 4);
void trial_ok(trial *t, bo_status st, const bo_error *err, const char *what);

/** Ends the capture; once more is nothing. */
void trial_release(trial *t);

/** The rollback is refused for what the documentation names and the model does not know. */
bool trial_is_documented(const trial *t, bo_status st, const bo_error *err);

/* ---- neighbour.c ---- */
void neighbour_take(trial *t);
void neighbour_end(trial *t, bool last);
/** Everything since it is taken back, whatever else was done. */
void neighbour_return(trial *t);

/* ---- players.c ---- */
/** Makes the tables and their first rows; the first step after these. */
unsigned players_begin(trial *t);
/** Does the steps up to one of that kind, or to the end. */
void players_play(trial *t, unsigned *at, unsigned end, step_kind until);
moment players_moment(trial *t);
const moment *players_now(const trial *t);

/* ---- traces.c ---- */
/** Catalog and audit log are whole; nothing unfinished is left. */
void traces_check(trial *t);
/** Ends all captures, and nothing of ours may be in the database then. */
void traces_check_released(trial *t);

#endif
