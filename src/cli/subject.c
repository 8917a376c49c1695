/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/subject.c - every command with an ID begins alike. */
#include "cli/subject.h"

#include <string.h>

static bo_status find_newest(
    cli *ctx, const bo_point_query *query, const char **id_out, bo_error *err)
{
    BO_OWN(bo_point_list) *list = NULL;
    bo_status st = bo_point_find(ctx->session, query, &list, err);
    *id_out = NULL;
    if (st != BO_OK || bo_point_list_count(list) == 0)
        return st;
    *id_out = bo_arena_str(ctx->arena, bo_point_list_get(list, 0)->id);
    return *id_out ? BO_OK : bo_nomem(err);
}

bo_status cli_latest(cli *ctx, const char *migration, const char *db, bool backups,
    const char **id_out, bo_error *err)
{
    BO_OWN_VALUE(cli_database) database = {0};
    bo_point_query query = {
        .migration = migration, .usable = true, .of_a_change = !backups, .limit = 1};
    bo_status st = BO_OK;
    *id_out = NULL;
    if (db) {
        st = cli_database_find(ctx, db, &database, err);
        query.database = database.shown;
        if (st == BO_OK)
            st = find_newest(ctx, &query, id_out, err);
        query.database = NULL;
    }
    return st == BO_OK && !*id_out ? find_newest(ctx, &query, id_out, err) : st;
}

/* "latest" with a database; the word itself where there is none, and what is wrong is said then. */
static bo_status narrow_latest(cli *ctx, const char *db, const char **id, bo_error *err)
{
    const char *latest = NULL;
    if (!db || strcmp(*id, "latest") != 0)
        return BO_OK;
    bo_status st = cli_latest(ctx, NULL, db, false, &latest, err);
    if (st == BO_OK && latest)
        *id = latest;
    return st;
}

bo_status cli_subject_find(
    cli *ctx, const char *id, const char *db, cli_subject *out, bo_error *err)
{
    bo_status st = cli_session(ctx, &out->session, err);
    if (st == BO_OK)
        st = narrow_latest(ctx, db, &id, err);
    if (st == BO_OK)
        st = bo_point_get(out->session, id, &out->list, err);
    if (st != BO_OK)
        return st;
    out->point = bo_point_list_get(out->list, 0);
    ctx->point = bo_arena_str(ctx->arena, out->point->id);
    return cli_database_of(ctx, db, out->point, &out->database, err);
}

void cli_subject_done(cli_subject *subject)
{
    bo_point_list_free(subject->list);
    cli_database_done(&subject->database);
}
