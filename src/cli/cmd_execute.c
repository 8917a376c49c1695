/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_execute.c - assess, execute: what a rollback would do, and doing it. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/rollback_args.h"
#include "cli/scope_args.h"
#include "cli/subject.h"
#include "report/text.h"

#define AT(field) offsetof(struct rollback_args, field)
static const cli_option execute_options[] = {
    {CLI_OPERAND, 0, "id", "ID", AT(id), "the point, a unique beginning of its id, or 'latest'"},
    {CLI_CHOICE, 0, "type", "full|partial|transaction|backup", AT(type),
        "full (the default), partial or backup: see above"},
    {CLI_LIST, 't', "tables", "T,...", AT(tables), "only these tables of the point"},
    {CLI_TEXTS, 'w', "where", "T: PREDICATE", AT(where), "of table T only these rows"},
    {CLI_TEXT, 0, "user", "NAME", AT(user), "only what this database user wrote (captured points)"},
    {CLI_TEXT, 0, "run", "RUN_ID", AT(run), "only what this run wrote (captured points)"},
    {CLI_CHOICE, 0, "mode", "no-cascade|non-conflict-only|cascade", AT(mode),
        "transactions that used what the change wrote: conflicts, left alone, or undone as well"},
    {CLI_FLAG, 0, "only-added", NULL, AT(only_added), "only delete what the change added"},
    {CLI_CHOICE, 0, "on-conflict", "refuse|skip|replace", AT(on_conflict),
        "what to do with rows that others changed since"},
    {CLI_CHOICE, 0, "by", "row|column", AT(by), "column: keep later writes to other columns"},
    {CLI_FLAG, 0, "discard-later", NULL, AT(discard_later),
        "full: later writes of others may go (exported first)"},
    {CLI_TEXT, 0, "db", "DB", AT(db), "the database, when it is not where it was"},
    {CLI_FLAG, 'n', "dry-run", NULL, AT(dry_run), "print the plan; change nothing"},
    {CLI_FLAG, 'y', "yes", NULL, AT(yes), "do not ask"},
    {CLI_FLAG, 0, "production", NULL, AT(production), "yes, the production database"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

enum { TYPE_UNSAID = -1, TYPE_FULL, TYPE_PARTIAL, TYPE_TRANSACTION, TYPE_BACKUP };

static const struct rollback_args execute_defaults = {.type = TYPE_UNSAID};

/* What one user or run wrote, and what depends on a change, are parts of the tables. */
static bo_status settle_type(
    cli *ctx, const struct rollback_args *args, bo_rollback_type *out, bo_error *err)
{
    static const bo_rollback_type types[] = {
        [TYPE_FULL] = BO_ROLLBACK_FULL,
        [TYPE_PARTIAL] = BO_ROLLBACK_PARTIAL,
        [TYPE_BACKUP] = BO_ROLLBACK_BACKUP,
    };
    const char *chosen = args->user                            ? "--user"
                         : args->run                           ? "--run"
                         : args->mode != BO_BACKOUT_NO_CASCADE ? "--mode"
                                                               : NULL;
    int type = args->type != TYPE_UNSAID ? args->type : chosen ? TYPE_PARTIAL : TYPE_FULL;
    if (type == TYPE_TRANSACTION) {
        cli_hint(ctx, "the change has ended: use --type partial or full; 'backout run --type "
                      "transaction' does a change in one transaction");
        return bo_fail(err, BO_REFUSED, "no transaction of this point is open any longer");
    }
    if (chosen && type != TYPE_PARTIAL) {
        cli_hint(ctx, "%s is of --type partial, which need not be said", chosen);
        return bo_fail(err, BO_INVALID,
            "%s cannot be used with --type %s: that makes whole tables as they were", chosen,
            type == TYPE_FULL ? "full" : "backup");
    }
    if (chosen && args->discard_later) {
        cli_hint(ctx, "a partial rollback keeps what others wrote later");
        return bo_fail(err, BO_INVALID, "%s cannot be used with --discard-later", chosen);
    }
    *out = types[type];
    return BO_OK;
}

static bo_status make_options(
    cli *ctx, const struct rollback_args *args, bo_rollback_options *out, bo_error *err)
{
    bo_scope_item *where = NULL;
    bo_rollback_type type = BO_ROLLBACK_FULL;
    bo_status st = settle_type(ctx, args, &type, err);
    if (st == BO_OK)
        st = cli_scope_where(ctx, &args->where, &where, err);
    if (st != BO_OK)
        return st;
    *out = (bo_rollback_options){
        .type = type,
        .tables = args->tables.items,
        .table_count = args->tables.count,
        .where = where,
        .where_count = args->where.count,
        .only_added = args->only_added,
        .user = args->user,
        .run = args->run,
        .mode = (bo_backout_mode)args->mode,
        .on_conflict = (bo_on_conflict)args->on_conflict,
        .by_column = args->by == 1,
        .discard_later = args->discard_later,
        .dry_run = args->dry_run,
    };
    return BO_OK;
}

/* What is about to happen, for the person who is asked.  A plan that is refused is recorded. */
static bo_status show_plan(cli *ctx, const cli_database *database, const char *id,
    const bo_rollback_options *options, bo_error *err)
{
    bo_rollback_options dry = *options;
    dry.dry_run = true;
    BO_OWN(bo_rollback) *plan = NULL;
    bo_status st = bo_rollback_execute(ctx->session, &database->db, id, &dry, &plan, err);
    if (plan) {
        BO_OWN_VALUE(bo_buf) text = {0};
        bo_text_rollback(&text, &ctx->style, plan);
        (void)fputs(bo_buf_str(&text), stderr);
    }
    if (st == BO_OK || st == BO_MISMATCH) /* conflicts that are to be skipped */
        return BO_OK;
    bo_error log = {0};
    if (bo_audit_note(ctx->session, "rollback.execute", id, "refused", err->text, &log) != BO_OK)
        cli_say(ctx, "backout: warning: the audit log could not be written: %s", log.text);
    return st;
}

static bo_status confirm(cli *ctx, const struct rollback_args *args, const cli_database *database,
    const char *id, const bo_rollback_options *options, bo_error *err)
{
    if (!args->yes && ctx->terminal) {
        bo_status st = show_plan(ctx, database, id, options, err);
        if (st != BO_OK)
            return st;
    }
    char what[160];
    (void)snprintf(what, sizeof what, "Roll back to %s", id);
    cli_consent consent = {.event = "rollback.execute",
        .object = id,
        .what = what,
        .production = args->production,
        .yes = args->yes};
    return cli_consent_get(ctx, database, &consent, err);
}

static bo_status roll_back(cli *ctx, const struct rollback_args *args, bo_error *err)
{
    bo_rollback_options options = {0};
    BO_OWN_VALUE(cli_subject) on = {0};
    bo_status st = make_options(ctx, args, &options, err);
    ctx->looks = args->dry_run;
    if (st == BO_OK)
        st = cli_subject_find(ctx, args->id, args->db, &on, err);
    if (st == BO_OK)
        st = cli_permit(ctx, &on.database, CLI_MAY_EXECUTE, on.point->id, err);
    if (st == BO_OK && !args->dry_run)
        st = confirm(ctx, args, &on.database, on.point->id, &options, err);
    if (st != BO_OK)
        return st;
    BO_OWN(bo_rollback) *done = NULL;
    st = bo_rollback_execute(on.session, &on.database.db, on.point->id, &options, &done, err);
    bo_error answer = {0};
    if (done && cli_answer_rollback(ctx, done, &answer) != BO_OK && st == BO_OK) {
        *err = answer;
        return answer.status;
    }
    return st;
}

bo_status cli_rollback(cli *ctx, const struct rollback_args *args, bo_error *err)
{
    bo_status st = roll_back(ctx, args, err);
    if (st == BO_CONFLICT && args->by == 1 && strstr(err->text, "changed since the change"))
        cli_hint(ctx,
            "the same columns were changed: backout assess %s; then --on-conflict skip|replace",
            args->id);
    return st;
}

static bo_status execute(cli *ctx, const void *arguments, bo_error *err)
{
    return cli_rollback(ctx, arguments, err);
}

const cli_command cmd_execute = {
    .name = "execute",
    .alias = "rollback",
    .summary = "roll back to a point, with proof",
    .details =
        "Type full makes the tables as they were; it refuses when others wrote since, until\n"
        "--discard-later. Of a point that is not sealed all that was written since counts as\n"
        "the change. Type partial undoes only what the change did and keeps all else. Type\n"
        "backup does what 'backout restore ID' does: whole tables, whoever wrote since. Type\n"
        "transaction is of a transaction that is still open: after a change none is, and it\n"
        "refuses.\n\n"
        "The rollback is read back and compared before it is committed. The state before it is a\n"
        "point of its own: a rollback can be rolled back.",
    .example = "backout assess latest\nbackout execute latest --type partial",
    .options = execute_options,
    .args_size = sizeof(struct rollback_args),
    .defaults = &execute_defaults,
    .recorded = true,
    .run = execute,
};

struct assess_args {
    const char *id, *db, *user, *run;
    int mode;
};

#define AT(field) offsetof(struct assess_args, field)
static const cli_option assess_options[] = {
    {CLI_OPERAND, 0, "id", "ID", AT(id), "the point, or 'latest'"},
    {CLI_TEXT, 0, "user", "NAME", AT(user), "only what this database user wrote (captured points)"},
    {CLI_TEXT, 0, "run", "RUN_ID", AT(run), "only what this run wrote (captured points)"},
    {CLI_CHOICE, 0, "mode", "no-cascade|non-conflict-only|cascade", AT(mode),
        "how far to follow the transactions that used what the change wrote"},
    {CLI_TEXT, 0, "db", "DB", AT(db), "the database, when it is not where it was"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

/* Of chosen writers there is one way back, and nothing to recommend. */
static bo_status plan_chosen(
    const struct assess_args *args, const cli_subject *on, bo_rollback **out, bo_error *err)
{
    bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL,
        .user = args->user,
        .run = args->run,
        .mode = (bo_backout_mode)args->mode,
        .on_conflict = BO_ON_CONFLICT_SKIP, /* counted and listed, no reason to stop */
        .dry_run = true};
    bo_status st =
        bo_rollback_execute(on->session, &on->database.db, on->point->id, &options, out, err);
    return *out && st == BO_MISMATCH ? BO_OK : st;
}

static bo_status assess(cli *ctx, const void *arguments, bo_error *err)
{
    const struct assess_args *args = arguments;
    BO_OWN_VALUE(cli_subject) on = {0};
    bo_status st = cli_subject_find(ctx, args->id, args->db, &on, err);
    if (st != BO_OK)
        return st;
    bool chosen = args->user || args->run || args->mode != BO_BACKOUT_NO_CASCADE;
    BO_OWN(bo_rollback) *plan = NULL;
    st = chosen ? plan_chosen(args, &on, &plan, err)
                : bo_rollback_assess(on.session, &on.database.db, on.point->id, &plan, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot assess '%s'", on.point->id);
    return cli_answer_rollback(ctx, plan, err);
}

const cli_command cmd_assess = {
    .name = "assess",
    .summary = "say what a rollback now would change, lose and conflict with",
    .example = "backout assess latest",
    .options = assess_options,
    .args_size = sizeof(struct assess_args),
    .recorded = true,
    .looks = true,
    .run = assess,
};
