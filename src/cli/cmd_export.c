/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_export.c - script, export: a rollback as SQL, and the rows of a point. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/progress.h"
#include "cli/scratch.h"
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
    {CLI_CHOICE, 0, "which", "change|since|before|lost|readable", AT(which),
        "what the change did, what others did since, the rows of the point, (of an undo point) "
        "what its rollback gave up, or those rows of the point that a damaged file still gives"},
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
    bo_error *missing; /* set where it is done, and rows could not be read */
} source;

static bo_status produce(const source *s, bo_text_sink *sink, void *to, bo_error *err)
{
    if (s->script)
        return bo_script(s->ctx->session, &s->database->db, s->id, sink, to, err);
    bo_status st = bo_export(s->ctx->session, &s->database->db, s->id,
        (bo_export_format)s->args->format, (bo_export_which)s->args->which, sink, to, err);
    if (st != BO_MISMATCH)
        return st;
    *s->missing = *err;
    return BO_OK;
}

/* ---- --output json: one value, and only when all of it is there ---- */

typedef struct spool {
    FILE *file;
    bool text; /* a piece of JSON is to be made of it; otherwise it is JSON */
    bool flat; /* on one line */
    bo_buf line;
} spool;

static bo_status keep(spool *to, const char *data, size_t size, bo_error *err)
{
    if (fwrite(data, 1, size, to->file) != size)
        return bo_fail_errno(err, BO_IO, errno, "cannot write to a temporary file");
    return BO_OK;
}

/* The line as it stands in a JSON string. */
static bo_status keep_line(spool *to, bo_error *err)
{
    const char *line = bo_buf_str(&to->line);
    if (!bo_text_is_utf8(line, to->line.size))
        return bo_fail(err, BO_UNSUPPORTED,
            "JSON cannot hold what is not UTF-8\n--output text and --output-file give it as it is");
    json_t *string = json_stringn(line, to->line.size);
    BO_OWN_MEM char *quoted = bo_json_dump(string, JSON_ENCODE_ANY);
    json_decref(string);
    bo_buf_clear(&to->line);
    return quoted ? keep(to, quoted + 1, strlen(quoted) - 2, err) : bo_nomem(err);
}

static bo_status keep_part(spool *to, const char *part, size_t size, bool ends, bo_error *err)
{
    if (!to->text)
        return keep(to, part, ends && to->flat ? size - 1 : size, err);
    bo_buf_add(&to->line, part, size);
    bo_status st = bo_buf_check(&to->line, err);
    return st == BO_OK && ends ? keep_line(to, err) : st;
}

static bo_status spool_sink(void *ctx, const char *text, size_t size, bo_error *err)
{
    bo_status st = BO_OK;
    while (st == BO_OK && size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t part = end ? (size_t)(end - text) + 1 : size;
        st = keep_part(ctx, text, part, end != NULL, err);
        text += part;
        size -= part;
    }
    return st;
}

static bo_status fill(const source *s, spool *to, bo_error *err)
{
    if (!to->text)
        return produce(s, spool_sink, to, err);
    BO_OWN_VALUE(bo_buf) head = {0};
    bo_buf_printf(&head, "{\"id\":\"%s\",\"format\":\"%s\",\"text\":\"", s->id,
        !s->script && s->args->format == BO_EXPORT_CSV ? "csv" : "sql");
    bo_status st = bo_buf_check(&head, err);
    if (st == BO_OK)
        st = keep(to, bo_buf_str(&head), head.size, err);
    if (st == BO_OK)
        st = produce(s, spool_sink, to, err);
    if (st == BO_OK)
        st = keep_line(to, err);
    return st == BO_OK ? keep(to, "\"}", 2, err) : st;
}

static bo_status print_spool(const spool *from, bo_error *err)
{
    const char *head = from->flat ? "{\"type\":\"result\",\"result\":" : "";
    const char *tail = from->flat ? "}\n" : from->text ? "\n" : "";
    char piece[1 << 14];
    if (fflush(from->file) != 0 || fseek(from->file, 0, SEEK_SET) != 0)
        return bo_fail_errno(err, BO_IO, errno, "cannot write to a temporary file");
    bo_status st = cli_stdout_sink(NULL, head, strlen(head), err);
    size_t size;
    while (st == BO_OK && (size = fread(piece, 1, sizeof piece, from->file)) > 0)
        st = cli_stdout_sink(NULL, piece, size, err);
    if (st == BO_OK && ferror(from->file))
        return bo_fail_errno(err, BO_IO, errno, "cannot read a temporary file");
    return st == BO_OK ? cli_stdout_sink(NULL, tail, strlen(tail), err) : st;
}

/* Rows in clear: no other process finds the file, and none is left. */
static bo_status open_spool(cli *ctx, FILE **out, bo_error *err)
{
    const char *folder = NULL;
    bo_status st = cli_scratch_make(ctx, "backout", &folder, err);
    if (st != BO_OK)
        return st;
    const char *path = bo_arena_printf(ctx->arena, "%s/rows", folder);
    FILE *file = path ? fopen(path, "w+xe") : NULL;
    st = file   ? BO_OK
         : path ? bo_fail_errno(err, BO_IO, errno, "cannot make '%s'", path)
                : bo_nomem(err);
    cli_scratch_remove(ctx, folder);
    if (st == BO_OK)
        *out = file;
    return st;
}

static bool makes_json(const source *s)
{
    return !s->script && (s->args->format == BO_EXPORT_JSON || s->args->format == BO_EXPORT_JSONL);
}

static bo_status answer(const source *s, bo_error *err)
{
    struct export_args args = *s->args;
    source one = *s;
    one.args = &args;
    spool to = {.text = !makes_json(s), .flat = s->ctx->output == CLI_OUTPUT_JSONL};
    if (makes_json(s))
        args.format = BO_EXPORT_JSON;
    bo_status st = open_spool(s->ctx, &to.file, err);
    if (st != BO_OK)
        return st;
    st = fill(&one, &to, err);
    cli_progress_end();
    if (st == BO_OK)
        st = print_spool(&to, err);
    s->ctx->answered = st == BO_OK;
    (void)fclose(to.file);
    bo_buf_done(&to.line);
    return st;
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
    bool to_stdout = !path || strcmp(path, "-") == 0;
    if (to_stdout && !cli_is_text(s->ctx))
        return answer(s, err);
    if (to_stdout)
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
    bo_error missing = {0};
    source s = {ctx, &on.database, on.point->id, args, script, &missing};
    st = deliver(&s, err);
    const char *file = args->artefacts ? args->artefacts : args->output_file;
    bool named = file && strcmp(file, "-") != 0;
    if (st == BO_OK && named && !cli_is_text(ctx))
        st = cli_result(ctx, json_pack("{s:s, s:s}", "id", on.point->id, "file", file), err);
    if (st == BO_OK && missing.status != BO_OK) {
        *err = missing;
        st = missing.status;
    }
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
    .recorded = true,
    .looks = true,
    .run = script,
};

const cli_command cmd_export = {
    .name = "export",
    .summary = "print the rows of a point or a change",
    .example = "backout export latest --format csv --which since",
    .options = export_options,
    .args_size = sizeof(struct export_args),
    .recorded = true,
    .looks = true,
    .run = export,
};
