/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_list.c - list, details: points and what is known of them. */
#include "base/error.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/scope_args.h"
#include "report/json.h"
#include "report/text.h"

struct list_args {
    const char *db, *table, *migration, *entity;
    uint32_t limit;
    bool all;
};

#define AT(field) offsetof(struct list_args, field)
static const cli_option list_options[] = {
    {CLI_TEXT, 0, "db", "DB", AT(db), "only points of this database"},
    {CLI_TEXT, 't', "table", "TABLE", AT(table), "only points with this table"},
    {CLI_TEXT, 'm', "migration", "NAME", AT(migration), "only points of this migration"},
    {CLI_TEXT, 'e', "entity", "NAME=VALUE", AT(entity), "only points about this"},
    {CLI_UINT, 'n', "limit", "N", AT(limit), "at most so many (default: all)"},
    {CLI_FLAG, 'a', "all", NULL, AT(all), "also points that rollbacks made, and those that failed"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

/* What was looked for stands there too: a name with a mistake in it is seen. */
static bo_status say_none(cli *ctx, const struct list_args *args, bo_error *err)
{
    const struct {
        const char *of, *name;
    } wanted[] = {{"database", args->db}, {"table", args->table}, {"migration", args->migration},
        {"entity", args->entity}};
    BO_OWN_VALUE(bo_buf) line = {0};
    bo_buf_add_str(&line, "no rollback points");
    const char *before = " of ";
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!wanted[i].name)
            continue;
        bo_buf_printf(&line, "%s%s '%s'", before, wanted[i].of, wanted[i].name);
        before = ", ";
    }
    bo_status st = bo_buf_check(&line, err);
    if (st == BO_OK)
        cli_say(ctx, "%s", bo_buf_str(&line));
    return st;
}

static bo_status list(cli *ctx, const void *arguments, bo_error *err)
{
    const struct list_args *args = arguments;
    bo_point_query query = {
        .table = args->table,
        .migration = args->migration,
        .with_undo = args->all,
        .without_failed = !args->all,
        .limit = args->limit,
    };
    bo_entity entity = {0};
    bo_status st = BO_OK;
    if (args->entity) {
        st = cli_scope_entity(ctx, args->entity, &entity, err);
        query.entity = &entity;
    }
    BO_OWN_VALUE(cli_database) database = {0};
    if (st == BO_OK && args->db) {
        st = cli_database_find(ctx, args->db, &database, err);
        query.database = database.shown;
    }
    bo_session *session = NULL;
    if (st == BO_OK)
        st = cli_session(ctx, &session, err);
    BO_OWN(bo_point_list) *points = NULL;
    if (st == BO_OK)
        st = bo_point_find(session, &query, &points, err);
    if (st != BO_OK)
        return st;
    if (bo_point_list_count(points) == 0 && cli_is_text(ctx))
        return say_none(ctx, args, err);
    return cli_answer_points(ctx, points, err);
}

const cli_command cmd_list = {
    .name = "list",
    .summary = "list rollback points, newest first",
    .example = "backout list --entity campaign=123 --limit 5",
    .options = list_options,
    .args_size = sizeof(struct list_args),
    .recorded = true,
    .looks = true,
    .run = list,
};

struct details_args {
    const char *id;
};

static const cli_option details_options[] = {
    {CLI_OPERAND, 0, "id", "ID", offsetof(struct details_args, id), "the point, or 'latest'"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};

static bo_status details(cli *ctx, const void *arguments, bo_error *err)
{
    const struct details_args *args = arguments;
    bo_session *session = NULL;
    bo_status st = cli_session(ctx, &session, err);
    if (st != BO_OK)
        return st;
    BO_OWN(bo_point_list) *found = NULL;
    st = bo_point_get(session, args->id, &found, err);
    if (st != BO_OK)
        return st;
    const bo_point *point = bo_point_list_get(found, 0);
    if (!cli_is_text(ctx))
        return cli_result(ctx, bo_json_point(point), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_point(&text, &ctx->style, point);
    return cli_print(ctx, &text, err);
}

const cli_command cmd_details = {
    .name = "details",
    .summary = "show one point: tables, counts, files, limits, runs",
    .example = "backout details latest",
    .options = details_options,
    .args_size = sizeof(struct details_args),
    .recorded = true,
    .looks = true,
    .run = details,
};
