/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/cli/option_file.h - where the database is, and the mark of the run, for the mariadb client.
 *
 * That client takes no setting of a session from its environment, but reads my.cnf of the folder
 * that MYSQL_HOME or MARIADB_HOME names, after those in /etc and before ~/.my.cnf: here one that
 * names server, user and database, and says SET @backout_run at each connect.
 */
#ifndef BO_CLI_OPTION_FILE_H
#define BO_CLI_OPTION_FILE_H

#include "base/scope.h"
#include "cli/cli.h"

typedef struct cli_option_file {
    char folder[512]; /* "": none */
} cli_option_file;

/** Makes the folder when `url` is one of MariaDB.  A file that the variables name already is read
 * as well.  Without it programs have to mark their sessions themselves, so failing is a warning. */
void cli_option_file_make(cli *ctx, const char *url, const char *run_id, cli_option_file *out);
/** In the new process. */
void cli_option_file_use(const cli_option_file *file);
/** Removes the folder: BO_OWN_VALUE(cli_option_file). */
void cli_option_file_done(cli_option_file *file);

#endif
