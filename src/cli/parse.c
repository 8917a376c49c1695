/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/parse.c - a command line read against the tables of the commands. */
#include "cli/parse.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/secret.h"

#define MAX_OPTIONS  64
#define FIRST_OPTION 0x1000 /* getopt values: this + index of the option */
#define WORD_LIMIT   32

#define G(field) offsetof(cli_globals, field)
const cli_option cli_global_options[] = {
    {CLI_TEXT, 0, "catalog", "URL", G(catalog), "where points, runs and the audit log are kept"},
    {CLI_TEXT, 0, "repository", "DIR", G(repository), "where snapshot files are kept"},
    {CLI_TEXT, 0, "config", "FILE", G(config),
        "the configuration (default: backout.yaml here or "
        "above)"},
    {CLI_CHOICE, 0, "output", "text|json|jsonl", G(output), "form of the answer"},
    {CLI_CHOICE, 0, "color", "auto|always|never", G(color), "colours"},
    {CLI_FLAG, 'q', "quiet", NULL, G(quiet), "no progress, no remarks"},
    {CLI_FLAG, 'v', "verbose", NULL, G(verbose), "say what is read and used"},
    {CLI_FLAG, 'h', "help", NULL, G(help), "explain the command"},
    {CLI_FLAG, 0, "version", NULL, G(version), "print the version"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};

/* What getopt_long() is given, and where each value goes. */
typedef struct options {
    struct option longs[MAX_OPTIONS + 1];
    char shorts[3 * MAX_OPTIONS];
    struct {
        const cli_option *option;
        void *base;
    } targets[MAX_OPTIONS];
    size_t count;
} options;

typedef struct parser {
    cli *ctx;
    int argc;
    char **argv;
    const cli_command *command;
    void *args;
    cli_list operands;
    bo_error *err;
} parser;

static bool is_operand(const cli_option *option)
{
    return option->kind >= CLI_OPERAND && option->kind <= CLI_COMMAND;
}

static void add_options(options *set, const cli_option *table, void *base)
{
    for (const cli_option *o = table; o && o->kind != CLI_END; o++) {
        if (is_operand(o) || set->count == MAX_OPTIONS)
            continue;
        int value = FIRST_OPTION + (int)set->count;
        set->longs[set->count] = (struct option){.name = o->name,
            .has_arg = o->kind == CLI_FLAG ? no_argument : required_argument,
            .val = value};
        if (o->letter) {
            size_t end = strlen(set->shorts);
            set->shorts[end++] = o->letter;
            if (o->kind != CLI_FLAG)
                set->shorts[end++] = ':';
            set->shorts[end] = '\0';
        }
        set->targets[set->count].option = o;
        set->targets[set->count++].base = base;
    }
}

bool cli_is_near(const char *word, const char *candidate)
{
    size_t n = strlen(word), m = strlen(candidate);
    if (n > WORD_LIMIT || m > WORD_LIMIT || n == 0)
        return false;
    if (n >= 3 && strncmp(word, candidate, n) == 0)
        return true;
    unsigned d[WORD_LIMIT + 1][WORD_LIMIT + 1]; /* Damerau-Levenshtein distances of prefixes */
    for (size_t i = 0; i <= n; i++)
        d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            unsigned best = d[i - 1][j - 1] + (word[i - 1] != candidate[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] &&
                word[i - 2] == candidate[j - 1] && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[n][m] <= (n > 4 ? 2 : 1);
}

static bo_status unknown_option(parser *p, const options *set, const char *text)
{
    size_t size = strcspn(text, "=");
    char name[WORD_LIMIT + 1];
    (void)snprintf(name, sizeof name, "%.*s", (int)size, text);
    const char *bare = name + strspn(name, "-");
    for (size_t i = 0; i < set->count; i++) {
        if (cli_is_near(bare, set->longs[i].name)) {
            cli_hint(p->ctx, "did you mean '--%s'?", set->longs[i].name);
            break;
        }
    }
    if (!p->ctx->hint[0])
        cli_hint(p->ctx, "options: backout%s%s --help", p->command ? " " : "",
            p->command ? p->command->name : "");
    return bo_fail(p->err, BO_INVALID, "unknown option '%.*s'", (int)size, text);
}

static bo_status add_item(parser *p, cli_list *list, const char *item)
{
    const char **items = bo_arena_grow(p->ctx->arena, list->items, list->count, sizeof *items);
    if (!items)
        return bo_nomem(p->err);
    list->items = items;
    list->items[list->count++] = item;
    return BO_OK;
}

/* "a, b" as two items; a comma inside the quotes of a name, "..." or `...`, belongs to it.  An
 * empty item is a mistake: an unset variable of a shell must not stand for everything. */
static bo_status add_split(parser *p, const cli_option *option, cli_list *list, const char *text)
{
    for (const char *at = text;; at++) {
        char quote = '\0';
        at += strspn(at, " \t");
        const char *end = at;
        for (; *end && (quote || *end != ','); end++) {
            if (quote ? *end == quote : *end == '"' || *end == '`')
                quote = quote ? '\0' : *end;
        }
        size_t size = (size_t)(end - at);
        while (size && strchr(" \t", at[size - 1]))
            size--;
        if (size == 0 && !text[strspn(text, " \t")])
            return bo_fail(p->err, BO_INVALID, "--%s needs a value", option->name);
        if (size == 0)
            return bo_fail(
                p->err, BO_INVALID, "--%s has an empty name in '%s'", option->name, text);
        const char *item = bo_arena_strn(p->ctx->arena, at, size);
        bo_status st = item ? add_item(p, list, item) : bo_nomem(p->err);
        if (st != BO_OK || !*end)
            return st;
        at = end;
    }
}

static bo_status store_uint(parser *p, const cli_option *option, uint32_t *out, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value > UINT32_MAX)
        return bo_fail(
            p->err, BO_INVALID, "--%s needs a whole number, not '%s'", option->name, text);
    *out = (uint32_t)value;
    return BO_OK;
}

static bo_status store_choice(parser *p, const cli_option *option, int *out, const char *text)
{
    size_t size = strlen(text);
    const char *at = option->value;
    for (int index = 0;; index++) {
        size_t word = strcspn(at, "|");
        if (word == size && strncmp(at, text, size) == 0) {
            *out = index;
            return BO_OK;
        }
        if (at[word] == '\0')
            break;
        at += word + 1;
    }
    return bo_fail(
        p->err, BO_INVALID, "--%s is one of %s, not '%s'", option->name, option->value, text);
}

/* Errors name arguments, and what a command did is recorded. */
static bo_status refuse_password(parser *p, const char *what, const char *text)
{
    if (!cli_url_has_password(text))
        return BO_OK;
    cli_argument_wipe(text);
    cli_hint(p->ctx, "put it into ~/.pgpass, into password_command in " CLI_CONFIG_NAME
                     ", or name a file in BACKOUT_PASSWORD_FILE");
    return bo_fail(p->err, BO_INVALID,
        "%s has a password in it, which every user of the machine can see", what);
}

/* An argument that should have been an option's. */
static bo_status refuse_url(parser *p, const char *text)
{
    return strstr(text, "://") ? refuse_password(p, "an argument", text) : BO_OK;
}

static bo_status store_text(parser *p, const cli_option *option, const char **out, const char *text)
{
    char name[WORD_LIMIT];
    (void)snprintf(name, sizeof name, "--%s", option->name);
    bool url = strcmp(option->value, "DB") == 0 || strcmp(option->value, "URL") == 0;
    bo_status st = url ? refuse_password(p, name, text) : BO_OK;
    if (st != BO_OK)
        return st;
    if (text[0] == '\0')
        return bo_fail(p->err, BO_INVALID, "--%s needs a value", option->name);
    *out = text;
    return BO_OK;
}

static bo_status store(parser *p, const cli_option *option, void *base, const char *text)
{
    void *field = (char *)base + option->offset;
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)field = true;
        return BO_OK;
    case CLI_UINT:
        return store_uint(p, option, field, text);
    case CLI_CHOICE:
        return store_choice(p, option, field, text);
    case CLI_LIST:
        return add_split(p, option, field, text);
    case CLI_TEXTS:
        return add_item(p, field, text);
    default:
        return store_text(p, option, field, text);
    }
}

/* What getopt_long() returned for an option. */
static bo_status take(parser *p, const options *set, int got, const char *text)
{
    if (got == ':')
        return bo_fail(p->err, BO_INVALID, "option '%s' needs a value", text);
    if (got == '?' && optopt >= FIRST_OPTION)
        return bo_fail(p->err, BO_INVALID, "option '--%s' takes no value",
            set->longs[optopt - FIRST_OPTION].name);
    if (got == '?' && optopt) {
        char letter[3] = {'-', (char)optopt, '\0'};
        return unknown_option(p, set, letter);
    }
    if (got == '?')
        return unknown_option(p, set, text);
    for (size_t i = 0; i < set->count; i++) {
        if (got == FIRST_OPTION + (int)i || got == set->targets[i].option->letter)
            return store(p, set->targets[i].option, set->targets[i].base, optarg);
    }
    return unknown_option(p, set, text);
}

/* Global flags up to the next word; *at is its index in argv. */
static bo_status globals_before(parser *p, int *at)
{
    options set = {.shorts = "+:"};
    add_options(&set, cli_global_options, &p->ctx->flags);
    char *name = p->argv[*at - 1]; /* getopt_long() takes argv[0] for the name of the program */
    optind = 0;
    int got;
    char **argv = p->argv + *at - 1;
    int argc = p->argc - *at + 1;
    while ((got = getopt_long(argc, argv, set.shorts, set.longs, NULL)) != -1) {
        bo_status st = take(p, &set, got, argv[optind - 1]);
        if (st != BO_OK)
            return st;
    }
    p->argv[*at - 1] = name;
    *at += optind - 1;
    return BO_OK;
}

static bool is_group(const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; cli_commands[i]; i++)
        if (strncmp(cli_commands[i]->name, word, size) == 0 && cli_commands[i]->name[size] == ' ')
            return true;
    return false;
}

const cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++) {
        const cli_command *c = cli_commands[i];
        if (strcmp(c->name, name) == 0 || (c->alias && strcmp(c->alias, name) == 0))
            return c;
    }
    return NULL;
}

static bo_status unknown_command(parser *p, const char *word)
{
    bo_status st = refuse_url(p, word);
    if (st != BO_OK)
        return st;
    for (size_t i = 0; cli_commands[i]; i++) {
        const cli_command *c = cli_commands[i];
        if (cli_is_near(word, c->name) || (c->alias && cli_is_near(word, c->alias))) {
            cli_hint(p->ctx, "did you mean 'backout %s'?", c->name);
            break;
        }
    }
    if (!p->ctx->hint[0])
        cli_hint(p->ctx, "the commands: backout help");
    return bo_fail(p->err, BO_INVALID, "unknown command '%s'", word);
}

/* Finds the command of one or two words; *at is behind it. */
static bo_status find_command(parser *p, int *at)
{
    bo_status st = globals_before(p, at);
    if (st != BO_OK || *at >= p->argc)
        return st;
    const char *word = p->argv[(*at)++];
    p->command = cli_command_find(word);
    if (p->command || !is_group(word))
        return p->command ? BO_OK : unknown_command(p, word);
    st = globals_before(p, at);
    if (st != BO_OK)
        return st;
    char name[2 * WORD_LIMIT];
    const char *second = *at < p->argc ? p->argv[(*at)++] : "";
    (void)snprintf(name, sizeof name, "%s %s", word, second);
    p->command = cli_command_find(name);
    if (p->command || p->ctx->flags.help)
        return BO_OK;
    if (second[0])
        return unknown_command(p, name);
    cli_hint(p->ctx, "the commands: backout help");
    return bo_fail(p->err, BO_INVALID, "'%s' needs a second word", word);
}

/* Options and operands behind the command. */
static bo_status read_arguments(parser *p, int at)
{
    options set = {.shorts = "-:"}; /* '-': operands in their order, nothing is moved */
    add_options(&set, p->command->options, p->args);
    add_options(&set, cli_global_options, &p->ctx->flags);
    char **argv = p->argv + at - 1;
    int argc = p->argc - at + 1;
    optind = 0;
    int got;
    while ((got = getopt_long(argc, argv, set.shorts, set.longs, NULL)) != -1) {
        bo_status st =
            got == 1 ? add_item(p, &p->operands, optarg) : take(p, &set, got, argv[optind - 1]);
        if (st != BO_OK)
            return st;
    }
    char **rest = argv + optind;
    for (const cli_option *o = p->command->options; o->kind != CLI_END; o++) {
        if (o->kind == CLI_COMMAND) {
            *(char ***)(void *)((char *)p->args + o->offset) = *rest ? rest : NULL;
            return BO_OK;
        }
    }
    for (; *rest; rest++) {
        bo_status st = add_item(p, &p->operands, *rest);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

static bo_status missing(parser *p, const cli_option *option)
{
    cli_hint(p->ctx, "usage: backout %s --help", p->command->name);
    return bo_fail(p->err, BO_INVALID, "'backout %s' needs %s", p->command->name, option->value);
}

static bo_status give_operands(parser *p)
{
    cli_list rest = p->operands;
    for (size_t i = 0; i < rest.count; i++) {
        bo_status st = refuse_url(p, rest.items[i]);
        if (st != BO_OK)
            return st;
    }
    for (const cli_option *o = p->command->options; o->kind != CLI_END; o++) {
        void *field = (char *)p->args + o->offset;
        if (o->kind == CLI_OPERAND || o->kind == CLI_OPTIONAL) {
            if (rest.count == 0 && o->kind == CLI_OPERAND)
                return missing(p, o);
            if (rest.count) {
                *(const char **)field = *rest.items++;
                rest.count--;
            }
        } else if (o->kind == CLI_OPERANDS || o->kind == CLI_ANY) {
            if (rest.count == 0 && o->kind == CLI_OPERANDS)
                return missing(p, o);
            *(cli_list *)field = rest;
            rest.count = 0;
        }
    }
    if (rest.count)
        return bo_fail(p->err, BO_INVALID, "'%s' is one argument too many for 'backout %s'",
            rest.items[0], p->command->name);
    return BO_OK;
}

bo_status cli_parse(
    cli *ctx, int argc, char **argv, const cli_command **command, const void **args, bo_error *err)
{
    parser p = {.ctx = ctx, .argc = argc, .argv = argv, .err = err};
    ctx->flags.output = ctx->flags.color = -1;
    opterr = 0;
    int at = 1;
    bo_status st = find_command(&p, &at);
    *command = p.command;
    if (st != BO_OK || !p.command)
        return st;
    p.args = bo_arena_alloc(ctx->arena, p.command->args_size ? p.command->args_size : 1);
    if (!p.args)
        return bo_nomem(err);
    if (p.command->defaults)
        memcpy(p.args, p.command->defaults, p.command->args_size);
    st = read_arguments(&p, at);
    if (st != BO_OK)
        return st;
    *args = p.args;
    return ctx->flags.help || ctx->flags.version ? BO_OK : give_operands(&p);
}

cli_output cli_output_guess(int argc, char **argv)
{
    const char *said = getenv("BACKOUT_OUTPUT");
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (bo_text_starts(argv[i], "--output="))
            said = argv[i] + strlen("--output=");
        else if (strcmp(argv[i], "--output") == 0 && i + 1 < argc)
            said = argv[i + 1];
    }
    if (said && strcmp(said, "json") == 0)
        return CLI_OUTPUT_JSON;
    return said && strcmp(said, "jsonl") == 0 ? CLI_OUTPUT_JSONL : CLI_OUTPUT_TEXT;
}
