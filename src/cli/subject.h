/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/subject.h - what a command with an ID is about: the point, and the database it is of. */
#ifndef BO_CLI_SUBJECT_H
#define BO_CLI_SUBJECT_H

#include "cli/answer.h"
#include "cli/database.h"

typedef struct cli_subject {
    bo_session *session; /* of the cli */
    bo_point_list *list;
    const bo_point *point;
    cli_database database;
} cli_subject;

/** Finds point `id`; its database is `db` when that is given, otherwise the one it was taken of. */
bo_status cli_subject_find(
    cli *ctx, const char *id, const char *db, cli_subject *out, bo_error *err);
/** The newest point that one can return to, of a change, or with `backups` those, too; NULL: there
 * is none.  @param migration  only of it, or NULL.  @param db  rather one of that database than of
 * others, or NULL. */
bo_status cli_latest(cli *ctx, const char *migration, const char *db, bool backups,
    const char **id_out, bo_error *err);
void cli_subject_done(cli_subject *subject); /* BO_OWN_VALUE(cli_subject) on = {0}; */

#endif
