/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/manual.c - manual pages in mdoc(7) from the tables of the commands. */
#include <string.h>

#include "base/text.h"
#include "cli/help.h"

#define MANUAL_DATE "November 20, 2026"

static bool is_operand(const cli_option *option)
{
    return option->kind >= CLI_OPERAND && option->kind <= CLI_COMMAND;
}

/* Text for roff: backslashes and hyphens escaped, no line begins with a control character. */
static void roff_n(bo_buf *out, const char *text, size_t size)
{
    bool begin = true;
    for (const char *end = text + size; text < end; text++) {
        if (begin && (*text == '.' || *text == '\''))
            bo_buf_add_str(out, "\\&");
        if (*text == '\\')
            bo_buf_add_str(out, "\\e");
        else if (*text == '-')
            bo_buf_add_str(out, "\\-");
        else
            bo_buf_add_byte(out, (uint8_t)*text);
        begin = *text == '\n';
    }
}

static void roff(bo_buf *out, const char *text)
{
    roff_n(out, text, strlen(text));
}

static void item(bo_buf *out, const cli_option *o)
{
    bo_buf_add_str(out, ".It ");
    if (is_operand(o)) {
        bo_buf_add_str(out, "Ar ");
        roff(out, o->value);
    } else {
        if (o->letter)
            bo_buf_printf(out, "Fl %c , ", o->letter);
        bo_buf_add_str(out, "Fl \\-");
        roff(out, o->name);
        if (o->value) {
            bo_buf_add_str(out, " Ar ");
            roff(out, o->value);
        }
    }
    bo_buf_add_byte(out, '\n');
    roff(out, o->help);
    bo_buf_add_str(out, ".\n");
}

static void items(bo_buf *out, const cli_option *table)
{
    if (table->kind == CLI_END)
        return;
    bo_buf_add_str(out, ".Bl -tag -width Ds\n");
    for (const cli_option *o = table; o->kind != CLI_END; o++)
        item(out, o);
    bo_buf_add_str(out, ".El\n");
}

/* "point create" as "point-create", in capitals for the title. */
static void page_name(bo_buf *out, const cli_command *command, bool capitals)
{
    const char *program = "backout";
    for (; *program; program++)
        bo_buf_add_byte(out, (uint8_t)(capitals ? bo_text_upper(*program) : *program));
    if (!command)
        return;
    bo_buf_add_byte(out, '-');
    for (const char *c = command->name; *c; c++)
        bo_buf_add_byte(out, (uint8_t)(*c == ' ' ? '-' : capitals ? bo_text_upper(*c) : *c));
}

static void head(bo_buf *out, const cli_command *command, const char *summary)
{
    bo_buf_add_str(out, ".Dd " MANUAL_DATE "\n.Dt ");
    page_name(out, command, true);
    bo_buf_add_str(out, " 1\n.Os\n.Sh NAME\n.Nm ");
    page_name(out, command, false);
    bo_buf_printf(out, "\n.Nd %s\n", summary);
}

static void exit_codes(bo_buf *out)
{
    static const struct {
        int code;
        const char *meaning;
    } rows[] = {
        {0, "done"},
        {1, "failed"},
        {2, "wrong usage"},
        {3, "refused: nothing was changed"},
        {4, "done, and something bad was found"},
        {5, "the outcome is unknown; the message says how to find out"},
        {130, "interrupted"},
    };
    bo_buf_add_str(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        bo_buf_printf(out, ".It %d\n%s\n", rows[i].code, rows[i].meaning);
    bo_buf_add_str(out, ".El\n");
}

static void see_also(bo_buf *out, const cli_command *command)
{
    bo_buf_add_str(out, ".Sh SEE ALSO\n");
    if (command) {
        bo_buf_add_str(out, ".Xr backout 1\n");
        return;
    }
    const char *last = NULL;
    for (size_t i = 0; cli_commands[i]; i++) {
        bo_buf_add_str(out, last ? " ,\n.Xr " : ".Xr ");
        page_name(out, cli_commands[i], false);
        bo_buf_add_str(out, " 1");
        last = cli_commands[i]->name;
    }
    bo_buf_add_byte(out, '\n');
}

static void program_page(bo_buf *out)
{
    head(out, NULL, "make changes of production data reversible");
    bo_buf_add_str(out, ".Sh SYNOPSIS\n.Nm backout\n.Op Ar options\n.Ar command ...\n"
                        ".Sh DESCRIPTION\n"
                        ".Nm\ntakes rollback points of tables, runs changes under their "
                        "protection, and returns to a point with proof.\n"
                        ".Pp\nThe commands:\n.Bl -tag -width Ds\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        bo_buf_printf(out, ".It Cm %s\n", cli_commands[i]->name);
        roff(out, cli_commands[i]->summary);
        bo_buf_add_str(out, "\n");
    }
    bo_buf_add_str(out, ".El\n.Pp\nOptions that every command knows:\n");
    items(out, cli_global_options);
    bo_buf_add_str(out, ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
                        ".It Ev BACKOUT_CATALOG , BACKOUT_REPOSITORY , BACKOUT_CONFIG , BACKOUT_DB "
                        ", BACKOUT_OUTPUT\nas the options of these names.\n"
                        ".It Ev BACKOUT_PASSWORD_FILE\n"
                        "a file of mode 0600 with the password of the database.\n"
                        ".It Ev BACKOUT_KEY_FILE , BACKOUT_PASSPHRASE_FILE\n"
                        "what snapshot files are encrypted with.\n"
                        ".It Ev NO_COLOR\nno colours.\n.El\n"
                        ".Sh FILES\n.Bl -tag -width Ds\n"
                        ".It Pa backout.yaml\n"
                        "the configuration, in the working folder or above.\n"
                        ".It Pa ~/.config/backout/backout.yaml\nthe user's own.\n.El\n");
}

static void example(bo_buf *out, const char *text)
{
    bo_buf_add_str(out, ".Sh EXAMPLES\n.Bd -literal\n");
    roff(out, text);
    bo_buf_add_str(out, "\n.Ed\n");
}

static void command_page(bo_buf *out, const cli_command *command)
{
    head(out, command, command->summary);
    bo_buf_add_str(out, ".Sh SYNOPSIS\n.Nm backout\n");
    BO_OWN_VALUE(bo_buf) usage = {0};
    cli_help_usage(&usage, command);
    bo_buf_add_str(out, ".Cm ");
    roff(out, bo_buf_str(&usage) + strlen("backout "));
    bo_buf_add_str(out, "\n.Sh DESCRIPTION\n");
    const char *details = command->details ? command->details : "";
    if (!details[0]) {
        bo_buf_add_byte(out, (uint8_t)bo_text_upper(command->summary[0]));
        roff(out, command->summary + 1);
        bo_buf_add_str(out, ".\n");
    }
    while (*details) {
        const char *end = strstr(details, "\n\n");
        roff_n(out, details, end ? (size_t)(end - details) : strlen(details));
        bo_buf_add_str(out, end ? "\n.Pp\n" : "\n");
        details = end ? end + 2 : "";
    }
    items(out, command->options);
    bo_buf_add_str(out, ".Pp\nThe options that every command knows are in\n.Xr backout 1 .\n");
}

void cli_manual(bo_buf *out, const cli_command *command)
{
    if (command)
        command_page(out, command);
    else
        program_page(out);
    exit_codes(out);
    if (command && command->example)
        example(out, command->example);
    see_also(out, command);
}
