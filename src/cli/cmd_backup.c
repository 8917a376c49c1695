/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_backup.c - backup, restore: whole tables, tied to no change. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/scope_args.h"
#include "cli/subject.h"
#include "report/text.h"

struct backup_args {
    const char *db, *description;
    cli_list tables;
    bool no_closure;
};

#define AT(field) offsetof(struct backup_args, field)
static const cli_option backup_options[] = {
    {CLI_OPERANDS, 0, "table", "TABLE", AT(tables), "the tables"},
    {CLI_TEXT, 0, "db", "DB", AT(db), "URL, path, or name in the configuration"},
    {CLI_FLAG, 0, "no-closure", NULL, AT(no_closure), CLI_NO_CLOSURE_HELP},
    {CLI_TEXT, 'd', "description", "TEXT", AT(description), "a note for people"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

static bo_status backup(cli *ctx, const void *arguments, bo_error *err)
{
    const struct backup_args *args = arguments;
    BO_OWN_VALUE(cli_database) database = {0};
    bo_status st = cli_database_find(ctx, args->db, &database, err);
    if (st != BO_OK)
        return st;
    bo_session *session = NULL;
    st = cli_session(ctx, &session, err);
    if (st == BO_OK)
        st = cli_permit(ctx, &database, CLI_MAY_CREATE, "backup", err);
    if (st != BO_OK)
        return st;
    bo_scope_item *scope = bo_arena_array(ctx->arena, args->tables.count, sizeof *scope);
    if (!scope)
        return bo_nomem(err);
    for (size_t i = 0; i < args->tables.count; i++)
        scope[i].table = args->tables.items[i];
    bo_point_options options = {.scope = scope,
        .scope_count = args->tables.count,
        .migration = "backup",
        .description = args->description,
        .no_closure = args->no_closure,
        .kind = "backup"};
    BO_OWN(bo_point_list) *list = NULL;
    st = bo_point_create(session, &database.db, &options, &list, err);
    return st == BO_OK ? cli_answer_made(ctx, bo_point_list_get(list, 0), err) : st;
}

const cli_command cmd_backup = {
    .name = "backup",
    .summary = "take a backup of tables, tied to no change",
    .example = "backout backup customers --db shop.db --description 'before the deployment'",
    .options = backup_options,
    .args_size = sizeof(struct backup_args),
    .run = backup,
};

struct restore_args {
    const char *what, *db;
    cli_list tables;
    bool dry_run, yes, production;
};

#define AT(field) offsetof(struct restore_args, field)
static const cli_option restore_options[] = {
    {CLI_OPERAND, 0, "what", "FILE|ID", AT(what),
        "a point, a backup, its file, or 'latest' of all"},
    {CLI_TEXT, 0, "db", "DB", AT(db), "where to restore: URL, path, or name"},
    {CLI_LIST, 't', "tables", "T,...", AT(tables), "only these tables"},
    {CLI_FLAG, 'n', "dry-run", NULL, AT(dry_run), "print the plan; change nothing"},
    {CLI_FLAG, 'y', "yes", NULL, AT(yes), "do not ask"},
    {CLI_FLAG, 0, "production", NULL, AT(production), "yes, the production database"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

/* Of all that can be restored the newest, backups included; no point at all: the word itself. */
static bo_status find_latest(cli *ctx, const char **what, bo_error *err)
{
    const char *latest = NULL;
    bo_status st = cli_latest(ctx, NULL, NULL, true, &latest, err);
    if (st == BO_OK && latest)
        *what = latest;
    return st;
}

/* What is about to happen, for the person who is asked. */
static bo_status show_plan(
    cli *ctx, const struct restore_args *args, const cli_database *database, bo_error *err)
{
    BO_OWN(bo_rollback) *plan = NULL;
    bo_status st = bo_restore(ctx->session, &database->db, args->what, args->tables.items,
        args->tables.count, true, &plan, err);
    if (plan) {
        BO_OWN_VALUE(bo_buf) text = {0};
        bo_text_rollback(&text, &ctx->style, plan);
        (void)fputs(bo_buf_str(&text), stderr);
    }
    return st;
}

static bo_status confirm(
    cli *ctx, const struct restore_args *args, const cli_database *database, bo_error *err)
{
    if (!args->yes && ctx->terminal) {
        bo_status st = show_plan(ctx, args, database, err);
        if (st != BO_OK)
            return st;
    }
    char what[200];
    (void)snprintf(what, sizeof what, "Restore %s, giving up what the tables hold now", args->what);
    cli_consent consent = {.event = "restore.execute",
        .object = args->what,
        .what = what,
        .production = args->production,
        .yes = args->yes};
    return cli_consent_get(ctx, database, &consent, err);
}

/* Of a point, `backout check` tells more; a file that no catalog knows can only be had again. */
static void advise_damaged(cli *ctx, const char *what, const bo_error *err)
{
    BO_OWN(bo_point_list) *list = NULL;
    bo_error unknown = {0};
    if (!ctx->session || err->status != BO_CORRUPT)
        return;
    if (bo_point_get(ctx->session, what, &list, &unknown) == BO_OK)
        ctx->point = bo_arena_str(ctx->arena, bo_point_list_get(list, 0)->id);
    else
        cli_hint(ctx, "%sbring the file again from where it was written",
            bo_text_find(err->text, "cannot read table '")
                ? "other tables of it may be whole: name them with --tables; or "
                : "");
}

static bo_status restore(cli *ctx, const void *arguments, bo_error *err)
{
    struct restore_args chosen = *(const struct restore_args *)arguments;
    struct restore_args *args = &chosen;
    ctx->looks = args->dry_run;
    BO_OWN_VALUE(cli_database) database = {0};
    bo_status st = cli_database_find(ctx, args->db, &database, err);
    if (st != BO_OK)
        return st;
    bo_session *session = NULL;
    st = cli_session(ctx, &session, err);
    cli_tell_unrecorded(ctx);
    if (st == BO_OK && strcmp(args->what, "latest") == 0)
        st = find_latest(ctx, &args->what, err);
    if (st == BO_OK)
        st = cli_permit(ctx, &database, CLI_MAY_EXECUTE, args->what, err);
    if (st == BO_OK && !args->dry_run)
        st = confirm(ctx, args, &database, err);
    BO_OWN(bo_rollback) *done = NULL;
    if (st == BO_OK)
        st = bo_restore(session, &database.db, args->what, args->tables.items, args->tables.count,
            args->dry_run, &done, err);
    if (st != BO_OK)
        advise_damaged(ctx, args->what, err);
    bo_error answer = {0};
    if (done && cli_answer_rollback(ctx, done, &answer) != BO_OK && st == BO_OK) {
        *err = answer;
        return answer.status;
    }
    return st;
}

const cli_command cmd_restore = {
    .name = "restore",
    .summary = "restore whole tables from a backup, with proof",
    .details = "Straight from a file, a record in the catalog is not needed. Tables that are gone "
               "are made\nagain. The state before is a point.",
    .example = "backout restore rb_backup_20261120_041739 --db shop.db",
    .options = restore_options,
    .args_size = sizeof(struct restore_args),
    .rescues = true,
    .run = restore,
};
