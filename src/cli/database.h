/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/database.h - which database a command works on, and who may do what to it. */
#ifndef BO_CLI_DATABASE_H
#define BO_CLI_DATABASE_H

#include "cli/cli.h"
#include "cli/secret.h"

typedef struct cli_database {
    bo_database db;
    const cli_database_config *config; /* NULL: the configuration does not know it */
    const char *shown;                 /* its name, or the URL without password */
    cli_secret *password;
} cli_database;
void cli_database_done(cli_database *database);

/**
 * The database of `--db`: a name of the configuration, a URL, or a path; without it BACKOUT_DB,
 * or the only one of the configuration.  A URL that the configuration knows is taken with all
 * that is said of it there.
 */
bo_status cli_database_find(cli *ctx, const char *flag, cli_database *out, bo_error *err);
/** The database that `point` was taken of, unless `flag` names another. */
bo_status cli_database_of(
    cli *ctx, const char *flag, const bo_point *point, cli_database *out, bo_error *err);

typedef enum cli_right {
    CLI_MAY_CREATE,
    CLI_MAY_EXECUTE,
    CLI_MAY_PRUNE,
    CLI_MAY_RELEASE, /* who may prune may end a capture */
    CLI_MAY_FIX,     /* and may remove what nobody needs */
} cli_right;

/** Refuses what the `allow` lists of the configuration do not let this user do. */
bo_status cli_permit(
    cli *ctx, const cli_database *database, cli_right right, const char *object, bo_error *err);

/** What is asked before something is changed. */
typedef struct cli_consent {
    const char *event;   /* of the audit log: "rollback.execute" */
    const char *object;  /* point id, or table */
    const char *what;    /* "roll back to rb_..." */
    bool production;     /* --production was given */
    bool yes;            /* --yes was given */
    const char *unasked; /* what to do where nobody can be asked; NULL: --yes, or --dry-run */
} cli_consent;

/**
 * A production database needs --production; then a person is asked, unless --yes.  Without a
 * terminal and without --yes it is a refusal.  Refusals are recorded in the audit log.
 *
 * @param database  may be NULL: what is done concerns no single one.
 */
bo_status cli_consent_get(
    cli *ctx, const cli_database *database, const cli_consent *consent, bo_error *err);

#endif
