/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/subject.c - every command with an ID begins alike. */
#include "cli/subject.h"

#include <string.h>

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

bo_status cli_latest(
    cli *ctx, const bo_point_query *query, bool backups, const char **id_out, bo_error *err)
{
    static const char *const usable[] = {"ready", "sealed", "rolled-back", NULL};
    static const char *const kinds[] = {"point", "backup", NULL};
    BO_OWN(bo_point_list) *list = NULL;
    bo_status st = bo_point_find(ctx->session, query, &list, err);
    *id_out = NULL;
    for (size_t i = 0; st == BO_OK && i < bo_point_list_count(list); i++) {
        const bo_point *point = bo_point_list_get(list, i);
        if (!is_one_of(point->status, usable) || !is_one_of(point->kind, kinds) ||
            (!backups && strcmp(point->kind, "backup") == 0))
            continue;
        *id_out = bo_arena_str(ctx->arena, point->id);
        return *id_out ? BO_OK : bo_nomem(err);
    }
    return st;
}

/* "latest" of the database that was named; when that has none, of all: what is wrong is said then.
 */
static bo_status narrow_latest(cli *ctx, const char *db, const char **id, bo_error *err)
{
    BO_OWN_VALUE(cli_database) database = {0};
    if (!db || strcmp(*id, "latest") != 0)
        return BO_OK;
    const char *latest = NULL;
    bo_status st = cli_database_find(ctx, db, &database, err);
    const bo_point_query query = {.database = database.shown};
    if (st == BO_OK)
        st = cli_latest(ctx, &query, false, &latest, err);
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
