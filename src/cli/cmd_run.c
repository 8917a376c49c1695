/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_run.c - run: point, change, seal; rolled back when the change fails. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/step.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/environment.h"
#include "cli/progress.h"
#include "cli/rollback_args.h"
#include "cli/scope_args.h"
#include "cli/sql_job.h"
#include "cli/subject.h"
#include "report/json.h"
#include "report/text.h"

#define SQL_LIMIT  ((size_t)1 << 30)
#define NAME_LIMIT 40 /* bytes of a file name that become the name of the migration */

struct run_args {
    struct scope_args scope; /* first: CLI_SCOPE_OPTIONS */
    cli_list files;
    char **command;
    int type;
    bool production, dry_run, no_rollback, rollback, yes;
};

#define AT(field) offsetof(struct run_args, field)
static const cli_option options[] = {
    {CLI_ANY, 0, "file", "FILE.sql", AT(files), "SQL files, executed in this order"},
    {CLI_COMMAND, 0, "command", "COMMAND ...", AT(command), "or a program that makes the change"},
    CLI_SCOPE_OPTIONS,
    {CLI_CHOICE, 0, "type", "statement|transaction", AT(type),
        "transaction: all files in one transaction"},
    {CLI_FLAG, 'n', "dry-run", NULL, AT(dry_run), "show which rows would change; change nothing"},
    {CLI_FLAG, 0, "no-rollback", NULL, AT(no_rollback), "leave a failed change as it is"},
    {CLI_FLAG, 0, "rollback", NULL, AT(rollback),
        "roll back instead: to the ID given, or the latest point of the migration"},
    {CLI_FLAG, 'y', "yes", NULL, AT(yes), "with --rollback: do not ask"},
    {CLI_FLAG, 0, "production", NULL, AT(production), "yes, the production database"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

typedef struct change {
    cli *ctx;
    const struct run_args *args;
    const cli_database *database;
    bo_run *run;
} change;

/* Tells the library that the change is still going. */
static void alive(void *ctx)
{
    change *c = ctx;
    bo_error err = {0};
    if (bo_run_alive(c->run, &err) != BO_OK)
        cli_say(c->ctx, "backout: warning: cannot renew the run: %s", err.text);
}

static bo_status append_file(const char *path, bo_buf *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_status st = bo_file_slurp(path, SQL_LIMIT, &text, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read '%s'", path);
    bo_buf_add(out, text.data, text.size);
    bo_buf_add_byte(out, '\n');
    return bo_buf_check(out, err);
}

static bo_status read_files(const cli_list *files, bo_buf *out, bo_error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        bo_status st = append_file(files->items[i], out, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

static bo_status execute_text(change *c, const bo_buf *sql, bool one_transaction, bo_error *err)
{
    cli_sql_job job = {
        .database = &c->database->db,
        .run_id = bo_run_id(c->run),
        .sql = bo_buf_str(sql),
        .size = sql->size,
        .one_transaction = one_transaction,
        .alive = alive,
        .ctx = c,
    };
    return cli_sql_run(&job, err);
}

/* Our own sessions carry the run's mark, unless the file takes it off. */
static bool keeps_mark(const bo_buf *text)
{
    static const char *const words[] = {"reset", "discard", "backout"};
    bool keeps = true;
    for (size_t w = 0; keeps && w < sizeof words / sizeof words[0]; w++)
        keeps = !bo_text_find(bo_buf_str(text), words[w]);
    return keeps;
}

/* Each file once, for a pipe has its text only once: into `out`, one after the other. */
static bo_status read_once(change *c, bo_buf *out, size_t *ends, bo_error *err)
{
    const cli_list *files = &c->args->files;
    bool trusted = true;
    for (size_t i = 0; i < files->count; i++) {
        BO_OWN_VALUE(bo_buf) one = {0};
        bo_status st = append_file(files->items[i], &one, err);
        if (st != BO_OK)
            return st;
        trusted = trusted && keeps_mark(&one);
        bo_buf_add(out, one.data, one.size);
        ends[i] = out->size;
    }
    if (trusted)
        bo_run_trust_mark(c->run);
    return bo_buf_check(out, err);
}

static bo_status change_by_files(change *c, bo_error *err)
{
    const cli_list *files = &c->args->files;
    BO_OWN_VALUE(bo_buf) all = {0};
    size_t *ends = bo_arena_array(c->ctx->arena, files->count, sizeof *ends);
    if (!ends)
        return bo_nomem(err);
    bo_status st = read_once(c, &all, ends, err);
    if (st != BO_OK || c->args->type == 1)
        return st == BO_OK ? execute_text(c, &all, true, err) : st;
    for (size_t i = 0; i < files->count; i++) {
        BO_OWN_VALUE(bo_buf) one = {0};
        const size_t start = i > 0 ? ends[i - 1] : 0;
        bo_buf_add(&one, all.data + start, ends[i] - start);
        st = bo_buf_check(&one, err);
        if (st == BO_OK)
            st = execute_text(c, &one, false, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "'%s' failed", files->items[i]);
    }
    return BO_OK;
}

static bool can_mark(change *c)
{
    if (cli_environment_marks(&c->database->db, bo_run_id(c->run)))
        return true;
    if (c->args->scope.method != BO_METHOD_SNAPSHOT)
        cli_warn(c->ctx,
            "what is between here and the server takes no 'options': sessions of the program do "
            "not carry the mark of the run until they say SET backout.run = '$BACKOUT_RUN_ID'");
    return false;
}

static bo_status change_by_command(change *c, bo_error *err)
{
    BO_OWN_VALUE(cli_option_file) option_file = {0};
    cli_option_file_make(c->ctx, c->database->db.url, bo_run_id(c->run), &option_file);
    cli_child child = {
        .options = &option_file,
        .command = c->args->command,
        .database = &c->database->db,
        .shown = c->database->db.url,
        .run_id = bo_run_id(c->run),
        .point_id = bo_run_point_id(c->run),
        .marked = can_mark(c),
        .stdout_to_stderr = !cli_is_text(c->ctx),
        .alive = alive,
        .ctx = c,
    };
    return cli_child_run(&child, err);
}

/* True when none of what was written carries the run's mark: a person must say whose it is. */
static bool hint_not_undone(change *c)
{
    const char *id = bo_run_point_id(c->run);
    BO_OWN(bo_point_list) *list = NULL;
    bo_error ignored = {0};
    bool untagged = bo_point_get(c->ctx->session, id, &list, &ignored) == BO_OK &&
                    bo_point_list_get(list, 0)->untagged > 0;
    if (untagged)
        cli_hint(c->ctx,
            "see what was written: backout assess %s --user NAME; undo what one "
            "database user wrote: backout execute %s --user NAME",
            id, id);
    else
        cli_hint(c->ctx, "see where it stands: backout details %s", id);
    return untagged;
}

/* "the change failed ..." above what is already said; the worse outcome decides the status. */
static bo_status not_undone(
    change *c, bo_status undone, const bo_error *cause, const bo_error *why, bo_error *err)
{
    const char *id = bo_run_point_id(c->run);
    bool untagged = hint_not_undone(c);
    /* a refused rollback changed nothing, but the change did */
    undone = undone == BO_UNKNOWN || undone == BO_INTERRUPTED ? undone : BO_FAILED;
    *err = *why;
    err->status = undone;
    (void)bo_detail(err, undone, "the change had failed: %s", cause->text);
    if (untagged)
        return bo_wrap(err, undone, "the change failed, and nothing was rolled back to %s", id);
    return bo_wrap(err, undone,
        "the change failed, is still in the database, and could not be rolled back to %s", id);
}

/* The change failed: undoes it, or leaves it with --no-rollback. */
static bo_status undo(change *c, const bo_error *cause, bo_status failed, bo_error *err)
{
    BO_OWN(bo_rollback) *done = NULL;
    bo_error why = {0};
    bool interrupted = failed == BO_INTERRUPTED;
    bo_status st = interrupted ? BO_INTERRUPTED : BO_FAILED;
    const char *id = bo_run_point_id(c->run);
    bo_interrupt_clear(); /* the rollback must not stop where the change stopped */
    if (c->args->no_rollback) {
        bo_status abandoned = bo_run_abandon(c->run, cause->text, &why);
        if (abandoned != BO_OK)
            return not_undone(c, abandoned, cause, &why, err);
        cli_hint(c->ctx, "undo it with: backout execute %s", id);
        *err = *cause;
        return bo_wrap(err, st, "the change failed and was left as it is (--no-rollback)");
    }
    cli_say(c->ctx, "the change %s: rolling back to %s", interrupted ? "was interrupted" : "failed",
        id);
    bo_status undone = bo_run_fail(c->run, cause->text, &done, &why);
    if (done && !cli_is_text(c->ctx)) {
        (void)cli_result(c->ctx,
            json_pack("{s:s, s:s, s:o}", "id", id, "status",
                undone == BO_OK ? "rolled-back" : "failed", "rollback", bo_json_rollback(done)),
            &why);
    } else if (done) {
        BO_OWN_VALUE(bo_buf) text = {0};
        bo_text_rollback(&text, &c->ctx->style, done);
        (void)cli_print(c->ctx, &text, &why);
    }
    if (undone != BO_OK)
        return not_undone(c, undone, cause, &why, err);
    cli_hint(c->ctx, "what was rolled back: backout details %s", id);
    *err = *cause;
    return bo_wrap(err, st, "the change %s and was rolled back to %s",
        interrupted ? "was interrupted" : "failed", id);
}

/* Type partial cannot take back what altered a table's shape. */
static bool reshaped(const bo_point *point)
{
    bool any = false;
    for (size_t i = 0; i < point->table_count; i++)
        any = any || point->tables[i].reshaped;
    return any;
}

/* What is captured, and what is not, before anything is changed. */
static void show_coverage(change *c)
{
    BO_OWN(bo_point_list) *list = NULL;
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_error ignored = {0};
    if (c->ctx->quiet || !cli_is_text(c->ctx) || c->args->scope.method == BO_METHOD_SNAPSHOT ||
        bo_point_get(c->ctx->session, bo_run_point_id(c->run), &list, &ignored) != BO_OK)
        return;
    bo_text_coverage(&text, &c->ctx->style, bo_point_list_get(list, 0));
    (void)fputs(bo_buf_str(&text), stderr);
}

static bo_status protect(change *c, const bo_point_options *point, bo_error *err)
{
    BO_OWN(bo_run) *run = NULL;
    bo_status st = bo_run_begin(c->ctx->session, &c->database->db, point, &run, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "nothing was changed: the point could not be taken");
    c->run = run;
    c->ctx->point = bo_arena_str(c->ctx->arena, bo_run_point_id(run));
    cli_say(c->ctx, "point %s taken", bo_run_point_id(run));
    show_coverage(c);
    bo_error cause = {0};
    st = c->args->command ? change_by_command(c, &cause) : change_by_files(c, &cause);
    if (st == BO_OK)
        st = bo_interrupt_check(&cause);
    BO_OWN(bo_point_list) *list = NULL;
    if (st == BO_OK) {
        st = bo_run_end(run, &list, &cause);
        if (st != BO_OK)
            (void)bo_wrap(&cause, st, "the change could not be sealed");
    }
    if (st != BO_OK)
        return undo(c, &cause, st, err);
    st = cli_answer_sealed(c->ctx, bo_point_list_get(list, 0), err);
    if (st == BO_MISMATCH)
        return st;
    cli_say(c->ctx, "undo it with: backout execute %s%s", bo_run_point_id(run),
        reshaped(bo_point_list_get(list, 0)) ? "" : " --type partial");
    return st;
}

static bo_status dry(change *c, const bo_point_options *point, bo_error *err)
{
    if (c->args->command) {
        cli_hint(c->ctx, "a program cannot be kept from committing: dry runs are for SQL files");
        return bo_fail(err, BO_INVALID, "--dry-run cannot be used with a command");
    }
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_status st = read_files(&c->args->files, &sql, err);
    BO_OWN(bo_change_report) *report = NULL;
    if (st == BO_OK)
        st = bo_run_dry(
            c->ctx->session, &c->database->db, point, bo_buf_str(&sql), sql.size, &report, err);
    if (st != BO_OK)
        return st;
    if (c->ctx->stands_in) /* the point goes with its catalog */
        report->point = NULL;
    if (!cli_is_text(c->ctx))
        return cli_result(c->ctx, bo_json_change(report), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_change(&text, &c->ctx->style, report);
    return cli_print(c->ctx, &text, err);
}

/* "migrations/001_prices.sql" as "001_prices". */
static const char *name_of(cli *ctx, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t size = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    BO_OWN_MEM char *stem = strndup(base, size);
    BO_OWN_VALUE(bo_buf) slug = {0};
    if (stem)
        bo_text_slug(&slug, stem, NAME_LIMIT);
    return stem && !slug.failed ? bo_arena_str(ctx->arena, bo_buf_str(&slug)) : NULL;
}

/* The latest point of the migration that --migration or the file names: `latest`, of one; that of
 * the database that was named, when it has any. */
static bo_status find_latest(
    cli *ctx, const struct run_args *args, const char *file, const char **out, bo_error *err)
{
    bo_session *session = NULL;
    bo_status st = cli_session(ctx, &session, err);
    if (st != BO_OK)
        return st;
    const char *migration = args->scope.migration ? args->scope.migration : name_of(ctx, file);
    if (!migration)
        return bo_nomem(err);
    const char *latest = NULL;
    st = cli_latest(ctx, migration, args->scope.db, false, &latest, err);
    if (st != BO_OK)
        return st;
    if (!latest)
        return bo_fail(err, BO_NOTFOUND,
            "no rollback point of the migration '%s' that one can return to", migration);
    *out = latest;
    return BO_OK;
}

static bool is_point_id(const char *text)
{
    return bo_text_starts(text, "rb_") || bo_text_starts(text, "DRY_RUN_rb_");
}

/* It has the options that this command does not. */
static void hint_at_execute(cli *ctx)
{
    cli_hint(ctx,
        "keep them: backout execute %s --type partial; give them up (they are exported first): "
        "backout execute %s --discard-later",
        ctx->point, ctx->point);
}

static bo_status roll_back(cli *ctx, const struct run_args *args, bo_error *err)
{
    const char *given = args->files.count ? args->files.items[0] : NULL;
    if (args->files.count > 1 || args->command)
        return bo_fail(err, BO_INVALID, "--rollback takes one point or one file");
    struct rollback_args rollback = {.id = given,
        .db = args->scope.db,
        .tables = args->scope.tables,
        .where = args->scope.where,
        .dry_run = args->dry_run,
        .yes = args->yes,
        .production = args->production};
    bo_status st = BO_OK;
    if (!given && !args->scope.migration)
        rollback.id = "latest";
    else if (!given || !is_point_id(given))
        st = find_latest(ctx, args, given, &rollback.id, err);
    if (st != BO_OK)
        return st;
    st = cli_rollback(ctx, &rollback, err);
    if (st == BO_REFUSED && strstr(err->text, "written by others"))
        hint_at_execute(ctx);
    return st;
}

/* What cannot be read is noticed before a point is taken. */
static bo_status check_file(const char *path, bo_error *err)
{
    struct stat about;
    int reason = stat(path, &about) != 0 || access(path, R_OK) != 0 ? errno : 0;
    if (reason == 0 && S_ISDIR(about.st_mode))
        reason = EISDIR;
    if (reason == 0)
        return BO_OK;
    return bo_fail_errno(err, reason == ENOENT ? BO_NOTFOUND : BO_IO, reason,
        "nothing was changed: cannot read '%s'", path);
}

/* A URL that lost its --db: it may hold a password, and what is run is recorded. */
static bo_status refuse_url(cli *ctx, const char *word, bo_error *err)
{
    if (!strstr(word, "://"))
        return BO_OK;
    cli_hint(ctx, "name the database with --db: backout run --db URL ...");
    return bo_fail(
        err, BO_INVALID, "nothing was changed: what is to be run is a URL, no file and no program");
}

static bo_status check_arguments(cli *ctx, const struct run_args *args, bo_error *err)
{
    if ((args->files.count == 0) == (args->command == NULL)) {
        cli_hint(ctx, "as in: backout run --db DB CHANGE.sql, or: backout run --db DB -- PROGRAM");
        return bo_fail(err, BO_INVALID,
            args->command ? "either SQL files or a command after '--', not both"
                          : "'backout run' needs SQL files, or '--' and a command");
    }
    if (args->command && args->type == 1)
        return bo_fail(err, BO_INVALID, "--type transaction cannot be used with a command");
    bo_status st = args->command ? refuse_url(ctx, args->command[0], err) : BO_OK;
    if (st != BO_OK)
        return st;
    for (size_t i = 0; i < args->files.count; i++) {
        st = refuse_url(ctx, args->files.items[i], err);
        if (st == BO_OK)
            st = check_file(args->files.items[i], err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

static bo_status run(cli *ctx, const void *arguments, bo_error *err)
{
    const struct run_args *args = arguments;
    ctx->recorded = args->rollback;
    ctx->looks = args->dry_run;
    if (args->rollback)
        return roll_back(ctx, args, err);
    bo_point_options point = {0};
    bo_status st = check_arguments(ctx, args, err);
    if (st == BO_OK)
        st = cli_scope_options(ctx, &args->scope, &point, err);
    if (st != BO_OK)
        return st;
    if (!point.migration)
        point.migration = name_of(ctx, args->command ? args->command[0] : args->files.items[0]);
    if (!point.migration)
        return bo_nomem(err);
    BO_OWN_VALUE(cli_database) database = {0};
    st = cli_database_find(ctx, args->scope.db, &database, err);
    if (st != BO_OK)
        return st;
    bo_session *session = NULL;
    st = cli_session(ctx, &session, err);
    cli_tell_unrecorded(ctx);
    if (st == BO_OK)
        st = cli_permit(ctx, &database, CLI_MAY_CREATE, point.migration, err);
    cli_consent consent = {.event = "run.begin",
        .object = point.migration,
        .production = args->production || args->dry_run,
        .yes = true};
    if (st == BO_OK)
        st = cli_consent_get(ctx, &database, &consent, err);
    if (st != BO_OK)
        return st;
    change c = {.ctx = ctx, .args = args, .database = &database};
    return args->dry_run ? dry(&c, &point, err) : protect(&c, &point, err);
}

const cli_command cmd_run = {
    .name = "run",
    .summary = "make a change under protection: point, change, seal",
    .details = "When the change fails, crashes, is killed or interrupted, it is rolled back to the "
               "point.\n\nA dry run makes no catalog where there is none.\n\nThe command after "
               "'--' finds BACKOUT_RUN_ID, BACKOUT_POINT_ID and BACKOUT_DB in its\nenvironment, "
               "and where its database is: PGHOST, PGPORT, PGUSER, PGDATABASE and PGOPTIONS\n(with "
               "the run's mark); MYSQL_HOST, MYSQL_TCP_PORT, MYSQL_UNIX_PORT, MYSQL_USER and"
               "\nMYSQL_DATABASE; or BACKOUT_SQLITE_FILE.",
    .example = "backout run --db shop.db --dry-run prices.sql\n"
               "backout run --db shop.db prices.sql\n"
               "backout run --db shop --tables orders -- python3 migrate.py\n"
               "backout run --rollback prices.sql",
    .options = options,
    .args_size = sizeof(struct run_args),
    .run = run,
};
