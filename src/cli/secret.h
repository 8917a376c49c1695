/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/secret.h - passwords and passphrases: from commands and files, never from argv. */
#ifndef BO_CLI_SECRET_H
#define BO_CLI_SECRET_H

#include <stdbool.h>

#include "backout/error.h"
#include "base/scope.h"

#define CLI_SECRET_LIMIT 4096

/** A secret; wiped when it is freed. */
typedef struct cli_secret cli_secret;
const char *cli_secret_text(const cli_secret *secret); /* NULL for NULL */
void cli_secret_free(cli_secret *secret);
BO_DEFINE_SCOPE(cli_secret);

/** Does `url` (or a libpq connection string) carry a password? */
bool cli_url_has_password(const char *url);
/** Overwrites an argument, so that a list of processes does not show it any longer. */
void cli_argument_wipe(const char *argument);

/** What `command` (for /bin/sh) prints, without the line end.  @param what  "the password". */
bo_status cli_secret_command(
    const char *command, const char *what, cli_secret **out, bo_error *err);
/** The content of a file that only its owner can read, without the line end. */
bo_status cli_secret_file(const char *path, const char *what, cli_secret **out, bo_error *err);

#endif
