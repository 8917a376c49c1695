/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fault/scene.h - an operation, something that goes wrong in the middle of it, and what has
 * to hold afterwards.
 *
 * The shop of unit/change/world.h, with a point and a change.  Each attempt runs the operation in a
 * process of its own, as the program would, with one fault.  Then scene_check(), as the next
 * process: the database is as before or as after, the catalog can be read and explains itself, and
 * the operation, done again, ends where it should, with nothing of ours left behind.
 */
#ifndef BO_TESTS_FAULT_SCENE_H
#define BO_TESTS_FAULT_SCENE_H

#include "support/fault_driver.h"
#include "unit/change/world.h"

typedef struct scene scene;

/* Rows of the shop at a moment. */
typedef enum moment {
    SCENE_ORIGINAL, /* at the point */
    SCENE_CHANGED,  /* after the change, of which the point is before */
    SCENE_LATER,    /* somebody else wrote after that */
    SCENE_KEPT,     /* the change is undone, and what somebody else wrote is there */
    SCENE_MOMENTS
} moment;

typedef struct operation {
    const char *name;
    moment from;  /* ORIGINAL: no point yet; CHANGED: not sealed; LATER: sealed */
    moment other; /* besides `from`, how the rows may be found after a fault */
    moment to;    /* how they are when it succeeds */
    bo_status (*run)(scene *s, bo_session *session, bo_error *err);
    bo_status (*again)(scene *s, bo_session *session, bo_error *err); /* how a person goes on */
    moment end;                                                       /* where that leads */
} operation;

typedef enum fault_kind {
    FAULT_NONE,
    FAULT_KILL_AT_STEP,    /* SIGKILL at the n-th call of the step hook */
    FAULT_KILL_AFTER_US,   /* SIGKILL after n microseconds */
    FAULT_DRIVER_CALL,     /* the n-th driver call of any connection fails */
    FAULT_COMMIT_ANSWERED, /* the n-th commit is done and its answer is lost */
    FAULT_COMMIT_MISSED,   /* the n-th commit is not done and nobody tells */
    FAULT_ALLOCATION,      /* the n-th allocation fails */
    FAULT_LINK,            /* PostgreSQL: the server ends our connections at the n-th step */
} fault_kind;

typedef struct fault {
    fault_kind kind;
    unsigned nth;
} fault;

/* What the other process found out; shared memory, so that it outlives a kill. */
typedef struct finding {
    bool fired;
    bool returned; /* the operation came back */
    bo_status status;
    char text[sizeof((bo_error *)0)->text];
    char step[64]; /* the last one */
} finding;

struct scene {
    world *w;
    const operation *op;
    bool postgres;
    bool shared;    /* the catalog is in the same PostgreSQL database */
    char saved[80]; /* copy of the world's folder */
    char point[160];
    const char *rows[SCENE_MOMENTS];
    fault fault;
    finding *found;
    unsigned attempts;
};

/** @param shared  the catalog is in PostgreSQL too.  NULL without a server for `postgres`. */
scene *scene_open(const operation *op, bool postgres, bool shared);
void scene_close(scene *s);

/** Puts everything back to before the operation, runs it with the fault; true: the fault fired. */
bool scene_attempt(scene *s, fault_kind kind, unsigned nth);
void scene_check(scene *s);

/** The rows of the shop, read with SQL of our own. */
const char *scene_rows(scene *s);
/** Fails the test with all that is known of the attempt unless `condition`. */
void scene_expect(scene *s, bool condition, const char *format, ...) BO_PRINTF(3, 4);

/* ---- operations.c ---- */
extern const operation scene_operations[];
extern const size_t scene_operation_count;
/** The one of that name. */
const operation *scene_operation(const char *name);
/** SQL of the change that is undone. */
extern const char scene_change[];

#endif
