/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/keeper.c - renews leases until it is told to end; what fails is tried again. */
#include "store/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/process.h"

#define KEEPER_LOCK_TIMEOUT_MS 1000u /* whoever ends the keeper waits for it that long at most */

struct bo_keeper {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;   /* under lock */
    pid_t owner; /* whose thread it is */
    uint32_t every_ms;
    char *url, *password;
};

static bo_status renew(bo_catalog *catalog, bo_error *err)
{
    bo_process self;
    bo_process_self(&self);
    bo_digits lease;
    bo_digits pid;
    const bo_text_value params[] = {
        bo_bind_number(bo_clock_now_us() + BO_LEASE_US, &lease),
        bo_bind_number(self.pid, &pid),
        bo_bind_text(self.host),
        bo_bind_text(self.identity),
    };
    bo_status st = bo_catalog_begin(catalog, err);
    if (st != BO_OK)
        return st;
    st = bo_catalog_query(catalog,
        "UPDATE backout_run SET lease_us = $1 WHERE status = 'running' AND pid = $2 AND host = $3"
        " AND process = $4",
        params, sizeof params / sizeof *params, NULL, NULL, NULL, err);
    return bo_catalog_finish(catalog, st, err);
}

/* False: it is over. */
static bool wait_a_while(bo_keeper *keeper)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += keeper->every_ms / 1000;
    until.tv_nsec += (long)(keeper->every_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&keeper->lock);
    int waited = 0;
    while (!keeper->over && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&keeper->ended, &keeper->lock, &until);
    bool over = keeper->over;
    pthread_mutex_unlock(&keeper->lock);
    return !over;
}

static void *keep(void *arg)
{
    bo_keeper *keeper = arg;
    bo_catalog *catalog = NULL;
    while (wait_a_while(keeper)) {
        bo_status st = catalog ? BO_OK
                               : bo_catalog_open(keeper->url, keeper->password,
                                     KEEPER_LOCK_TIMEOUT_MS, &catalog, NULL);
        if (st == BO_OK)
            st = renew(catalog, NULL);
        if (st != BO_OK && st != BO_BUSY) {
            bo_catalog_free(catalog);
            catalog = NULL;
        }
    }
    bo_catalog_free(catalog);
    return NULL;
}

/* Signals are for the threads that can say what they interrupt. */
static bool start(bo_keeper *keeper)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    bool started = pthread_create(&keeper->thread, NULL, keep, keeper) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void forget(bo_keeper *keeper)
{
    pthread_cond_destroy(&keeper->ended);
    pthread_mutex_destroy(&keeper->lock);
    if (keeper->password)
        explicit_bzero(keeper->password, strlen(keeper->password));
    free(keeper->password);
    free(keeper->url);
    free(keeper);
}

bo_keeper *bo_keeper_start(const bo_catalog *catalog, uint32_t every_ms)
{
    bo_keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&keeper->lock, NULL);
    keeper->owner = getpid();
    keeper->every_ms = every_ms;
    keeper->url = strdup(catalog->url);
    keeper->password = catalog->password ? strdup(catalog->password) : NULL;
    if (keeper->url && !keeper->password == !catalog->password && start(keeper))
        return keeper;
    forget(keeper);
    return NULL;
}

void bo_keeper_free(bo_keeper *keeper)
{
    if (!keeper)
        return;
    if (keeper->owner == getpid()) {
        pthread_mutex_lock(&keeper->lock);
        keeper->over = true;
        pthread_cond_signal(&keeper->ended);
        pthread_mutex_unlock(&keeper->lock);
        pthread_join(keeper->thread, NULL);
    }
    forget(keeper);
}
