/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_point.c - point create, point seal, point release. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/scope_args.h"
#include "cli/subject.h"

static const cli_option create_options[] = {
    CLI_SCOPE_OPTIONS,
    {CLI_END, 0, NULL, NULL, 0, NULL},
};

static bo_status create(cli *ctx, const void *arguments, bo_error *err)
{
    const struct scope_args *args = arguments;
    bo_point_options options = {0};
    bo_status st = cli_scope_options(ctx, args, &options, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(cli_database) database = {0};
    st = cli_database_find(ctx, args->db, &database, err);
    if (st != BO_OK)
        return st;
    bo_session *session = NULL;
    st = cli_session(ctx, &session, err);
    if (st == BO_OK)
        st = cli_permit(ctx, &database, CLI_MAY_CREATE, args->migration, err);
    if (st != BO_OK)
        return st;
    BO_OWN(bo_point_list) *list = NULL;
    st = bo_point_create(session, &database.db, &options, &list, err);
    if (st != BO_OK)
        return st;
    const bo_point *point = bo_point_list_get(list, 0);
    st = cli_answer_made(ctx, point, err);
    cli_say(ctx, "when the change has ended: backout point seal %s", point->id);
    return st;
}

const cli_command cmd_point_create = {
    .name = "point create",
    .summary = "take a rollback point before a change",
    .details = "All tables are read as of one instant and are on disk, read back and verified, "
               "when the\nid is printed. Seal the point when the change has ended: what comes "
               "after is others'.",
    .example = "backout point create --db shop.db --tables orders,order_items --migration prices",
    .options = create_options,
    .args_size = sizeof(struct scope_args),
    .run = create,
};

struct seal_args {
    const char *id, *db;
};

#define AT(field) offsetof(struct seal_args, field)
static const cli_option seal_options[] = {
    {CLI_OPERAND, 0, "id", "ID", AT(id), "the point, or 'latest'"},
    {CLI_TEXT, 0, "db", "DB", AT(db), "the database, when it is not where it was"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

static bo_status seal(cli *ctx, const void *arguments, bo_error *err)
{
    const struct seal_args *args = arguments;
    BO_OWN_VALUE(cli_subject) on = {0};
    bo_status st = cli_subject_find(ctx, args->id, args->db, &on, err);
    if (st == BO_OK)
        st = cli_permit(ctx, &on.database, CLI_MAY_CREATE, on.point->id, err);
    if (st != BO_OK)
        return st;
    BO_OWN(bo_point_list) *list = NULL;
    st = bo_point_seal(on.session, &on.database.db, on.point->id, &list, err);
    return st == BO_OK ? cli_answer_sealed(ctx, bo_point_list_get(list, 0), err) : st;
}

const cli_command cmd_point_seal = {
    .name = "point seal",
    .summary = "say that the change has ended",
    .details = "Records what the change did. From here on, changes are others' and a partial "
               "rollback\nkeeps them.",
    .example = "backout point seal latest",
    .options = seal_options,
    .args_size = sizeof(struct seal_args),
    .recorded = true,
    .run = seal,
};

struct release_args {
    const char *id, *db;
    bool yes, production;
};

#define AT(field) offsetof(struct release_args, field)
static const cli_option release_options[] = {
    {CLI_OPERAND, 0, "id", "ID", AT(id), "the point, or 'latest'"},
    {CLI_TEXT, 0, "db", "DB", AT(db), "the database, when it is not where it was"},
    {CLI_FLAG, 'y', "yes", NULL, AT(yes), "do not ask, and let go of a change that is not sealed"},
    {CLI_FLAG, 0, "production", NULL, AT(production), "yes, the production database"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

static bool is_captured(const bo_point *point)
{
    for (size_t i = 0; i < point->table_count; i++)
        if (point->tables[i].captured)
            return true;
    return false;
}

/* Ending the capture of a sealed point loses nothing of its change, and where nothing is captured
 * there is nothing to end: no question.  *discard_out: somebody said yes to losing the change. */
static bo_status confirm_release(cli *ctx, const struct release_args *args, const cli_subject *on,
    bool *discard_out, bo_error *err)
{
    bool open = strcmp(on->point->status, "ready") == 0 && is_captured(on->point);
    char what[240];
    (void)snprintf(what, sizeof what,
        "%s is not sealed: without its capture, what the change did is not known any more. End the "
        "capture",
        on->point->id);
    cli_consent consent = {.event = "point.release",
        .object = on->point->id,
        .what = what,
        .production = args->production,
        .yes = args->yes || !open};
    bo_status st = cli_consent_get(ctx, &on->database, &consent, err);
    if (st == BO_REFUSED && open && !args->yes && !ctx->terminal)
        cli_hint(ctx, "when the change has ended: backout point seal %s; --yes gives it up",
            on->point->id);
    *discard_out = args->yes || open;
    return st;
}

static bo_status release(cli *ctx, const void *arguments, bo_error *err)
{
    const struct release_args *args = arguments;
    BO_OWN_VALUE(cli_subject) on = {0};
    bool discard = false;
    bo_status st = cli_subject_find(ctx, args->id, args->db, &on, err);
    if (st == BO_OK)
        st = cli_permit(ctx, &on.database, CLI_MAY_RELEASE, on.point->id, err);
    if (st == BO_OK)
        st = confirm_release(ctx, args, &on, &discard, err);
    if (st != BO_OK)
        return st;
    BO_OWN(bo_point_list) *list = NULL;
    st = bo_point_release(on.session, &on.database.db, on.point->id, discard, &list, err);
    return st == BO_OK ? cli_answer_made(ctx, bo_point_list_get(list, 0), err) : st;
}

const cli_command cmd_point_release = {
    .name = "point release",
    .summary = "end the capture of a point",
    .details = "Its triggers and journals leave the database, unless another point needs them. The "
               "sealed\nchange stays and can be rolled back with --type partial.",
    .example = "backout point release latest",
    .options = release_options,
    .args_size = sizeof(struct release_args),
    .recorded = true,
    .run = release,
};
