/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/mariadb_url.h - where a MariaDB URL points: mariadb://user@host:port/name?socket=/path.
 */
#ifndef BO_CLI_MARIADB_URL_H
#define BO_CLI_MARIADB_URL_H

#include "base/buf.h"
#include "base/scope.h"

/** The parts of a URL, decoded; an empty one is not given.  Nothing of a password. */
typedef struct cli_mariadb_url {
    bo_buf user, host, port, database, socket;
} cli_mariadb_url;

/** False: not a MariaDB URL (or no memory); whether a server takes it is for the driver to say. */
bool cli_mariadb_url_read(const char *url, cli_mariadb_url *out);
void cli_mariadb_url_done(cli_mariadb_url *url); /* BO_OWN_VALUE(cli_mariadb_url) u = {0}; */
/** They name one database: server and database alike, whoever connects. */
bool cli_mariadb_url_same(const cli_mariadb_url *a, const cli_mariadb_url *b);

#endif
