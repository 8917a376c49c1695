/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_check.c - check, prune: what is stored is whole, and old points go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "report/json.h"
#include "report/text.h"

struct check_args {
    const char *id, *db;
    bool test_restore;
};

#define AT(field) offsetof(struct check_args, field)
static const cli_option check_options[] = {
    {CLI_OPTIONAL, 0, "id", "ID", AT(id), "one point (default: everything stored)"},
    {CLI_FLAG, 0, "test-restore", NULL, AT(test_restore),
        "really restore into a scratch database and compare"},
    {CLI_TEXT, 0, "db", "DB", AT(db), "for --test-restore: the database of the points"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

static bo_status answer_check(cli *ctx, const bo_check *check, bo_error *err)
{
    if (!cli_is_text(ctx))
        return cli_result(ctx, bo_json_check(check), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_check(&text, &ctx->style, check);
    return cli_print(ctx, &text, err);
}

/* The database a test restore needs: named, that of the point, or the only one configured. */
static bo_status find_database(
    cli *ctx, const struct check_args *args, const char *id, cli_database *out, bo_error *err)
{
    BO_OWN(bo_point_list) *found = NULL;
    if (args->db || !id)
        return cli_database_find(ctx, args->db, out, err);
    bo_status st = bo_point_get(ctx->session, id, &found, err);
    return st == BO_OK ? cli_database_of(ctx, NULL, bo_point_list_get(found, 0), out, err) : st;
}

static bo_status check(cli *ctx, const void *arguments, bo_error *err)
{
    const struct check_args *args = arguments;
    bo_session *session = NULL;
    bo_status st = cli_session(ctx, &session, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(cli_database) database = {0};
    const char *said = getenv("BACKOUT_DB");
    bool named = args->db || (said && said[0]) || ctx->config.database_count == 1;
    if (args->db || (args->test_restore && (args->id || named))) { /* files need none */
        st = find_database(ctx, args, args->id, &database, err);
        if (st != BO_OK)
            return st;
    }
    BO_OWN(bo_check) *result = NULL;
    st = bo_check_stored(
        session, database.db.url ? &database.db : NULL, args->id, args->test_restore, &result, err);
    if (!result)
        return st;
    bo_error failed = {0};
    bo_status answered = answer_check(ctx, result, &failed);
    if (answered != BO_OK)
        *err = failed;
    if (answered != BO_OK || st != BO_OK)
        return answered != BO_OK ? answered : st;
    if (strcmp(result->result, "match") == 0)
        return BO_OK;
    return bo_fail(err, BO_MISMATCH, "some of what is stored could not be checked");
}

const cli_command cmd_check = {
    .name = "check",
    .summary = "check that everything stored is whole and can be restored",
    .details = "Reads every byte: present, decryptable, checksums and counts right. Exit code 4 "
               "when\nsomething is not.",
    .example = "backout check --test-restore",
    .options = check_options,
    .args_size = sizeof(struct check_args),
    .recorded = true,
    .looks = true,
    .run = check,
};

struct prune_args {
    const char *table;
    uint32_t keep_last, keep_days;
    bool dry_run, yes;
};

#define AT(field) offsetof(struct prune_args, field)
static const cli_option prune_options[] = {
    {CLI_UINT, 0, "keep-last", "N", AT(keep_last), "keep the newest N of each set of tables"},
    {CLI_UINT, 0, "keep-days", "DAYS", AT(keep_days), "keep what is younger"},
    {CLI_TEXT, 't', "table", "TABLE", AT(table), "only points with this table"},
    {CLI_FLAG, 'n', "dry-run", NULL, AT(dry_run), "say what would go; remove nothing"},
    {CLI_FLAG, 'y', "yes", NULL, AT(yes), "do not ask"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

#define UNSAID UINT32_MAX

static const struct prune_args prune_defaults = {.keep_last = UNSAID, .keep_days = UNSAID};

/* The rules that were given; those of the configuration when none was. */
static bo_status settle_rules(
    cli *ctx, const struct prune_args *args, bo_prune_options *options, bo_error *err)
{
    if (args->keep_last == 0 || args->keep_days == 0)
        return bo_fail(err, BO_INVALID, "%s has to be 1 or more: 0 would keep nothing",
            args->keep_last == 0 ? "--keep-last" : "--keep-days");
    if (args->keep_last == UNSAID && args->keep_days == UNSAID) {
        options->keep_last = ctx->config.keep_last;
        options->keep_days = ctx->config.keep_days;
    } else {
        options->keep_last = args->keep_last == UNSAID ? 0 : args->keep_last;
        options->keep_days = args->keep_days == UNSAID ? 0 : args->keep_days;
    }
    if (options->keep_last || options->keep_days)
        return BO_OK;
    cli_hint(ctx, "give --keep-last N or --keep-days DAYS, or set retention in " CLI_CONFIG_NAME);
    return bo_fail(err, BO_INVALID, "no rule says what to keep");
}

/* Points of any database may go: every database with a list must let this user prune. */
static bo_status permit_prune(cli *ctx, bo_error *err)
{
    for (size_t i = 0; i < ctx->config.database_count; i++) {
        const cli_database_config *config = &ctx->config.databases[i];
        cli_database database = {.config = config, .shown = config->name};
        bo_status st = cli_permit(ctx, &database, CLI_MAY_PRUNE, config->name, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

/* Says what would go, then asks. */
static bo_status confirm_prune(
    cli *ctx, const struct prune_args *args, const bo_prune_options *options, bo_error *err)
{
    if (!args->yes && ctx->terminal) {
        bo_prune_options dry = *options;
        dry.dry_run = true;
        BO_OWN(bo_prune) *plan = NULL;
        bo_status st = bo_prune_points(ctx->session, &dry, &plan, err);
        if (st != BO_OK)
            return st;
        BO_OWN_VALUE(bo_buf) text = {0};
        bo_text_prune(&text, &ctx->style, plan, true);
        (void)fputs(bo_buf_str(&text), stderr);
    }
    cli_consent consent = {.event = "point.prune",
        .object = args->table,
        .what = "Remove the files of points that no rule keeps",
        .yes = args->yes};
    return cli_consent_get(ctx, NULL, &consent, err);
}

/* The database of a point that goes, with all that the configuration says of it. */
typedef struct place {
    cli *ctx;
    cli_database database;
} place;

static void place_done(place *at)
{
    cli_database_done(&at->database);
}

static bo_status find_place(
    void *ctx, const char *name, const char *url, const bo_database **out, bo_error *err)
{
    place *at = ctx;
    bo_point point = {.database = name, .url = url};
    cli_database_done(&at->database);
    bo_status st = cli_database_of(at->ctx, NULL, &point, &at->database, err);
    if (st == BO_OK)
        *out = &at->database.db;
    return st;
}

static bo_status answer_prune(cli *ctx, const bo_prune *prune, bool dry_run, bo_error *err)
{
    if (!cli_is_text(ctx))
        return cli_result(ctx, bo_json_prune(prune), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_prune(&text, &ctx->style, prune, dry_run);
    return cli_print(ctx, &text, err);
}

static bo_status prune(cli *ctx, const void *arguments, bo_error *err)
{
    const struct prune_args *args = arguments;
    ctx->looks = args->dry_run;
    BO_OWN_VALUE(place) at = {.ctx = ctx};
    bo_prune_options options = {
        .database = find_place,
        .ctx = &at,
        .table = args->table,
        .dry_run = args->dry_run,
    };
    bo_session *session = NULL;
    bo_status st = settle_rules(ctx, args, &options, err);
    if (st == BO_OK)
        st = cli_session(ctx, &session, err);
    if (st == BO_OK)
        st = permit_prune(ctx, err);
    if (st == BO_OK && !args->dry_run)
        st = confirm_prune(ctx, args, &options, err);
    if (st != BO_OK)
        return st;
    BO_OWN(bo_prune) *done = NULL;
    st = bo_prune_points(session, &options, &done, err);
    return st == BO_OK ? answer_prune(ctx, done, args->dry_run, err) : st;
}

const cli_command cmd_prune = {
    .name = "prune",
    .summary = "remove the files of old points",
    .details = "Never what an unfinished run or an unverified rollback needs. The audit log stays.",
    .example = "backout prune --keep-last 10 --keep-days 30 --dry-run",
    .options = prune_options,
    .args_size = sizeof(struct prune_args),
    .defaults = &prune_defaults,
    .recorded = true,
    .run = prune,
};
