/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/runs_read.c - runs as they are recorded, and whether somebody is still at work on them.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "store/catalog_sql.h"
#include "store/live.h"

#define RUN_COLUMNS                                                                             \
    "id, kind, point, status, step, started_us, ended_us, lease_us, host, pid, process, actor," \
    " token, details"

/* Of the point itself, of its undo points, and of the point that it is the undo point of. */
#define OF_FAMILY                                                              \
    "(point = $1 OR point IN (SELECT id FROM backout_point WHERE parent = $1)" \
    " OR point IN (SELECT parent FROM backout_point WHERE id = $1))"

struct runs {
    bo_arena *arena;
    bo_run_record *items;
    size_t count;
};

static bo_status read_run(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    struct runs *runs = ctx;
    bo_run_record *items = bo_arena_grow(runs->arena, runs->items, runs->count, sizeof *items);
    if (!items)
        return bo_nomem(err);
    runs->items = items;
    bool nomem = false;
    items[runs->count] = (bo_run_record){
        .id = bo_read_text(runs->arena, values[0], &nomem),
        .kind = bo_read_text(runs->arena, values[1], &nomem),
        .point = bo_read_text(runs->arena, values[2], &nomem),
        .status = bo_read_text(runs->arena, values[3], &nomem),
        .step = bo_read_text(runs->arena, values[4], &nomem),
        .started_us = bo_read_number(values[5]),
        .ended_us = bo_read_number(values[6]),
        .lease_us = bo_read_number(values[7]),
        .host = bo_read_text(runs->arena, values[8], &nomem),
        .pid = bo_read_number(values[9]),
        .process = bo_read_text(runs->arena, values[10], &nomem),
        .actor = bo_read_text(runs->arena, values[11], &nomem),
        .token = bo_read_text(runs->arena, values[12], &nomem),
        .details = bo_read_text(runs->arena, values[13], &nomem),
    };
    if (nomem)
        return bo_nomem(err);
    runs->count++;
    return BO_OK;
}

/* `point` is $1 of `sql`, or NULL: there is none. */
static bo_status read_runs(bo_catalog *catalog, const char *sql, const char *point, bo_arena *arena,
    bo_run_record **out, size_t *count_out, bo_error *err)
{
    struct runs runs = {.arena = arena};
    const bo_text_value params[] = {bo_bind_text(point)};
    bo_status st =
        bo_catalog_query(catalog, sql, params, point ? 1 : 0, read_run, &runs, NULL, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the runs");
    *out = runs.items;
    *count_out = runs.count;
    return BO_OK;
}

bo_status bo_catalog_runs(bo_catalog *catalog, const char *point, uint32_t limit, bo_arena *arena,
    bo_run_record **out, size_t *count_out, bo_error *err)
{
    char sql[320];
    char last[32] = "";
    if (limit > 0)
        (void)snprintf(last, sizeof last, " LIMIT %u", limit);
    (void)snprintf(sql, sizeof sql,
        "SELECT " RUN_COLUMNS " FROM backout_run%s ORDER BY number DESC%s",
        point ? " WHERE point = $1" : "", last);
    return read_runs(catalog, sql, point, arena, out, count_out, err);
}

bo_status bo_catalog_runs_unsettled(bo_catalog *catalog, const char *point, bo_arena *arena,
    bo_run_record **out, size_t *count_out, bo_error *err)
{
    static const char sql[] =
        "SELECT " RUN_COLUMNS " FROM backout_run WHERE status IN ('died', 'unknown')"
        " AND kind IN ('rollback', 'restore') AND " OF_FAMILY " ORDER BY number";
    return read_runs(catalog, sql, point, arena, out, count_out, err);
}

bo_status bo_catalog_runs_running(bo_catalog *catalog, const char *point, bo_arena *arena,
    bo_run_record **out, size_t *count_out, bo_error *err)
{
    static const char all[] =
        "SELECT " RUN_COLUMNS " FROM backout_run WHERE status = 'running' ORDER BY number";
    static const char of_family[] =
        "SELECT " RUN_COLUMNS " FROM backout_run WHERE status = 'running' AND " OF_FAMILY
        " ORDER BY number";
    return read_runs(catalog, point ? of_family : all, point, arena, out, count_out, err);
}

/* ---- alive or dead ---- */

/* This very process began it and is not at work on it any more. */
static bool is_left(const bo_run_record *run)
{
    if (run->pid != getpid() || bo_live_has(run->id))
        return false;
    bo_process self;
    bo_process_self(&self);
    return self.identity[0] && strcmp(run->host, self.host) == 0 &&
           strcmp(run->process, self.identity) == 0;
}

bool bo_run_is_dead(const bo_run_record *run)
{
    if (is_left(run))
        return true;
    switch (bo_process_look(run->host, run->pid, run->process)) {
    case BO_PROCESS_LIVES:
        return false;
    case BO_PROCESS_GONE:
        return true;
    case BO_PROCESS_UNSEEN:
        break;
    }
    return run->lease_us < bo_clock_now_us();
}

bool bo_run_is_live(const bo_run_record *run)
{
    return strcmp(run->status, "running") == 0 && !bo_run_is_dead(run);
}
