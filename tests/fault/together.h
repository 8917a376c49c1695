/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fault/together.h - two processes work at the same moment on what both want.
 *
 * The same two acts are carried out one after the other, in both orders, and each alone: that is
 * how they may end.  A meeting has to end like one of these: as after some order, or as if the one
 * that was refused (exit code 3, with the name of the holder) had never been.
 */
#ifndef BO_TESTS_FAULT_TOGETHER_H
#define BO_TESTS_FAULT_TOGETHER_H

#include "fault/scene.h"

/* Something that a process does. */
typedef struct act {
    const char *name;
    bo_status (*run)(scene *s, bo_session *session, bo_error *err); /* NULL: the operation of that
                                                                       name */
    unsigned engines, methods;
    bool changes; /* rows of the shop */
    bool by_run;  /* whatever is written meanwhile counts as its own: whose it is cannot be told */
    bool leaves;  /* it is done, too, when it left alone what the other one is at work on */
} act;

/* Who the second process is. */
typedef enum second_catalog {
    OTHER_SAME_CATALOG,
    OTHER_CATALOG,
    OTHER_CATALOG_SAME_REPOSITORY
} second_catalog;

typedef struct meeting {
    scene *s;
    const act *acts[2];
    second_catalog other;
    unsigned seed;
    char other_catalog[160], other_repository[160], other_point[160];
    struct part *parts;   /* of each process, in shared memory */
    struct ending *known; /* how it may end; filled as it is needed */
} meeting;

/** The moment before the acts; with `other`, a second catalog has a point of its own there.  NULL
 * without a server for the engine. */
meeting *meeting_open(const operation *before, const setting *at, second_catalog other);
void meeting_close(meeting *m);

/** Chooses the two acts of the next meetings. */
void meeting_choose(meeting *m, const act *first, const act *second);

/** Both at once, with a random delay, and everything that has to hold afterwards. */
void meeting_take_place(meeting *m, unsigned seed);

#endif
