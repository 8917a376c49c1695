/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/help.h - --help, the manual and completions, all from the tables of the commands. */
#ifndef BO_CLI_HELP_H
#define BO_CLI_HELP_H

#include "cli/cli.h"

/** All commands with their summaries. */
void cli_help_overview(bo_buf *out);
/** One command: usage, options, example. */
void cli_help_command(bo_buf *out, const cli_command *command);
/** "backout execute ID [--type ...]". */
void cli_help_usage(bo_buf *out, const cli_command *command);
/** A manual page in mdoc(7): of `command`, or of the program when it is NULL. */
void cli_manual(bo_buf *out, const cli_command *command);
/** Completions for "bash", "zsh" or "fish". */
bo_status cli_completion(bo_buf *out, const char *shell, bo_error *err);

#endif
