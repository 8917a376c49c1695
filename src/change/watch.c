/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/watch.c - a thread that looks for an interrupt and cancels the statement. */
#include "change/watch.h"

#include <time.h>

#include "base/step.h"

#define WATCH_EVERY_NS 50000000L

static void *watch_interrupt(void *arg)
{
    bo_watch *watch = arg;
    pthread_mutex_lock(&watch->lock);
    while (!watch->over) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WATCH_EVERY_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&watch->ended, &watch->lock, &until);
        if (!watch->over && bo_interrupted())
            watch->conn->driver->cancel(watch->conn);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

void bo_watch_begin(bo_watch *watch, bo_conn *conn)
{
    *watch = (bo_watch){.conn = conn};
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->ended, NULL);
    watch->watched = pthread_create(&watch->thread, NULL, watch_interrupt, watch) == 0;
}

bo_status bo_watch_end(bo_watch *watch, bo_status st, bo_error *err)
{
    pthread_mutex_lock(&watch->lock);
    watch->over = true;
    pthread_cond_signal(&watch->ended);
    pthread_mutex_unlock(&watch->lock);
    if (watch->watched)
        pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->ended);
    pthread_mutex_destroy(&watch->lock);
    return st != BO_OK && bo_interrupted() ? bo_fail(err, BO_INTERRUPTED, "interrupted") : st;
}
