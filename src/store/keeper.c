/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/keeper.c - renews leases until it is told to end; what fails is soon tried again. */
#include "store/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "store/live.h"

/* Of the time between two renewals. */
enum { RETRY_PART = 10, LOCK_WAIT_PART = 20 };

struct bo_keeper {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;   /* under lock */
    pid_t owner; /* whose thread it is */
    uint32_t every_ms;
    const bo_catalog *of; /* its URL and password do not change */
};

/* ---- one attempt ---- */

#define RENEW                                                                                 \
    " SET lease_us = $1 WHERE id = $2 AND status = 'running' AND pid = $3 AND host = $4 AND " \
    "process = $5"

static bo_status renew_run(
    bo_catalog *catalog, const bo_process *self, const char *run, bo_error *err)
{
    const bool schemas = catalog->conn->driver->caps & BO_CAP_SCHEMAS;
    bo_digits lease;
    bo_digits pid;
    const bo_text_value params[] = {
        bo_bind_number(bo_clock_now_us() + BO_LEASE_US, &lease),
        bo_bind_text(run),
        bo_bind_number(self->pid, &pid),
        bo_bind_text(self->host),
        bo_bind_text(self->identity),
    };
    return bo_catalog_query(catalog,
        schemas ? "UPDATE " BO_CATALOG_SCHEMA ".backout_run" RENEW : "UPDATE backout_run" RENEW,
        params, sizeof params / sizeof *params, NULL, NULL, NULL, err);
}

static bo_status renew(bo_catalog *catalog, const bo_buf *runs, bo_error *err)
{
    bo_process self;
    bo_process_self(&self);
    bo_status st = bo_catalog_begin(catalog, err);
    if (st != BO_OK)
        return st;
    const char *end = (const char *)runs->data + runs->size;
    for (const char *run = (const char *)runs->data; run < end && st == BO_OK;
         run += strlen(run) + 1)
        st = renew_run(catalog, &self, run, err);
    return bo_catalog_finish(catalog, st, err);
}

/* False: to be tried again.  *catalog is opened when it is needed, and closed when it broke. */
static bool attempt(const bo_keeper *keeper, bo_catalog **catalog)
{
    BO_OWN_VALUE(bo_buf) runs = {0};
    bo_live_list(&runs);
    if (runs.failed || runs.size == 0)
        return !runs.failed;
    const uint32_t lock_timeout_ms = keeper->every_ms / LOCK_WAIT_PART + 1;
    bo_error ignored = {0};
    bo_status st =
        *catalog ? BO_OK : bo_catalog_again(keeper->of, lock_timeout_ms, catalog, &ignored);
    if (st == BO_OK)
        st = renew(*catalog, &runs, &ignored);
    if (st != BO_OK && st != BO_BUSY)
        bo_catalog_free(BO_TAKE(*catalog));
    return st == BO_OK;
}

/* ---- the thread ---- */

/* False: it is over. */
static bool wait_until(bo_keeper *keeper, int64_t due_us)
{
    const struct timespec due = {
        .tv_sec = (time_t)(due_us / 1000000), .tv_nsec = (long)(due_us % 1000000) * 1000};
    pthread_mutex_lock(&keeper->lock);
    int waited = 0;
    while (!keeper->over && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&keeper->ended, &keeper->lock, &due);
    bool over = keeper->over;
    pthread_mutex_unlock(&keeper->lock);
    return !over;
}

static void *keep(void *arg)
{
    bo_keeper *keeper = arg;
    const int64_t every_us = (int64_t)keeper->every_ms * 1000;
    int64_t due_us = bo_clock_monotonic_us() + every_us;
    bo_catalog *catalog = NULL;
    while (wait_until(keeper, due_us)) {
        const int64_t begun_us = bo_clock_monotonic_us();
        due_us = attempt(keeper, &catalog) ? begun_us + every_us
                                           : bo_clock_monotonic_us() + every_us / RETRY_PART;
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
    keeper->of = catalog;
    if (start(keeper))
        return keeper;
    forget(keeper);
    return NULL;
}

void bo_keeper_free(bo_keeper *keeper)
{
    if (!keeper)
        return;
    if (keeper->owner != getpid()) { /* the copied condition has a waiter for ever */
        free(keeper);
        return;
    }
    pthread_mutex_lock(&keeper->lock);
    keeper->over = true;
    pthread_cond_signal(&keeper->ended);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    forget(keeper);
}
