/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_doctor.c - doctor: what is left over or broken, and what can be covered. */
#include "base/error.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "report/json.h"
#include "report/text.h"

struct doctor_args {
    const char *db;
    bool fix, foreign, yes, production;
};

#define AT(field) offsetof(struct doctor_args, field)
static const cli_option options[] = {
    {CLI_TEXT, 0, "db", "DB", AT(db), "URL, path, or name in the configuration"},
    {CLI_FLAG, 0, "fix", NULL, AT(fix), "remove what no point of this catalog needs any more"},
    {CLI_FLAG, 0, "foreign", NULL, AT(foreign),
        "with --fix: also what belongs to points this catalog does not know"},
    {CLI_FLAG, 'y', "yes", NULL, AT(yes), "do not ask"},
    {CLI_FLAG, 0, "production", NULL, AT(production), "yes, the production database"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef AT

/* Without a database that is named or configured, the catalog alone is looked at. */
static bo_status find_database(
    cli *ctx, const struct doctor_args *args, cli_database *out, bo_error *err)
{
    const char *said = getenv("BACKOUT_DB");
    if (args->db || (said && said[0]) || ctx->config.database_count == 1)
        return cli_database_find(ctx, args->db, out, err);
    cli_say(ctx, "only the catalog is looked at: no database is named (--db)");
    return BO_OK;
}

/* What was found, below that there is no catalog. */
static bo_status add_no_catalog(cli *ctx, bo_doctor *doctor, bo_error *err)
{
    bo_finding *findings = bo_arena_array(ctx->arena, doctor->finding_count + 1, sizeof *findings);
    if (!findings)
        return bo_nomem(err);
    findings[0] = (bo_finding){.kind = "no-catalog",
        .point = "",
        .table = "",
        .run = "",
        .what = "there is no catalog yet: no point and no run is known",
        .next = "backout init"};
    for (size_t i = 0; i < doctor->finding_count; i++)
        findings[i + 1] = doctor->findings[i];
    doctor->findings = findings;
    doctor->finding_count++;
    return BO_OK;
}

static bo_status print(cli *ctx, bo_doctor *doctor, bo_error *err)
{
    bo_status st = ctx->stands_in ? add_no_catalog(ctx, doctor, err) : BO_OK;
    if (st != BO_OK)
        return st;
    if (!cli_is_text(ctx))
        return cli_result(ctx, bo_json_doctor(doctor), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_doctor(&text, &ctx->style, doctor);
    return cli_print(ctx, &text, err);
}

/* A person is shown what was found before being asked. */
static bo_status confirm(cli *ctx, const struct doctor_args *args, const cli_database *database,
    const bo_database *target, bo_error *err)
{
    if (!args->yes && ctx->terminal) {
        BO_OWN(bo_doctor) *found = NULL;
        bo_status st = bo_doctor_examine(ctx->session, target, NULL, &found, err);
        if (!found)
            return st;
        BO_OWN_VALUE(bo_buf) text = {0};
        bo_text_doctor(&text, &ctx->style, found);
        (void)fputs(bo_buf_str(&text), stderr);
    }
    cli_consent consent = {.event = "doctor.fix",
        .object = target ? database->shown : "",
        .what = args->foreign
                    ? "Remove what this catalog does not need, another one's as well"
                    : "Remove what this catalog does not need any more, and settle what died",
        .production = args->production,
        .yes = args->yes,
        .unasked = "add --yes to go on without being asked; without --fix it only looks"};
    return cli_consent_get(ctx, target ? database : NULL, &consent, err);
}

static bo_status doctor(cli *ctx, const void *arguments, bo_error *err)
{
    const struct doctor_args *args = arguments;
    if (args->foreign && !args->fix)
        return bo_fail(err, BO_INVALID, "--foreign is only of use with --fix");
    ctx->looks = !args->fix;
    BO_OWN_VALUE(cli_database) database = {0};
    bo_session *session = NULL;
    bo_status st = find_database(ctx, args, &database, err);
    if (st == BO_OK)
        st = cli_session(ctx, &session, err);
    const bo_database *target = database.db.url ? &database.db : NULL;
    if (st == BO_OK && args->fix && target)
        st = cli_permit(ctx, &database, CLI_MAY_FIX, database.shown, err);
    if (st == BO_OK && args->fix)
        st = confirm(ctx, args, &database, target, err);
    if (st != BO_OK)
        return st;
    bo_doctor_options how = {.fix = args->fix, .foreign = args->foreign};
    BO_OWN(bo_doctor) *found = NULL;
    st = bo_doctor_examine(session, target, &how, &found, err);
    if (!found)
        return st;
    bo_error failed = {0};
    bo_status printed = print(ctx, found, &failed);
    if (printed == BO_OK)
        return st;
    *err = failed;
    return printed;
}

const cli_command cmd_doctor = {
    .name = "doctor",
    .summary = "find what is left over or broken; say what can be covered",
    .details =
        "Lists what of each table can be undone, captures that no point needs or that are broken,"
        "\nand runs that died. Exit code 4 when something bad is there. Where there is no catalog, "
        "it\nmakes none.\n\n--fix removes what no point of this catalog needs any more, and "
        "settles "
        "rollbacks and\nrestores that died: their records follow what the database committed. A "
        "capture of a point that\nthis catalog does not know may be another catalog's: --foreign "
        "removes it too.",
    .example = "backout doctor --db shop\nbackout doctor --db shop --fix",
    .options = options,
    .args_size = sizeof(struct doctor_args),
    .run = doctor,
};
