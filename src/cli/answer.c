/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/answer.c - results to stdout, everything else to stderr. */
#include "cli/answer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/advice.h"
#include "cli/progress.h"
#include "report/json.h"
#include "report/text.h"

bool cli_is_text(const cli *ctx)
{
    return ctx->output == CLI_OUTPUT_TEXT;
}

void cli_hint(cli *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(ctx->hint, sizeof ctx->hint, format, args);
    va_end(args);
}

bo_status cli_stdout_sink(void *ctx, const char *text, size_t size, bo_error *err)
{
    (void)ctx;
    if (fwrite(text, 1, size, stdout) != size)
        return bo_fail_errno(err, BO_IO, errno, "cannot write to the standard output");
    return BO_OK;
}

bo_status cli_print(cli *ctx, const bo_buf *text, bo_error *err)
{
    cli_progress_end();
    bo_status st = bo_buf_check(text, err);
    return st == BO_OK ? cli_stdout_sink(ctx, bo_buf_str(text), text->size, err) : st;
}

bo_status cli_result(cli *ctx, json_t *result, bo_error *err)
{
    if (!result)
        return bo_nomem(err);
    json_decref(ctx->result);
    ctx->result = result;
    return BO_OK;
}

/* Events come from worker threads too. */
static pthread_mutex_t event_lock = PTHREAD_MUTEX_INITIALIZER;

static void dump(const json_t *json, size_t flags)
{
    (void)pthread_mutex_lock(&event_lock);
    if (json_dumpf(json, stdout, flags | JSON_REAL_PRECISION(6)) == 0)
        (void)fputc('\n', stdout);
    (void)fflush(stdout);
    (void)pthread_mutex_unlock(&event_lock);
}

void cli_event(cli *ctx, json_t *event)
{
    if (ctx->output == CLI_OUTPUT_JSONL && event)
        dump(event, JSON_COMPACT);
    json_decref(event);
}

static void remark(const char *format, va_list args) BO_PRINTF(1, 0);

static void remark(const char *format, va_list args)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    BO_OWN_VALUE(bo_buf) safe = {0};
    bo_buf_vprintf(&text, format, args);
    bo_text_escape(&safe, bo_buf_str(&text), text.size);
    cli_progress_end();
    (void)fflush(stdout); /* what was said before stands before it, also in one file */
    (void)fprintf(stderr, "%s\n", bo_buf_str(&safe));
}

void cli_say(const cli *ctx, const char *format, ...)
{
    if (ctx->quiet)
        return;
    va_list args;
    va_start(args, format);
    remark(format, args);
    va_end(args);
}

void cli_verbose(const cli *ctx, const char *format, ...)
{
    if (!ctx->verbose)
        return;
    va_list args;
    va_start(args, format);
    remark(format, args);
    va_end(args);
}

void cli_tell_unrecorded(const cli *ctx)
{
    if (ctx->stands_in)
        cli_say(ctx, "there is no catalog yet: this is not recorded");
}

/* "backout: what failed", "  because: why", "  hint: what to do". */
static void print_error(const bo_error *err, const char *hint)
{
    const char *line = err->text[0] ? err->text : bo_status_meaning(err->status);
    for (bool first = true; line; first = false) {
        const char *end = strchr(line, '\n');
        BO_OWN_VALUE(bo_buf) safe = {0};
        bo_text_escape(&safe, line, end ? (size_t)(end - line) : strlen(line));
        (void)fprintf(stderr, "%s%s\n", first ? "backout: " : "  because: ", bo_buf_str(&safe));
        line = end ? end + 1 : NULL;
    }
    if (hint)
        (void)fprintf(stderr, "  hint: %s\n", hint);
}

/* {"type":"result","result":{...}}; a list as one line for each item, then their number. */
static void print_events(json_t *result, json_t *error)
{
    size_t index;
    json_t *item;
    json_array_foreach(result, index, item)
    {
        json_t *event = json_pack("{s:s, s:O}", "type", "item", "item", item);
        if (event)
            dump(event, JSON_COMPACT);
        json_decref(event);
    }
    json_t *last = json_pack("{s:s}", "type", result ? "result" : "error");
    if (last && json_is_array(result))
        (void)json_object_set_new(last, "count", json_integer((json_int_t)json_array_size(result)));
    else if (last && result)
        (void)json_object_set(last, "result", result);
    if (last && error)
        (void)json_object_set(last, "error", error);
    if (last)
        dump(last, JSON_COMPACT);
    json_decref(last);
}

static void print_json(cli *ctx, json_t *error)
{
    if (ctx->output == CLI_OUTPUT_JSONL) {
        if (ctx->result || error)
            print_events(ctx->result, error);
        return;
    }
    if (error && json_is_object(ctx->result))
        (void)json_object_set(ctx->result, "error", error);
    if (ctx->result && (json_is_object(ctx->result) || !error)) {
        dump(ctx->result, JSON_INDENT(2));
    } else if (error) {
        json_t *alone = json_pack("{s:O}", "error", error);
        if (alone)
            dump(alone, JSON_INDENT(2));
        json_decref(alone);
    }
}

static void give_advice(const cli *ctx, const bo_error *err, bo_buf *out)
{
    if (ctx->hint[0])
        bo_buf_add_str(out, ctx->hint);
    else if (ctx->no_scratch && strstr(err->text, "cannot make "))
        bo_buf_add_str(out, "set TMPDIR to a folder that can be written");
    else
        cli_advice(out, err, ctx->point);
}

int cli_answer(cli *ctx, bo_status st, const bo_error *err)
{
    cli_progress_end();
    bool failed = st != BO_OK && (err->text[0] || !ctx->result);
    BO_OWN_VALUE(bo_buf) advice = {0};
    if (failed)
        give_advice(ctx, err, &advice);
    const char *hint = advice.size && !advice.failed ? bo_buf_str(&advice) : NULL;
    if (cli_is_text(ctx)) {
        if (fflush(stdout) != 0 && st == BO_OK) {
            (void)fprintf(stderr, "backout: cannot write to the standard output\n");
            return bo_status_exit_code(BO_IO);
        }
        if (failed)
            print_error(err, hint);
    } else {
        if (failed && ctx->answered)
            print_error(err, hint);
        json_t *error = failed && !ctx->answered ? bo_json_error(err, hint) : NULL;
        print_json(ctx, error);
        json_decref(error);
        if (ferror(stdout) && st == BO_OK)
            return bo_status_exit_code(BO_IO);
    }
    return bo_status_exit_code(st);
}

bo_status cli_answer_points(cli *ctx, const bo_point_list *list, bo_error *err)
{
    if (!cli_is_text(ctx))
        return cli_result(ctx, bo_json_points(list), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_points(&text, &ctx->style, list);
    return cli_print(ctx, &text, err);
}

bo_status cli_answer_made(cli *ctx, const bo_point *point, bo_error *err)
{
    if (!cli_is_text(ctx))
        return cli_result(ctx, bo_json_point_made(point), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_point_made(&text, &ctx->style, point);
    return cli_print(ctx, &text, err);
}

bo_status cli_answer_sealed(cli *ctx, const bo_point *point, bo_error *err)
{
    bo_status st = cli_answer_made(ctx, point, err);
    for (size_t i = 0; st == BO_OK && i < point->table_count; i++) {
        const bo_point_table *table = &point->tables[i];
        if (table->reshaped && !table->stored)
            st = bo_fail(err, BO_MISMATCH,
                "sealed, but what the change did to table '%s' is not known\nits changes were "
                "captured, and the capture did not last; a point with --method both has the rows "
                "as well",
                table->name);
    }
    return st;
}

bo_status cli_answer_rollback(cli *ctx, const bo_rollback *rollback, bo_error *err)
{
    if (!cli_is_text(ctx))
        return cli_result(ctx, bo_json_rollback(rollback), err);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_rollback(&text, &ctx->style, rollback);
    return cli_print(ctx, &text, err);
}
