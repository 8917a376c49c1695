/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/completion.c - completions for bash, zsh and fish from the tables of the commands. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/help.h"

static bool is_operand(const cli_option *option)
{
    return option->kind >= CLI_OPERAND && option->kind <= CLI_COMMAND;
}

/* `text` inside single quotes of a shell. */
static void quoted(bo_buf *out, const char *text)
{
    bo_buf_add_byte(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            bo_buf_add_str(out, "'\\''");
        else
            bo_buf_add_byte(out, (uint8_t)*text);
    }
    bo_buf_add_byte(out, '\'');
}

/* The first words of all commands, each once: commands of a group stand together. */
static void words(bo_buf *out)
{
    const char *last = "";
    size_t last_size = 0;
    for (size_t i = 0; cli_commands[i]; i++) {
        const char *name = cli_commands[i]->name;
        size_t size = strcspn(name, " ");
        if (size == last_size && strncmp(name, last, size) == 0)
            continue;
        bo_buf_printf(out, "%.*s ", (int)size, name);
        last = name;
        last_size = size;
    }
}

static void long_options(bo_buf *out, const cli_option *table)
{
    for (const cli_option *o = table; o->kind != CLI_END; o++)
        if (!is_operand(o))
            bo_buf_printf(out, "--%s ", o->name);
}

static void choices(bo_buf *out, const cli_option *o)
{
    for (const char *c = o->value; *c; c++)
        bo_buf_add_byte(out, (uint8_t)(*c == '|' ? ' ' : *c));
}

/* Which options take one of some words, for `case "$previous"`. */
static void choice_cases(bo_buf *out, const cli_option *table, const char *command)
{
    for (const cli_option *o = table; o->kind != CLI_END; o++) {
        if (o->kind != CLI_CHOICE)
            continue;
        bo_buf_printf(out, "    \"%s --%s\") words='", command, o->name);
        choices(out, o);
        bo_buf_add_str(out, "' ;;\n");
    }
}

static void bash(bo_buf *out)
{
    bo_buf_add_str(out,
        "# bash completion for backout\n_backout() {\n"
        "  local current=${COMP_WORDS[COMP_CWORD]} command= word words=\n"
        "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "    case $word in -*) ;; *) command=\"${command:+$command }$word\" ;; esac\n"
        "    case $command in point|'') ;; *) break ;; esac\n  done\n"
        "  case \"$command ${COMP_WORDS[COMP_CWORD-1]}\" in\n");
    for (size_t i = 0; cli_commands[i]; i++)
        choice_cases(out, cli_commands[i]->options, cli_commands[i]->name);
    bo_buf_add_str(out, "    *--output) words='text json jsonl' ;;\n"
                        "    *--color) words='auto always never' ;;\n"
                        "    *) case $command in\n      '') words='");
    words(out);
    long_options(out, cli_global_options);
    bo_buf_add_str(out, "' ;;\n      point) words='");
    for (size_t i = 0; cli_commands[i]; i++)
        if (bo_text_starts(cli_commands[i]->name, "point "))
            bo_buf_printf(out, "%s ", cli_commands[i]->name + strlen("point "));
    bo_buf_add_str(out, "' ;;\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        bo_buf_printf(out, "      '%s') words='", cli_commands[i]->name);
        long_options(out, cli_commands[i]->options);
        long_options(out, cli_global_options);
        bo_buf_add_str(out, "' ;;\n");
    }
    bo_buf_add_str(out, "      esac ;;\n  esac\n"
                        "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n"
                        "complete -o default -F _backout backout\n");
}

static void zsh(bo_buf *out)
{
    bo_buf_add_str(out, "#compdef backout\n"
                        "# zsh completion for backout: that of bash, through bashcompinit\n"
                        "autoload -U +X bashcompinit && bashcompinit\n");
    bash(out);
}

static void fish_option(bo_buf *out, const char *condition, const cli_option *o)
{
    bo_buf_printf(out, "complete -c backout%s -l %s", condition, o->name);
    if (o->letter)
        bo_buf_printf(out, " -s %c", o->letter);
    if (o->kind == CLI_CHOICE) {
        bo_buf_add_str(out, " -x -a '");
        choices(out, o);
        bo_buf_add_str(out, "'");
    } else if (o->kind != CLI_FLAG) {
        bo_buf_add_str(out, " -r");
    }
    bo_buf_add_str(out, " -d ");
    quoted(out, o->help);
    bo_buf_add_byte(out, '\n');
}

static void fish(bo_buf *out)
{
    bo_buf_add_str(out, "# fish completion for backout\n");
    for (const cli_option *o = cli_global_options; o->kind != CLI_END; o++)
        fish_option(out, "", o);
    for (size_t i = 0; cli_commands[i]; i++) {
        const cli_command *c = cli_commands[i];
        size_t size = strcspn(c->name, " ");
        const char *second = c->name[size] ? c->name + size + 1 : NULL;
        bo_buf_printf(
            out, "complete -c backout -f -n __fish_use_subcommand -a %.*s", (int)size, c->name);
        bo_buf_add_str(out, " -d ");
        quoted(out, c->summary);
        bo_buf_add_byte(out, '\n');
        BO_OWN_VALUE(bo_buf) condition = {0};
        bo_buf_printf(&condition, " -n '__fish_seen_subcommand_from %.*s'", (int)size, c->name);
        if (second)
            bo_buf_printf(out, "complete -c backout -f%s -a %s\n", bo_buf_str(&condition), second);
        for (const cli_option *o = c->options; o->kind != CLI_END; o++)
            if (!is_operand(o))
                fish_option(out, bo_buf_str(&condition), o);
        out->failed = out->failed || condition.failed;
    }
}

bo_status cli_completion(bo_buf *out, const char *shell, bo_error *err)
{
    if (strcmp(shell, "bash") == 0)
        bash(out);
    else if (strcmp(shell, "zsh") == 0)
        zsh(out);
    else if (strcmp(shell, "fish") == 0)
        fish(out);
    else
        return bo_fail(err, BO_INVALID, "no completions for '%s': bash, zsh or fish", shell);
    return bo_buf_check(out, err);
}
