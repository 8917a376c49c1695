/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/aside.c - filling tables out of sight, and proving them before they are seen. */
#include "change/aside.h"

#include <pthread.h>
#include <stdio.h>

#include "base/step.h"
#include "change/fill.h"
#include "change/sweep.h"

#define ASIDE_MIN 200000u /* rows: fewer are loaded before a second connection pays */

/* ---- filling ---- */

struct filling {
    bo_undo *undo;
    uint32_t table;
    bo_meter *meter;
    bo_queue frames;
    uint64_t rows[BO_CREW_MAX]; /* by worker */
};

static bo_status fill(void *ctx, bo_worker *worker, bo_error *err)
{
    struct filling *filling = ctx;
    bo_content *content = filling->undo->intent;
    BO_OWN(bo_conn) *conn = NULL;
    bo_status st = bo_target_connect(filling->undo->target->database, NULL, &conn, err);
    if (st == BO_OK)
        st = conn->driver->begin(conn, BO_TX_PLAIN, err);
    if (st == BO_OK)
        st = bo_fill_from(content, filling->table, content->parts[filling->table].aside, worker,
            conn, filling->meter, &filling->rows[worker->number], err);
    return st == BO_OK ? conn->driver->commit(conn, err) : st;
}

static bo_status fill_table(bo_undo *undo, uint32_t table, bo_meter *meter, bo_error *err)
{
    struct filling filling = {.undo = undo,
        .table = table,
        .meter = meter,
        .frames = {.count = bo_pack_frame_count(undo->intent->pack)}};
    bo_status st =
        bo_crew_run(&filling.frames, bo_target_workers(undo->target), fill, &filling, err);
    for (uint32_t i = 0; i < BO_CREW_MAX; i++)
        undo->applied[table].inserted += filling.rows[i];
    return st;
}

static bool is_worth_it(const bo_undo *undo, uint32_t table)
{
    const bo_part *part = &undo->intent->parts[table];
    bo_digest then = {0};
    bo_pack_table_digest(undo->intent->pack, table, &then);
    return !part->now && !part->left_out && then.rows >= ASIDE_MIN;
}

/* A table that cannot be put aside (a right is missing, a partition) is no failure. */
static bool put_aside(bo_undo *undo, uint32_t table)
{
    bo_conn *conn = undo->target->conn;
    bo_part *part = &undo->intent->parts[table];
    const bo_table *made = NULL;
    char name[96];
    bo_error why = {0};
    (void)snprintf(name, sizeof name, "%s_%u", undo->run, table);
    undo->aside = true; /* also when nobody says that it was */
    if (conn->driver->put_aside(conn, part->was, name, undo->arena, &made, &why) != BO_OK)
        return false;
    part->aside = made;
    return true;
}

void bo_aside_make(bo_undo *undo)
{
    bool can = undo->target->conn->driver->caps & BO_CAP_ASIDE;
    for (uint32_t i = 0; can && i < undo->intent->part_count; i++) {
        if (is_worth_it(undo, i) && put_aside(undo, i))
            bo_step("restore.aside-made");
    }
}

bo_status bo_aside_fill(bo_undo *undo, bo_error *err)
{
    bo_meter meter;
    bo_meter_start(&meter, undo->session, "restore", 0);
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++) {
        if (!undo->intent->parts[i].aside)
            continue;
        st = fill_table(undo, i, &meter, err);
        bo_step("restore.aside-filled");
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot fill the tables aside");
}

/* ---- proving, and bringing to their places ---- */

struct reading {
    bo_undo *undo;
    const bo_table *now;
    uint32_t table;
    pthread_mutex_t lock;
    bo_digest digest; /* under lock */
};

static bo_status add_row(void *ctx, bo_image row, bo_error *err)
{
    (void)err;
    bo_digest_add(ctx, row);
    return BO_OK;
}

static bo_status read_range(
    void *ctx, uint32_t worker, bo_conn *conn, const bo_job *job, bo_error *err)
{
    (void)worker;
    struct reading *reading = ctx;
    bo_digest digest = {0};
    bo_scan scan = {.table = reading->now,
        .shape = reading->undo->intent->parts[reading->table].was,
        .range = job->id};
    bo_status st = conn->driver->scan(conn, &scan, add_row, &digest, err);
    pthread_mutex_lock(&reading->lock);
    bo_digest_merge(&reading->digest, &digest);
    pthread_mutex_unlock(&reading->lock);
    return st;
}

static bo_status read_back(struct reading *reading, bo_error *err)
{
    bo_target *target = reading->undo->target;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_jobs jobs = {.arena = arena};
    bo_part part = {.was = reading->now, .now = reading->now};
    bo_status st = bo_jobs_add_ranges(&jobs, target->conn, 0, &part, NULL, 0, err);
    return st == BO_OK
               ? bo_sweep(target, &jobs, bo_target_workers(target), read_range, reading, err)
               : st;
}

static bo_status prove(bo_undo *undo, uint32_t table, const bo_table *now, bo_error *err)
{
    struct reading reading = {.undo = undo, .now = now, .table = table};
    bo_digest then = {0};
    bo_pack_table_digest(undo->intent->pack, table, &then);
    pthread_mutex_init(&reading.lock, NULL);
    bo_status st = read_back(&reading, err);
    pthread_mutex_destroy(&reading.lock);
    if (st != BO_OK)
        return st;
    bool match = bo_digest_equal(&then, &reading.digest);
    undo->proofs[table] = match ? "match" : "mismatch";
    return match ? BO_OK
                 : bo_fail(err, BO_MISMATCH,
                       "the rows read back are not those of the snapshot; nothing was changed");
}

bo_status bo_aside_bring(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < undo->intent->part_count; i++) {
        bo_part *part = &undo->intent->parts[i];
        const bo_table *now = part->aside;
        if (!now)
            continue;
        st = conn->driver->lock(conn, &now, 1, err);
        if (st == BO_OK)
            st = prove(undo, i, now, err);
        if (st == BO_OK)
            st = conn->driver->bring_back(conn, now, part->was, err);
        if (st == BO_OK)
            st = conn->driver->describe(conn, part->was->name, undo->arena, &part->now, err);
        if (st != BO_OK)
            st = bo_wrap(err, st, "cannot bring table '%s' to its place", part->was->name);
    }
    return st;
}

bo_status bo_aside_drop(bo_conn *conn, const char *run, bo_error *err)
{
    if (!(conn->driver->caps & BO_CAP_ASIDE) || !run[0])
        return BO_OK;
    char prefix[96];
    (void)snprintf(prefix, sizeof prefix, "%s_", run);
    return conn->driver->drop_aside(conn, prefix, err);
}
