/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/help.c - --help from the tables of the commands. */
#include "cli/help.h"

#include <string.h>

#define HELP_COLUMN 28

static bool is_operand(const cli_option *option)
{
    return option->kind >= CLI_OPERAND && option->kind <= CLI_COMMAND;
}

static void usage_operand(bo_buf *out, const cli_option *option)
{
    static const char *const forms[] = {
        [CLI_OPERAND] = " %s",
        [CLI_OPTIONAL] = " [%s]",
        [CLI_OPERANDS] = " %s...",
        [CLI_ANY] = " [%s...]",
        [CLI_COMMAND] = " [-- %s]",
    };
    const char *form = forms[option->kind];
    const char *at = strstr(form, "%s");
    bo_buf_add(out, form, (size_t)(at - form));
    bo_buf_add_str(out, option->value);
    bo_buf_add_str(out, at + 2);
}

void cli_help_usage(bo_buf *out, const cli_command *command)
{
    bool options = false;
    bo_buf_printf(out, "backout %s", command->name);
    for (const cli_option *o = command->options; o->kind != CLI_END; o++)
        options = options || !is_operand(o);
    if (options)
        bo_buf_add_str(out, " [options]");
    for (const cli_option *o = command->options; o->kind != CLI_END; o++)
        if (is_operand(o))
            usage_operand(out, o);
}

static void option_line(bo_buf *out, const cli_option *o)
{
    BO_OWN_VALUE(bo_buf) left = {0};
    if (o->letter)
        bo_buf_printf(&left, "-%c, ", o->letter);
    bo_buf_printf(&left, "--%s", o->name);
    if (o->value)
        bo_buf_printf(&left, " %s", o->value);
    if (left.size < HELP_COLUMN)
        bo_buf_printf(out, "  %-*s %s\n", HELP_COLUMN, bo_buf_str(&left), o->help);
    else
        bo_buf_printf(out, "  %s\n  %-*s %s\n", bo_buf_str(&left), HELP_COLUMN, "", o->help);
    out->failed = out->failed || left.failed;
}

static void option_lines(bo_buf *out, const char *title, const cli_option *table)
{
    bool any = false;
    for (const cli_option *o = table; o->kind != CLI_END; o++) {
        if (is_operand(o))
            continue;
        if (!any)
            bo_buf_printf(out, "\n%s:\n", title);
        any = true;
        option_line(out, o);
    }
}

/* The text, every line indented. */
static void indented(bo_buf *out, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        bo_buf_printf(out, "  %.*s\n", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

void cli_help_command(bo_buf *out, const cli_command *command)
{
    bo_buf_add_str(out, "usage: ");
    cli_help_usage(out, command);
    bo_buf_printf(out, "\n\n%s\n", command->summary);
    if (command->details)
        bo_buf_printf(out, "\n%s\n", command->details);
    bool any = false;
    for (const cli_option *o = command->options; o->kind != CLI_END; o++) {
        if (!is_operand(o))
            continue;
        if (!any)
            bo_buf_add_byte(out, '\n');
        any = true;
        bo_buf_printf(out, "  %-*s %s\n", HELP_COLUMN, o->value, o->help);
    }
    option_lines(out, "options", command->options);
    option_lines(out, "global options, before or after the command", cli_global_options);
    if (command->example) {
        bo_buf_add_str(out, "\nexample:\n");
        indented(out, command->example);
    }
}

void cli_help_overview(bo_buf *out)
{
    bo_buf_add_str(out, "usage: backout [global options] COMMAND ...\n\n"
                        "Makes changes of production data reversible: take a point, change, and "
                        "return to it\nwith proof. PostgreSQL, MariaDB and SQLite.\n\ncommands:\n");
    for (size_t i = 0; cli_commands[i]; i++)
        bo_buf_printf(out, "  %-14s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    option_lines(out, "global options, before or after the command", cli_global_options);
    bo_buf_add_str(out, "\nexit codes: 0 done, 1 failed, 2 wrong usage, 3 refused and nothing was "
                        "changed,\n4 done and something bad was found, 5 outcome unknown, 130 "
                        "interrupted\n\n"
                        "first steps: backout demo; backout help COMMAND\n");
}
