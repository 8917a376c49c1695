/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/watch.h - an interrupt stops the statement that runs, not only the next one. */
#ifndef BO_CHANGE_WATCH_H
#define BO_CHANGE_WATCH_H

#include <pthread.h>

#include "driver/driver.h"

typedef struct bo_watch {
    bo_conn *conn;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over; /* under lock */
    bool watched;
} bo_watch;

/** From here to bo_watch_end(), an interrupt cancels what `conn` executes.  Without a thread for it
 * the interrupt is noticed when the statement ends. */
void bo_watch_begin(bo_watch *watch, bo_conn *conn);

/**
 * Nothing is cancelled any more.
 * @param st  of the work that was watched.
 * @return    `st`; BO_INTERRUPTED when the work failed and an interrupt was asked for.
 */
bo_status bo_watch_end(bo_watch *watch, bo_status st, bo_error *err);

#endif
