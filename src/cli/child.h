/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/child.h - the command of `run -- COMMAND`: its environment, its signals, its end. */
#ifndef BO_CLI_CHILD_H
#define BO_CLI_CHILD_H

#include <sys/resource.h>
#include <sys/stat.h>

#include "backout/backout.h"
#include "cli/option_file.h"

typedef struct cli_child {
    char *const *command;
    const bo_database *database;
    const char *shown; /* the database without password, for BACKOUT_DB */
    const char *run_id, *point_id;
    const cli_option_file *options; /* MariaDB: marks the sessions of its client */
    bool marked;                    /* PostgreSQL: PGOPTIONS has the mark of the run */
    bool stdout_to_stderr;          /* stdout belongs to JSON */
    /** Called every few seconds while the command runs. */
    void (*alive)(void *ctx);
    void *ctx;
} cli_child;

/** What this process took for itself, and commands shall have as it was: called once, before. */
void cli_child_keep(mode_t umask, rlim_t core);

/**
 * Runs the command in a process group of its own and waits for it.  SIGINT, SIGTERM and SIGHUP are
 * passed on to it; after ten seconds it is killed.  A SIGHUP that is ignored here (nohup) is
 * ignored there.  It is asked to end when this process dies.
 *
 * @retval BO_OK           exit code 0.
 * @retval BO_FAILED       another exit code, or killed; err says which.
 * @retval BO_INTERRUPTED  it ended after a signal that was passed on, or by Ctrl-C.
 * @retval BO_NOTFOUND     there is no such program.
 */
bo_status cli_child_run(const cli_child *child, bo_error *err);

#endif
