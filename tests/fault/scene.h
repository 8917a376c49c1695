/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fault/scene.h - an operation, something that goes wrong in the middle of it, and what has
 * to hold afterwards.
 *
 * The shop of unit/change/world.h, with a point and a change.  Each attempt runs the operation in a
 * process of its own, as the program would, with one fault.  Then scene_check(), as the next
 * process: users can write, the database is as before or as after, the catalog can be read and
 * explains itself, and the operation, done again, ends where it should, with nothing of ours left
 * behind.
 */
#ifndef BO_TESTS_FAULT_SCENE_H
#define BO_TESTS_FAULT_SCENE_H

#include "support/fault_driver.h"
#include "support/proxy.h"
#include "unit/change/world.h"

typedef struct scene scene;

/* Rows of the shop at a moment. */
typedef enum moment {
    SCENE_ORIGINAL, /* at the point */
    SCENE_CHANGED,  /* after the change, of which the point is before */
    SCENE_LATER,    /* somebody else wrote after that */
    SCENE_KEPT,     /* the change is undone, and what somebody else wrote is there */
    SCENE_CAPTURED, /* the same in the tables that can be captured; the others are as LATER */
    SCENE_EMPTIED,  /* what anybody wrote is undone there */
    SCENE_MOMENTS
} moment;

/* Where, and how the state before the change is kept. */
typedef struct setting {
    world_engine engine;
    bo_method method;
    bool shared;  /* the catalog is in the same PostgreSQL database */
    bool journal; /* SQLite: the shop has a rollback journal, not WAL */
} setting;

#define ON(engine) (1u << (engine))
#define BY(method) (1u << (method))
#define ON_ALL     (ON(WORLD_SQLITE) | ON(WORLD_POSTGRES) | ON(WORLD_MARIADB))
#define ON_SERVERS (ON(WORLD_POSTGRES) | ON(WORLD_MARIADB))
#define BY_ALL     (BY_CAPTURE | BY(BO_METHOD_SNAPSHOT))
#define BY_CAPTURE (BY(BO_METHOD_CAPTURE) | BY(BO_METHOD_BOTH))

typedef struct operation {
    const char *name;
    unsigned engines; /* where it makes sense */
    unsigned methods;
    moment from;  /* ORIGINAL: no point yet; CHANGED: not sealed; LATER: sealed */
    moment other; /* besides `from`, how the rows may be found after a fault */
    moment to;    /* how they are when it succeeds */
    bo_status (*run)(scene *s, bo_session *session, bo_error *err);
    bo_status (*again)(scene *s, bo_session *session, bo_error *err); /* how a person goes on */
    moment end;                                                       /* where that leads */
    void (*prepare)(scene *s); /* what else there is before it, or NULL */
    bool big;                  /* the change is one of thousands of rows */
    const char *through;       /* a step that it takes without a fault, or NULL */
} operation;

typedef enum fault_kind {
    FAULT_NONE,
    FAULT_KILL_AT_STEP,      /* SIGKILL at the n-th call of the step hook */
    FAULT_KILL_AT_CALL,      /* before the n-th driver call of any connection */
    FAULT_KILL_AT_STATEMENT, /* MariaDB: before the n-th statement is sent */
    FAULT_KILL_AFTER_US,     /* after n microseconds */
    FAULT_DRIVER_CALL,       /* the n-th driver call of any connection fails */
    FAULT_SERVER_GONE,       /* so does every call of a connection to a server after it */
    FAULT_STATEMENT_FAILS,   /* MariaDB: the server refuses the n-th statement */
    FAULT_STATEMENT_LOST,    /* MariaDB: it is carried out, its answer and the link are lost */
    FAULT_COMMIT_ANSWERED,   /* the n-th commit is done and its answer is lost */
    FAULT_COMMIT_MISSED,     /* the n-th commit is not done and nobody tells */
    FAULT_ALLOCATION,        /* the n-th allocation fails */
    FAULT_LINK,              /* the server ends our connections at the n-th step */
    FAULT_LINK_AT_CALL,      /* the same before the n-th driver call */
    FAULT_NETWORK,           /* what scene.network says, at the n-th message */
    FAULT_SERVER_AT_STEP,    /* the test's own server dies at the n-th step */
    FAULT_SERVER_AFTER_US,   /* it dies after n microseconds */
    FAULT_FILE_CALL,         /* the n-th call to the file system fails */
    FAULT_FILE_SHORT,        /* the n-th write() takes half of the bytes */
    FAULT_FILE_FULL,         /* the disk is full from the n-th call on that needs room */
    FAULT_FILE_GONE,         /* so does every call from the n-th on */
    FAULT_LOSS_AT_STEP,      /* the power is cut at the n-th step; power_loss.h, each way */
    FAULT_LOSS_AT_CALL,      /* before the n-th call that changes or syncs a file */
    FAULT_LIE,               /* at the n-th step, and nothing in the repository was synced */
} fault_kind;

typedef struct fault {
    fault_kind kind;
    unsigned nth;
} fault;

/* What the other process found out; shared memory, so that it outlives a kill. */
typedef struct finding {
    bool fired;
    bool returned; /* the operation came back */
    bool ended;    /* and the session was closed */
    bool through;  /* it took the step that is meant */
    bo_status status;
    char text[sizeof((bo_error *)0)->text];
    char step[64]; /* the last one */
    int file_errno;
    char file_call[360]; /* "pwrite '/path/file'": the one that failed, or "" */
} finding;

struct scene {
    world *w;
    const operation *op;
    setting setting;
    char saved[80];  /* copy of the world's folder */
    char number[16]; /* PostgreSQL: of the database */
    char point[160];
    char second[160]; /* another point, where `prepare` took one */
    const char *rows[SCENE_MOMENTS];
    fault fault;
    const proxy_plan *network;
    finding *found;
    unsigned attempts;
};

/** NULL without a server for the engine. */
scene *scene_open(const operation *op, const setting *at);
void scene_close(scene *s);

/** Puts everything back to before the operation, runs it with the fault; true: the fault fired. */
bool scene_attempt(scene *s, fault_kind kind, unsigned nth);

/** Everything as before the operation; nothing is open. */
void scene_put_back(scene *s);
/** What is captured in a database of MariaDB cannot be copied: it is made anew each time, and what
 * there is of it has to be cleaned away before. */
bool scene_is_rebuilt(const scene *s);

/** The rows of the shop, read with SQL of our own. */
const char *scene_rows(scene *s);
const char *scene_engine(const scene *s);
/** Fails the test with all that is known of the attempt unless `condition`. */
void scene_expect(scene *s, bool condition, const char *format, ...) BO_PRINTF(3, 4);

/* ---- check.c ---- */
void scene_check(scene *s);
/** Of that what does not depend on what was done: users can write, the records explain themselves,
 * files are whole, nothing lies about. */
void scene_check_records(scene *s);
/** Ends all captures, and nothing of ours may be in the database then. */
void scene_clean(scene *s);

/* ---- break.c: in the process that breaks ---- */
void scene_break(scene *s);

/* ---- network.c: in that process too ---- */

/** From now on the server is reached by TCP, through a proxy. */
void network_arm(scene *s);

/* ---- files.c: in that process too ---- */

void files_arm(scene *s);
void files_step(void);
/** The operation has come back, and said how it ended. */
void files_returned(void);
void files_end(void);

/* ---- operations.c ---- */
extern const operation scene_operations[];
extern const size_t scene_operation_count;
/** The one of that name. */
const operation *scene_operation(const char *name);
/** Its change is made by a run of that id. */
#define SCENE_RUN "run_of_the_change"
/** SQL of the change that is undone. */
extern const char scene_change[];
extern const char scene_big_shop[]; /* after the shop is made */
extern const char scene_big_change[];

#endif
