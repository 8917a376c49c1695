/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cli.h - what every command is made of: its table, its context, how it answers.
 *
 * A command is data (cli_command) in a file of its own; parsing, --help, man pages and completions
 * read the same tables. */
#ifndef BO_CLI_CLI_H
#define BO_CLI_CLI_H

#include <jansson.h>
#include <stddef.h>

#include "backout/backout.h"
#include "base/arena.h"
#include "cli/config.h"
#include "report/grid.h"

typedef enum cli_kind {
    CLI_END,
    CLI_OPERAND,  /* const char *: one operand, required */
    CLI_OPTIONAL, /* const char *: one operand, or NULL */
    CLI_OPERANDS, /* cli_list: one or more operands */
    CLI_ANY,      /* cli_list: operands, or none */
    CLI_COMMAND,  /* char **: what stands after "--", or NULL */
    CLI_FLAG,     /* bool */
    CLI_UINT,     /* uint32_t */
    CLI_TEXT,     /* const char * */
    CLI_LIST,     /* cli_list: split at commas, may be repeated */
    CLI_TEXTS,    /* cli_list: may be repeated */
    CLI_CHOICE,   /* int: index into `value`, "full|partial"; the first is the default */
} cli_kind;

typedef struct cli_option {
    cli_kind kind;
    char letter; /* short option, or 0 */
    const char *name;
    const char *value; /* "ID", "full|partial"; NULL for flags */
    size_t offset;     /* in the struct of the arguments */
    const char *help;
} cli_option;

typedef struct cli_list {
    const char **items;
    size_t count;
} cli_list;

typedef struct cli cli;

typedef struct cli_command {
    const char *name;  /* "execute", "point create" */
    const char *alias; /* or NULL */
    const char *summary;
    const char *details;       /* paragraphs for --help and the manual, or NULL */
    const char *example;       /* lines to type, or NULL */
    const cli_option *options; /* ends with CLI_END */
    size_t args_size;
    const void *defaults; /* of the arguments; NULL: all zero */
    bool bare;            /* needs no configuration */
    bool rescues;         /* of use when the catalog is gone: a new one is made */
    bool recorded;        /* of use with what a catalog has: none is made for it */
    bool looks;           /* changes nothing: of use where nothing can be written */
    bool raw;             /* its stdout is data in a form of its own: no events in between */
    bo_status (*run)(cli *ctx, const void *args, bo_error *err);
} cli_command;

extern const cli_command *const cli_commands[]; /* ends with NULL */
extern const cli_option cli_global_options[];

typedef enum cli_output { CLI_OUTPUT_TEXT, CLI_OUTPUT_JSON, CLI_OUTPUT_JSONL } cli_output;
typedef enum cli_color { CLI_COLOR_AUTO, CLI_COLOR_ALWAYS, CLI_COLOR_NEVER } cli_color;

/** The global flags as they were given; choices are -1 when they were not. */
typedef struct cli_globals {
    const char *catalog, *config, *repository;
    int output, color;
    bool quiet, verbose, help, version;
} cli_globals;

/** One run of the program. */
struct cli {
    bo_arena *arena; /* lives as long as the program */
    cli_globals flags;
    cli_output output;
    bo_style style; /* of stdout */
    bool terminal;  /* a person can be asked: stdin and stderr are terminals */
    bool quiet, verbose;
    const cli_command *command; /* NULL before parsing ended */
    cli_config config;          /* after cli_config_find() */
    bool recorded;              /* these arguments need what a catalog has: none is made */
    bool looks;          /* they only look, as command->looks: where it is not needed and not there,
                            an empty catalog stands in */
    bo_session *session; /* after cli_session() */
    bool stands_in;      /* then: its catalog is one that stands in */
    const char *scratch; /* folder that is removed at the end; or NULL */
    bool no_scratch;     /* one was needed, and could not be made in TMPDIR */
    const char *point;   /* id of the point that the command is about; NULL: not known (yet) */
    json_t *result;      /* printed when the command has ended */
    bool answered;  /* a value stands on the standard output already: an error does not follow it */
    char hint[256]; /* advice that the command knows better than advice.c */
};

/** What to do now, for the error that is about to be returned. */
void cli_hint(cli *ctx, const char *format, ...) BO_PRINTF(2, 3);

/** The configuration, then catalog and repository; opened once.  BO_REFUSED without `init`, unless
 * ctx->looks. */
bo_status cli_session(cli *ctx, bo_session **out, bo_error *err);

#endif
