/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/lock.c - who holds a lock of the catalog. */
#include "store/lock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/step.h"
#include "driver/sqlite/locks.h"
#include "driver/sqlite/url.h"

enum { PAUSE_US = 25000, LISTED = 3, LINE_SIZE = 256 };

/* ---- the holder, as the operating system or the server knows it ---- */

struct holder {
    bool found;
    char text[LINE_SIZE];
};

static void find_on_sqlite(bo_catalog *catalog, struct holder *out)
{
    BO_OWN(sq_url) *url = NULL;
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_error ignored = {0};
    if (sq_url_parse(catalog->url, &url, &ignored) != BO_OK)
        return;
    sq_locks_holder(url->path, &text);
    out->found = text.size > 0 && !text.failed;
    (void)snprintf(out->text, sizeof out->text, "%s", bo_buf_str(&text));
}

static bo_status read_holder(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    struct holder *out = ctx;
    (void)count;
    (void)err;
    out->found = true;
    (void)snprintf(out->text, sizeof out->text, "\nit is held by %.*s of %.*s, since %.*s",
        (int)values[0].size, values[0].data ? values[0].data : "", (int)values[1].size,
        values[1].data ? values[1].data : "", (int)values[2].size,
        values[2].data ? values[2].data : "");
    return BO_OK;
}

/* The two halves of BO_CATALOG_LOCK; a session's application name says which process it is. */
static void find_on_server(bo_catalog *catalog, struct holder *out)
{
    bo_error ignored = {0};
    (void)bo_catalog_query(catalog,
        "SELECT COALESCE(NULLIF(a.application_name, ''), 'a program'), a.usename,"
        " to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
        " WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()"
        " AND l.objsubid = 1 AND (l.classid::bigint << 32 | l.objid::bigint) = " BO_CATALOG_LOCK
        " LIMIT 1",
        NULL, 0, read_holder, out, NULL, &ignored);
}

/* ---- the runs ---- */

static void add_run(bo_buf *out, const bo_run_record *run)
{
    char since[BO_TIME_TEXT_SIZE];
    bo_time_format(run->started_us, since);
    bo_buf_printf(out,
        "\nrun %s (%s) is at step '%s', process %" PRId64 " on %s, begun by %s, since %s", run->id,
        run->kind, run->step, run->pid, run->host, run->actor, since);
}

static void list_runs(bo_catalog *catalog, bo_buf *out)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_error ignored = {0};
    if (!arena || bo_catalog_runs(catalog, NULL, 0, arena, &runs, &count, &ignored) != BO_OK)
        return;
    unsigned listed = 0;
    for (size_t i = 0; i < count && listed < LISTED; i++) {
        if (!bo_run_is_live(&runs[i]))
            continue;
        add_run(out, &runs[i]);
        listed++;
    }
}

bo_status bo_catalog_busy(bo_catalog *catalog, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) runs = {0};
    struct holder holder = {0};
    if (catalog->conn->driver->caps & BO_CAP_SCHEMAS)
        find_on_server(catalog, &holder);
    else
        find_on_sqlite(catalog, &holder);
    list_runs(catalog, &runs);
    return bo_fail(err, BO_BUSY, "another backout process is writing to the catalog '%s'%s%s",
        catalog->name, holder.found ? holder.text : "", bo_buf_str(&runs));
}

bo_status bo_point_busy(const char *point, const bo_run_record *run, bo_error *err)
{
    char since[BO_TIME_TEXT_SIZE];
    bo_time_format(run->started_us, since);
    const char *of = run->point && strcmp(run->point, point) != 0 ? run->point : "";
    return bo_fail(err, BO_BUSY,
        "'%s' is in use: run %s (%s)%s%s of process %" PRId64
        " on %s is at step '%s', since %s\nit was begun by %s",
        point, run->id, run->kind, of[0] ? " of " : "", of, run->pid, run->host, run->step, since,
        run->actor);
}

bo_status bo_lock_pause(bo_error *err)
{
    (void)usleep(PAUSE_US);
    return bo_interrupt_check(err);
}
