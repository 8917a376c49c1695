/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_verify.c - verify: do the tables equal the point? */
#include "base/error.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/subject.h"
#include "report/json.h"
#include "report/text.h"

struct verify_args {
    const char *id, *db;
    int against;
};

#define AT(field) offsetof(struct verify_args, field)
static const cli_option options[] = {
    {CLI_OPERAND, 0, "id", "ID", AT(id), "the point, or 'latest'"},
    {CLI_CHOICE, 0, "against", "before|after", AT(against),
        "the state before or after the "
        "change"},
    {CLI_TEXT, 0, "db", "DB", AT(db), "the database, when it is not where it was"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

static bo_status answer(cli *ctx, const bo_verification *verification, bo_error *err)
{
    if (!cli_is_text(ctx))
        return cli_result(ctx, bo_json_verification(verification), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_verification(&text, &ctx->style, verification);
    return cli_print(ctx, &text, err);
}

static bo_status verify(cli *ctx, const void *arguments, bo_error *err)
{
    const struct verify_args *args = arguments;
    BO_OWN_VALUE(cli_subject) on = {0};
    bo_status st = cli_subject_find(ctx, args->id, args->db, &on, err);
    if (st != BO_OK)
        return st;
    BO_OWN(bo_verification) *verification = NULL;
    st = bo_verify(on.session, &on.database.db, on.point->id,
        args->against ? BO_AGAINST_AFTER : BO_AGAINST_BEFORE, &verification, err);
    if (!verification)
        return st;
    bo_error failed = {0};
    bo_status answered = answer(ctx, verification, &failed);
    if (answered != BO_OK)
        *err = failed;
    return answered != BO_OK ? answered : st;
}

const cli_command cmd_verify = {
    .name = "verify",
    .summary = "prove that the tables equal the point, or name what differs",
    .details = "Exit code 4 when something differs: keys and columns are named, values are not.",
    .example = "backout verify latest",
    .options = options,
    .args_size = sizeof(struct verify_args),
    .recorded = true,
    .looks = true,
    .run = verify,
};
