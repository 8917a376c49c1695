/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/sql_job.h - SQL files executed while somebody keeps the run alive. */
#ifndef BO_CLI_SQL_JOB_H
#define BO_CLI_SQL_JOB_H

#include "backout/backout.h"

typedef struct cli_sql_job {
    const bo_database *database;
    const char *run_id;
    const char *sql;
    size_t size;
    bool one_transaction;
    /** Called every few seconds while the SQL runs. */
    void (*alive)(void *ctx);
    void *ctx;
} cli_sql_job;

/** bo_sql_execute() in a thread of its own. */
bo_status cli_sql_run(const cli_sql_job *job, bo_error *err);

#endif
