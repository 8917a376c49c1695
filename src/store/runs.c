/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/runs.c - runs: beginning one, going on step by step, and ending it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/step.h"
#include "store/catalog_sql.h"
#include "store/keeper.h"
#include "store/live.h"
#include "store/lock.h"

enum { ID_ATTEMPTS = 16 };

/* ---- changing a record ---- */

static bo_status change_run(bo_catalog *catalog, const char *run, const char *sql,
    const bo_text_value *params, uint16_t count, bo_error *err)
{
    char complaint[128];
    (void)snprintf(complaint, sizeof complaint, "no such run is running: '%s'", run);
    return bo_catalog_write_one(catalog, sql, params, count, BO_CONFLICT, complaint, err);
}

static bo_status record_end(
    bo_catalog *catalog, const char *run, const char *status, const char *details, bo_error *err)
{
    bo_digits now;
    const bo_text_value params[] = {
        bo_bind_text(status),
        bo_bind_number(bo_clock_now_us(), &now),
        bo_bind_text(details),
        bo_bind_text(run),
    };
    bo_status st = change_run(catalog, run,
        "UPDATE backout_run SET status = $1, ended_us = $2, details = COALESCE($3, details)"
        " WHERE id = $4",
        params, 4, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot end the run '%s'", run);
}

/* ---- beginning ---- */

/* The step stays: it tells what is to be recovered. */
static bo_status mark_died(bo_catalog *catalog, const char *run, bo_error *err)
{
    bo_digits now;
    const bo_text_value params[] = {bo_bind_number(bo_clock_now_us(), &now), bo_bind_text(run)};
    return bo_catalog_query(catalog,
        "UPDATE backout_run SET status = 'died', ended_us = $1 WHERE id = $2", params, 2, NULL,
        NULL, NULL, err);
}

static bo_status clear_point(bo_catalog *catalog, const char *point, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs_running(catalog, point, arena, &runs, &count, err);
    for (size_t i = 0; st == BO_OK && i < count; i++) {
        const bo_run_record *run = &runs[i];
        st =
            bo_run_is_dead(run) ? mark_died(catalog, run->id, err) : bo_point_busy(point, run, err);
    }
    return st;
}

struct beginning {
    const char *kind, *point, *actor;
};

static bo_status insert_run(bo_catalog *catalog, const char *id, const struct beginning *beginning,
    uint64_t *rows_out, bo_error *err)
{
    bo_process self;
    bo_process_self(&self);
    int64_t now_us = bo_clock_now_us();
    bo_digits started;
    bo_digits lease;
    bo_digits pid;
    const bo_text_value params[] = {
        bo_bind_text(id),
        bo_bind_text(beginning->kind),
        bo_bind_text(beginning->point),
        bo_bind_number(now_us, &started),
        bo_bind_number(now_us + BO_LEASE_US, &lease),
        bo_bind_text(self.host),
        bo_bind_number(self.pid, &pid),
        bo_bind_text(self.identity),
        bo_bind_text(beginning->actor),
    };
    return bo_catalog_query(catalog,
        "INSERT INTO backout_run (number, id, kind, point, status, step, started_us, ended_us,"
        " lease_us, host, pid, process, actor, details)"
        " VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM backout_run), $1, $2, $3, 'running',"
        " 'begin', $4, 0, $5, $6, $7, $8, $9, '{}') ON CONFLICT (id) DO NOTHING",
        params, sizeof params / sizeof *params, NULL, NULL, rows_out, err);
}

static bo_status begin_run(
    bo_catalog *catalog, const struct beginning *beginning, char id_out[64], bo_error *err)
{
    bo_status st = beginning->point ? clear_point(catalog, beginning->point, err) : BO_OK;
    for (int attempt = 0; attempt < ID_ATTEMPTS && st == BO_OK; attempt++) {
        char id[64];
        char stamp[BO_TIME_TEXT_SIZE];
        char random[5];
        uint64_t rows = 0;
        bo_time_compact(bo_clock_now_us(), stamp);
        bo_random_hex(random, 2);
        (void)snprintf(id, sizeof id, "run_%s_%s", stamp, random);
        st = insert_run(catalog, id, beginning, &rows, err);
        if (st == BO_OK && rows == 1) {
            memcpy(id_out, id, sizeof id);
            return bo_live_add(catalog, id) ? BO_OK : bo_nomem(err);
        }
    }
    return st != BO_OK ? st : bo_fail(err, BO_EXISTS, "no id is free");
}

/* One try: `before` (NULL: none) ends, and the new one begins. */
static bo_status try_begin(bo_catalog *catalog, const char *before, const char *status,
    const struct beginning *beginning, char id_out[64], bo_error *err)
{
    bo_status st = bo_catalog_begin(catalog, err);
    if (st != BO_OK)
        return st;
    if (before)
        st = record_end(catalog, before, status, NULL, err);
    if (st == BO_OK)
        st = begin_run(catalog, beginning, id_out, err);
    return bo_catalog_finish(catalog, st, err);
}

static bo_status begin_waiting(bo_catalog *catalog, const char *before, const char *status,
    const struct beginning *beginning, char id_out[64], bo_error *err)
{
    const int64_t until_us = bo_clock_monotonic_us() + (int64_t)catalog->lock_timeout_ms * 1000;
    const bool waits = catalog->depth == 0;
    char id[64];
    for (;;) {
        bo_status st = try_begin(catalog, before, status, beginning, id, err);
        if (st == BO_OK) {
            memcpy(id_out, id, sizeof id);
            if (before)
                bo_live_remove(before);
            if (!catalog->keeper)
                catalog->keeper = bo_keeper_start(catalog, BO_LEASE_EVERY_MS);
            return st;
        }
        if (st == BO_BUSY && waits && bo_clock_monotonic_us() < until_us)
            st = bo_lock_pause(err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot begin a run");
    }
}

bo_status bo_catalog_run_begin(bo_catalog *catalog, const char *kind, const char *point,
    const char *actor, char id_out[64], bo_error *err)
{
    const struct beginning beginning = {kind, point, actor};
    return begin_waiting(catalog, NULL, NULL, &beginning, id_out, err);
}

bo_status bo_catalog_run_follow(bo_catalog *catalog, const char *before, const char *status,
    const char *kind, const char *point, const char *actor, char id_out[64], bo_error *err)
{
    const struct beginning beginning = {kind, point, actor};
    return begin_waiting(catalog, before, status, &beginning, id_out, err);
}

/* ---- going on ---- */

bo_status bo_catalog_run_step(bo_catalog *catalog, const char *run, const char *step,
    const char *token, const char *details, bo_error *err)
{
    bo_digits lease;
    const bo_text_value params[] = {
        bo_bind_text(step),
        bo_bind_number(bo_clock_now_us() + BO_LEASE_US, &lease),
        bo_bind_text(token),
        bo_bind_text(details),
        bo_bind_text(run),
    };
    bo_status st = change_run(catalog, run,
        "UPDATE backout_run SET step = $1, lease_us = $2, token = COALESCE($3, token),"
        " details = COALESCE($4, details) WHERE id = $5 AND status = 'running'",
        params, 5, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot journal the step '%s'", step);
    bo_step(step);
    return BO_OK;
}

bo_status bo_catalog_run_end(
    bo_catalog *catalog, const char *run, const char *status, const char *details, bo_error *err)
{
    bo_status st = record_end(catalog, run, status, details, err);
    bo_live_remove(run);
    return st;
}
