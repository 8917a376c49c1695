/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/sql_job.c - SQL files executed while somebody keeps the run alive. */
#include "cli/sql_job.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/error.h"

#define ALIVE_EVERY_S 15

typedef struct work {
    const cli_sql_job *job;
    bo_status st;
    bo_error err;
} work;

static void *execute(void *argument)
{
    work *w = argument;
    const cli_sql_job *job = w->job;
    w->st = bo_sql_execute(
        job->database, job->run_id, job->sql, job->size, job->one_transaction, true, &w->err);
    return NULL;
}

bo_status cli_sql_run(const cli_sql_job *job, bo_error *err)
{
    work w = {.job = job};
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, execute, &w);
    if (failed)
        return bo_fail_errno(err, BO_NOMEM, failed, "cannot start a thread");
    for (;;) {
        struct timespec limit;
        (void)clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_sec += ALIVE_EVERY_S;
        if (pthread_timedjoin_np(thread, NULL, &limit) != ETIMEDOUT)
            break;
        job->alive(job->ctx);
    }
    if (w.st != BO_OK && err)
        *err = w.err;
    return w.st;
}
