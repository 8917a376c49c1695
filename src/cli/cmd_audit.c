/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_audit.c - audit: every attempt, and whether the log is whole. */
#include "base/error.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "report/json.h"
#include "report/text.h"

#define DEFAULT_LIMIT 50

struct audit_args {
    uint32_t limit;
    bool verify, all, replace;
    const char *export, *file;
};

#define AT(field) offsetof(struct audit_args, field)
static const cli_option options[] = {
    {CLI_UINT, 'n', "limit", "N", AT(limit), "the newest N records (default: 50)"},
    {CLI_FLAG, 'a', "all", NULL, AT(all), "all records"},
    {CLI_FLAG, 0, "verify", NULL, AT(verify), "recompute the chain of hashes"},
    {CLI_TEXT, 0, "file", "FILE", AT(file), "with --verify: this exported log"},
    {CLI_TEXT, 0, "export", "FILE", AT(export), "write all records as JSON, oldest first"},
    {CLI_FLAG, 0, "replace", NULL, AT(replace), "with --export: the file may be there already"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

static bo_status verify_chain(cli *ctx, bo_session *session, const char *file, bo_error *err)
{
    bo_audit_result result = {0};
    bo_status st = bo_audit_check_chain(session, file, &result, err);
    if (st != BO_OK && st != BO_MISMATCH)
        return st;
    bo_error failed = {0};
    bo_status answered = BO_OK;
    if (cli_is_text(ctx)) {
        BO_OWN_VALUE(bo_buf) text = {0};
        bo_text_chain(&text, &ctx->style, &result);
        answered = cli_print(ctx, &text, &failed);
    } else {
        answered = cli_result(ctx, bo_json_chain(&result), &failed);
    }
    if (answered != BO_OK)
        *err = failed;
    return answered != BO_OK ? answered : st;
}

static bo_status save(cli *ctx, bo_session *session, const char *path, bool replace, bo_error *err)
{
    bo_status st = bo_audit_save(session, path, replace, err);
    if (st != BO_OK)
        return st;
    cli_say(ctx, "written: %s", path);
    return cli_is_text(ctx) ? BO_OK : cli_result(ctx, json_pack("{s:s}", "file", path), err);
}

static bo_status audit(cli *ctx, const void *arguments, bo_error *err)
{
    const struct audit_args *args = arguments;
    if (args->file && !args->verify)
        return bo_fail(err, BO_INVALID, "--file needs --verify");
    if (args->replace && !args->export)
        return bo_fail(err, BO_INVALID, "--replace needs --export");
    if (args->file) /* an auditor has the file, and no catalog */
        return verify_chain(ctx, NULL, args->file, err);
    bo_session *session = NULL;
    bo_status st = cli_session(ctx, &session, err);
    if (st != BO_OK)
        return st;
    if (args->verify)
        return verify_chain(ctx, session, args->file, err);
    if (args->export)
        return save(ctx, session, args->export, args->replace, err);
    BO_OWN(bo_audit) *log = NULL;
    uint32_t limit = args->limit ? args->limit : DEFAULT_LIMIT;
    st = bo_audit_read(session, args->all ? 0 : limit, &log, err);
    if (st != BO_OK)
        return st;
    if (!cli_is_text(ctx))
        return cli_result(ctx, bo_json_audit(log), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_audit(&text, &ctx->style, log);
    return cli_print(ctx, &text, err);
}

const cli_command cmd_audit = {
    .name = "audit",
    .summary = "show, check or export the audit log",
    .example = "backout audit --limit 20\nbackout audit --verify",
    .options = options,
    .args_size = sizeof(struct audit_args),
    .recorded = true,
    .looks = true,
    .run = audit,
};
