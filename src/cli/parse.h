/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/parse.h - a command line read against the tables of the commands. */
#ifndef BO_CLI_PARSE_H
#define BO_CLI_PARSE_H

#include "cli/cli.h"

/**
 * Reads `argv`.  Global flags may stand before and after the command; operands and options may be
 * mixed; "--" ends the options.
 *
 * With --help or --version, operands may be missing and *command may be NULL.
 *
 * @param command  set on BO_OK, and also when the command was known before the mistake.
 * @param args     the struct of the command, in ctx->arena.
 * @retval BO_INVALID  ctx->hint may name what was meant.
 */
bo_status cli_parse(
    cli *ctx, int argc, char **argv, const cli_command **command, const void **args, bo_error *err);

/** The command with this name or alias ("execute", "point create"), or NULL. */
const cli_command *cli_command_find(const char *name);

/** The text form of the outcome before parsing: is JSON asked for in `argv` or the environment? */
cli_output cli_output_guess(int argc, char **argv);

/** The nearer of two words to `word` that may be a typing mistake for it. */
bool cli_is_near(const char *word, const char *candidate);

#endif
