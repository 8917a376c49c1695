/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/environment.h - what the command of `run -- COMMAND` finds in its environment. */
#ifndef BO_CLI_ENVIRONMENT_H
#define BO_CLI_ENVIRONMENT_H

#include "cli/child.h"

/**
 * Sets, in this process: the run, the point, where the database is in the words of its own clients,
 * and the mark of the run for all that they write: on PostgreSQL any client of libpq, on MariaDB
 * the mariadb client.  Takes backout's own secrets away.
 */
void cli_environment_set(const cli_child *child);

/** False: nothing between here and PostgreSQL takes the mark of the run, as a pooler that lets no
 * `options` pass, and programs would get no connection with it. */
bool cli_environment_marks(const bo_database *database, const char *run_id);

#endif
