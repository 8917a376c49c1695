/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/progress.c - how far a long operation is: a bar, lines, or events. */
#include "cli/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/answer.h"
#include "report/json.h"
#include "report/text.h"

#define BAR_WIDTH        24
#define SHOWN_AFTER_S    0.3     /* short operations are not worth a flicker */
#define LINE_INTERVAL_US 5000000 /* between lines when nobody sees a bar */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool bar_shown;
static int64_t last_line_us;

static void add_rate(bo_buf *out, const bo_progress *p)
{
    if (p->seconds <= 0)
        return;
    double rate = (double)p->done / p->seconds;
    bo_buf_printf(out, "  %.0f rows/s", rate);
    if (p->total > p->done && rate > 0) {
        uint64_t left_s = (uint64_t)((double)(p->total - p->done) / rate);
        bo_buf_printf(out, "  %" PRIu64 ":%02" PRIu64 " left", left_s / 60, left_s % 60);
    }
}

static void add_bar(bo_buf *out, const bo_progress *p)
{
    double share = (double)p->done / (double)p->total;
    unsigned filled = (unsigned)(share * BAR_WIDTH);
    bo_buf_add_str(out, "  [");
    for (unsigned i = 0; i < BAR_WIDTH; i++)
        bo_buf_add_byte(out, i < filled ? '#' : '.');
    bo_buf_printf(out, "] %3.0f%%", share * 100);
}

static void describe(bo_buf *out, const bo_progress *p, bool bar)
{
    bo_text_safe(out, p->operation);
    if (p->table && p->table[0]) {
        bo_buf_add_byte(out, ' ');
        bo_text_safe(out, p->table);
    }
    if (bar && p->total)
        add_bar(out, p);
    bo_buf_printf(out, "  %" PRIu64, p->done);
    if (p->total)
        bo_buf_printf(out, " of %" PRIu64, p->total);
    bo_buf_add_str(out, " rows");
    add_rate(out, p);
}

static void show(const bo_progress *p)
{
    BO_OWN_VALUE(bo_buf) line = {0};
    bool bar = isatty(STDERR_FILENO);
    int64_t now = bo_clock_monotonic_us();
    if (bar ? p->seconds < SHOWN_AFTER_S
            : p->seconds * 1e6 < LINE_INTERVAL_US || now - last_line_us < LINE_INTERVAL_US)
        return;
    describe(&line, p, bar);
    (void)fprintf(stderr, "%s%s%s", bar ? "\r\033[K" : "", bo_buf_str(&line), bar ? "" : "\n");
    bar_shown = bar;
    last_line_us = now;
}

void cli_progress(void *ctx, const bo_progress *progress)
{
    cli *self = ctx;
    bo_progress now = *progress;
    if (now.done > now.total) /* it was an estimate, and too low */
        now.total = 0;
    if (self->output == CLI_OUTPUT_JSONL) {
        cli_event(self, bo_json_progress(&now));
        return;
    }
    if (self->quiet)
        return;
    (void)pthread_mutex_lock(&lock);
    show(&now);
    (void)pthread_mutex_unlock(&lock);
}

void cli_progress_end(void)
{
    (void)pthread_mutex_lock(&lock);
    if (bar_shown)
        (void)fputs("\r\033[K", stderr);
    bar_shown = false;
    (void)pthread_mutex_unlock(&lock);
}

void cli_warn(void *ctx, const char *text)
{
    cli *self = ctx;
    if (self->output == CLI_OUTPUT_JSONL)
        cli_event(
            self, json_pack("{s:s, s:o}", "type", "warning", "message", bo_json_string(text)));
    else
        cli_say(self, "backout: warning: %s", text);
}
