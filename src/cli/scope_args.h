/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/scope_args.h - options that several commands share: what a point is taken of. */
#ifndef BO_CLI_SCOPE_ARGS_H
#define BO_CLI_SCOPE_ARGS_H

#include "cli/cli.h"

struct scope_args {
    const char *db, *migration, *description;
    cli_list tables, where, entities;
    int method;
    bool no_closure;
};

#define CLI_NO_CLOSURE_HELP \
    "only what is named, not what foreign keys would delete or change with it"
/* Rows for the table of a command whose arguments begin with a scope_args. */
#define CLI_SCOPE(field) offsetof(struct scope_args, field)
#define CLI_SCOPE_OPTIONS                                                                         \
    {CLI_TEXT, 0, "db", "DB", CLI_SCOPE(db), "URL, path, or name in the configuration"},          \
        {CLI_LIST, 't', "tables", "T,...", CLI_SCOPE(tables),                                     \
            "these tables (default: every user table)"},                                          \
        {CLI_TEXTS, 'w', "where", "T: PREDICATE", CLI_SCOPE(where),                               \
            "only these rows of table T; may be repeated"},                                       \
        {CLI_FLAG, 0, "no-closure", NULL, CLI_SCOPE(no_closure), CLI_NO_CLOSURE_HELP},            \
        {CLI_TEXT, 'm', "migration", "NAME", CLI_SCOPE(migration), "the change this belongs to"}, \
        {CLI_TEXT, 'd', "description", "TEXT", CLI_SCOPE(description), "a note for people"},      \
        {CLI_TEXTS, 'e', "entity", "NAME=VALUE", CLI_SCOPE(entities),                             \
            "what it is about, to find it by (campaign=123)"},                                    \
    {                                                                                             \
        CLI_CHOICE, 0, "method", "snapshot|capture|both", CLI_SCOPE(method),                      \
            "keep all rows now, or rows as they change (by triggers)"                             \
    }

/** The options of a point; arrays live in ctx->arena. */
bo_status cli_scope_options(
    cli *ctx, const struct scope_args *args, bo_point_options *out, bo_error *err);
/** "T: PREDICATE" for each. */
bo_status cli_scope_where(cli *ctx, const cli_list *where, bo_scope_item **out, bo_error *err);
/** "NAME=VALUE". */
bo_status cli_scope_entity(cli *ctx, const char *text, bo_entity *out, bo_error *err);

#endif
