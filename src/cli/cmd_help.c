/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_help.c - help, version, completion: commands that need no configuration. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/parse.h"

struct help_args {
    cli_list words;
    bool man;
};

#define AT(field) offsetof(struct help_args, field)
static const cli_option help_options[] = {
    {CLI_ANY, 0, "command", "COMMAND", AT(words), "the command to explain"},
    {CLI_FLAG, 0, "man", NULL, AT(man), "as a manual page in mdoc(7)"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

static bo_status help(cli *ctx, const void *arguments, bo_error *err)
{
    const struct help_args *args = arguments;
    const cli_command *command = NULL;
    char name[64] = "";
    if (args->words.count) {
        (void)snprintf(name, sizeof name, "%s%s%s", args->words.items[0],
            args->words.count > 1 ? " " : "", args->words.count > 1 ? args->words.items[1] : "");
        command = cli_command_find(name);
        if (!command) {
            cli_hint(ctx, "the commands: backout help");
            return bo_fail(err, BO_INVALID, "unknown command '%s'", name);
        }
    }
    BO_OWN_VALUE(bo_buf) text = {0};
    if (args->man)
        cli_manual(&text, command);
    else if (command)
        cli_help_command(&text, command);
    else
        cli_help_overview(&text);
    return cli_print(ctx, &text, err);
}

const cli_command cmd_help = {
    .name = "help",
    .summary = "explain a command",
    .options = help_options,
    .args_size = sizeof(struct help_args),
    .raw = true,
    .bare = true,
    .run = help,
};

static const cli_option no_options[] = {
    {CLI_END, 0, NULL, NULL, 0, NULL},
};

static bo_status version(cli *ctx, const void *arguments, bo_error *err)
{
    (void)arguments;
    if (!cli_is_text(ctx))
        return cli_result(ctx, json_pack("{s:s}", "version", bo_version()), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_buf_printf(&text, "backout %s\n", bo_version());
    return cli_print(ctx, &text, err);
}

const cli_command cmd_version = {
    .name = "version",
    .summary = "print the version",
    .options = no_options,
    .bare = true,
    .run = version,
};

struct completion_args {
    const char *shell;
};

static const cli_option completion_options[] = {
    {CLI_OPERAND, 0, "shell", "bash|zsh|fish", offsetof(struct completion_args, shell),
        "the shell"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};

static bo_status completion(cli *ctx, const void *arguments, bo_error *err)
{
    const struct completion_args *args = arguments;
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_status st = cli_completion(&text, args->shell, err);
    return st == BO_OK ? cli_print(ctx, &text, err) : st;
}

const cli_command cmd_completion = {
    .name = "completion",
    .summary = "print completions for a shell",
    .example = "backout completion bash > ~/.local/share/bash-completion/completions/backout",
    .options = completion_options,
    .args_size = sizeof(struct completion_args),
    .raw = true,
    .bare = true,
    .run = completion,
};
