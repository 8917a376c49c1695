/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_export.c - script, export: a rollback as SQL, and the rows of a point. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/subject.h"

struct export_args {
    const char *id, *db, *output_file, *artefacts;
    int format, which;
    bool replace;
};

#define AT(field) offsetof(struct export_args, field)
#define COMMON                                                                        \
    {CLI_OPERAND, 0, "id", "ID", AT(id), "the point, or 'latest'"},                   \
        {CLI_TEXT, 'o', "output-file", "FILE", AT(output_file),                       \
            "write it whole or not at all, mode 0600 (default: stdout)"},             \
        {CLI_FLAG, 0, "replace", NULL, AT(replace), "the file may be there already"}, \
    {                                                                                 \
        CLI_TEXT, 0, "db", "DB", AT(db), "the database, when it is not where it was"  \
    }

static const cli_option script_options[] = {
    COMMON,
    {CLI_END, 0, NULL, NULL, 0, NULL},
};

static const cli_option export_options[] = {
    COMMON,
    {CLI_CHOICE, 0, "format", "jsonl|json|sql|csv", AT(format), "form of the rows"},
    {CLI_CHOICE, 0, "which", "change|since|before|lost", AT(which),
        "what the change did, what others did since, the rows of the point, or (of an undo point) "
        "what its rollback gave up"},
    {CLI_TEXT, 0, "artefacts", "DIR", AT(artefacts),
        "write snapshot, SQL and metadata as files into this folder instead"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
#undef COMMON
#undef AT

static bo_status file_sink(void *ctx, const char *text, size_t size, bo_error *err)
{
    return bo_outfile_write(ctx, text, size, err);
}

typedef struct source {
    cli *ctx;
    const cli_database *database;
    const char *id;
    const struct export_args *args;
    bool script;
} source;

static bo_status produce(const source *s, bo_text_sink *sink, void *to, bo_error *err)
{
    if (s->script)
        return bo_script(s->ctx->session, &s->database->db, s->id, sink, to, err);
    return bo_export(s->ctx->session, &s->database->db, s->id, (bo_export_format)s->args->format,
        (bo_export_which)s->args->which, sink, to, err);
}

static bo_status deliver(const source *s, bo_error *err)
{
    const char *path = s->args->output_file;
    if (s->args->artefacts) {
        bo_status made = bo_dir_create(s->args->artefacts, err);
        if (made != BO_OK)
            return made;
        return bo_export_artefacts(
            s->ctx->session, &s->database->db, s->id, s->args->artefacts, err);
    }
    if (!path || strcmp(path, "-") == 0)
        return produce(s, cli_stdout_sink, NULL, err);
    BO_OWN(bo_outfile) *file = NULL;
    bo_status st = bo_outfile_create(path, &file, err);
    if (st == BO_OK)
        st = produce(s, file_sink, file, err);
    if (st == BO_OK)
        st = bo_outfile_commit(file, s->args->replace, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot write '%s'", path);
    cli_say(s->ctx, "written: %s", path);
    return BO_OK;
}

static bo_status work(cli *ctx, const struct export_args *args, bool script, bo_error *err)
{
    BO_OWN_VALUE(cli_subject) on = {0};
    bo_status st = cli_subject_find(ctx, args->id, args->db, &on, err);
    if (st != BO_OK)
        return st;
    source s = {ctx, &on.database, on.point->id, args, script};
    st = deliver(&s, err);
    const char *file = args->artefacts ? args->artefacts : args->output_file;
    if (st == BO_OK && file && !cli_is_text(ctx))
        st = cli_result(ctx, json_pack("{s:s, s:s}", "id", on.point->id, "file", file), err);
    return st;
}

static bo_status script(cli *ctx, const void *arguments, bo_error *err)
{
    return work(ctx, arguments, true, err);
}

static bo_status export(cli *ctx, const void *arguments, bo_error *err)
{
    return work(ctx, arguments, false, err);
}

const cli_command cmd_script = {
    .name = "script",
    .summary = "print the rollback as SQL with its guards inside",
    .details = "One transaction for psql or sqlite3, without backout: a guard before every row "
               "stops it\nwhen the row is not as the change left it.",
    .example = "backout script latest --output-file undo.sql",
    .options = script_options,
    .args_size = sizeof(struct export_args),
    .raw = true,
    .recorded = true,
    .run = script,
};

const cli_command cmd_export = {
    .name = "export",
    .summary = "print the rows of a point or a change",
    .example = "backout export latest --format csv --which since",
    .options = export_options,
    .args_size = sizeof(struct export_args),
    .raw = true,
    .recorded = true,
    .run = export,
};
