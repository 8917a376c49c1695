/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fault/writers.h - a bank with writers that never pause, and changes beside them that are
 * undone.
 *
 * What the writers keep up themselves: the balance of an account is what it began with and all that
 * the history says was moved, in every snapshot.  A write that is lost or done twice breaks it.
 * Each change sets the flags of accounts, adds one and deletes one; undone, it has left nothing.
 */
#ifndef BO_TESTS_FAULT_WRITERS_H
#define BO_TESTS_FAULT_WRITERS_H

#include "unit/change/world.h"

enum { BANK_ROUNDS = 200, WRITERS = 2 };

typedef struct writers writers;

/** accounts and history, with an account to delete for each round, from 0. */
void bank_make(world *w);
/** Fails unless the books are right; `round` is for the message. */
void bank_check(world *w, int round);

/** Processes of their own, which go on while others are killed.  The world is closed and opened
 * again. */
writers *writers_start(world *w);
/** Fails unless each has written all the time, and what is in the history is what was committed. */
void writers_stop(writers *self, world *w);

/** Point, change and seal of one round; the id of the point, of the world's. */
const char *bank_change(world *w, int round, bo_method method);
/** Undoes it; what writers wrote since stays. */
void bank_undo(world *w, const char *id, const char *run, bool by_column);
void bank_release(world *w, const char *id);

#endif
