/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/subject.c - every command with an ID begins alike. */
#include "cli/subject.h"

bo_status cli_subject_find(
    cli *ctx, const char *id, const char *db, cli_subject *out, bo_error *err)
{
    bo_status st = cli_session(ctx, &out->session, err);
    if (st == BO_OK)
        st = bo_point_get(out->session, id, &out->list, err);
    if (st != BO_OK)
        return st;
    out->point = bo_point_list_get(out->list, 0);
    return cli_database_of(ctx, db, out->point, &out->database, err);
}

void cli_subject_done(cli_subject *subject)
{
    bo_point_list_free(subject->list);
    cli_database_done(&subject->database);
}
