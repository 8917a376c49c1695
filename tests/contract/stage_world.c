/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/stage_world.c - a database in which a change is undone through the stage. */
#include "contract/stage_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the database ---- */

static bo_conn *connect_to(const char *database, const char *like, bool raw)
{
    char url[600];
    const char *query = strchr(like, '?');
    snprintf(url, sizeof url, "postgresql:///%s%s", database, query ? query : "");
    return pg_world_connect(url, raw);
}

const char stage_customers[] =
    "CREATE TABLE customers (id int PRIMARY KEY, email text UNIQUE NOT NULL, name text);"
    "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers,"
    " total numeric(12,2));"
    "INSERT INTO customers SELECT n, 'c' || n || '@x', 'name ' || n FROM generate_series(1, 9) n;"
    "INSERT INTO orders SELECT n, 1 + n % 9, n * 1.5 FROM generate_series(1, 30) n;";

stage_world *stage_world_create(const char *database)
{
    const char *super = getenv("BACKOUT_TEST_PG_SUPER_URL");
    const char *app = getenv("BACKOUT_TEST_PG_APP_URL");
    if (!super || !app)
        return NULL;
    char sql[200];
    bo_conn *conn = pg_world_connect(super, true);
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s", database);
    pg_do(conn, sql);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s OWNER app", database);
    pg_do(conn, sql);
    conn->driver->close(conn);

    stage_world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->super = connect_to(database, super, false);
    world->owner = connect_to(database, app, false);
    world->user = connect_to(database, app, true);
    pg_do(world->super, "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;"
                        "GRANT USAGE ON SCHEMA ext TO PUBLIC");
    return world;
}

void stage_world_free(stage_world *world)
{
    world->super->driver->close(world->super);
    world->owner->driver->close(world->owner);
    world->user->driver->close(world->user);
    free(world);
}

int stage_world_finish(void **state)
{
    if (*state)
        stage_world_free(*state);
    return 0;
}

void stage_world_reset(stage_world *world, const char *sql)
{
    world->super->driver->rollback(world->super); /* what a failed test left open */
    world->owner->driver->rollback(world->owner);
    pg_do(world->super, "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION app");
    pg_do(world->user, sql);
}

/* ---- rows ---- */

static bo_status collect(void *ctx, bo_image row, bo_error *err)
{
    (void)err;
    stage_rows *rows = ctx;
    if ((rows->count & (rows->count - 1)) == 0) {
        size_t room = rows->count ? rows->count * 2 : 1;
        rows->rows = realloc(rows->rows, room * sizeof *rows->rows);
        assert_non_null(rows->rows);
    }
    stage_row *next = &rows->rows[rows->count++];
    *next = (stage_row){0};
    bo_buf_add(&next->image, row.data, row.size);
    if (rows->key_count > 0)
        bo_image_project(&next->key, row, rows->key, rows->key_count);
    else {
        bo_span values = bo_row_values(rows->table, row);
        bo_buf_add(&next->key, values.data, values.size);
    }
    return BO_OK;
}

static bo_span span_of(const bo_buf *buf)
{
    return (bo_span){buf->data, buf->size};
}

static int by_key(const void *a, const void *b)
{
    const stage_row *x = a;
    const stage_row *y = b;
    return bo_span_compare(span_of(&x->key), span_of(&y->key));
}

void stage_rows_read(bo_conn *conn, const bo_table *table, stage_rows *out)
{
    bo_error err = {0};
    *out = (stage_rows){.table = table};
    out->key_count = bo_table_key_positions(table, out->key);
    const bo_scan scan = {.table = table};
    pg_must(conn->driver->scan(conn, &scan, collect, out, &err), &err);
    if (out->count > 0)
        qsort(out->rows, out->count, sizeof *out->rows, by_key);
}

void stage_rows_free(stage_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        bo_buf_done(&rows->rows[i].key);
        bo_buf_done(&rows->rows[i].image);
    }
    free(rows->rows);
    *rows = (stage_rows){0};
}

bool stage_rows_equal(const stage_rows *a, const stage_rows *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!bo_row_equal(a->table, span_of(&a->rows[i].image), span_of(&b->rows[i].image)))
            return false;
    }
    return true;
}

/* ---- the difference, backwards ---- */

typedef struct difference {
    const stage_rows *before;
    const stage_rows *after;
    size_t b, a;
    uint64_t id;
    uint64_t targets, known;
} difference;

static bo_status next_entry(void *ctx, bo_stage_entry *out, bool *end_out, bo_error *err)
{
    (void)err;
    difference *d = ctx;
    while (d->b < d->before->count || d->a < d->after->count) {
        int order = d->b == d->before->count ? 1
                    : d->a == d->after->count
                        ? -1
                        : by_key(&d->before->rows[d->b], &d->after->rows[d->a]);
        const stage_row *before = order <= 0 ? &d->before->rows[d->b++] : NULL;
        const stage_row *after = order >= 0 ? &d->after->rows[d->a++] : NULL;
        if (before && after &&
            bo_row_equal(d->before->table, span_of(&before->image), span_of(&after->image)))
            continue;
        d->targets += before != NULL;
        d->known += after != NULL;
        *out = (bo_stage_entry){.id = ++d->id,
            .has_target = before != NULL,
            .row = span_of(before ? &before->image : &after->image)};
        return BO_OK;
    }
    *end_out = true;
    return BO_OK;
}

static bo_status count_row(void *ctx, uint64_t id, bo_image row, bo_error *err)
{
    (void)id;
    (void)err;
    assert_true(bo_image_count(row) > 0);
    ++*(uint64_t *)ctx;
    return BO_OK;
}

void stage_undo_begin(stage_undo *undo, bo_conn *conn, const char *const *tables)
{
    *undo = (stage_undo){.conn = conn, .arena = bo_arena_create()};
    assert_non_null(undo->arena);
    for (; tables[undo->count]; undo->count++) {
        unsigned i = undo->count;
        undo->was[i] = pg_table(conn, undo->arena, tables[i]);
        stage_rows_read(conn, undo->was[i], &undo->before[i]);
    }
}

void stage_undo_stage(stage_undo *undo)
{
    bo_error err = {0};
    bo_conn *conn = undo->conn;
    const bo_driver *driver = conn->driver;
    pg_must(driver->begin(conn, BO_TX_WRITE, &err), &err);
    bo_stage_table tables[STAGE_TABLES_MAX];
    for (unsigned i = 0; i < undo->count; i++) {
        undo->now[i] = pg_table(conn, undo->arena, undo->was[i]->name);
        bo_scan scan = {.table = undo->now[i], .shape = undo->was[i]};
        undo->after[i].table = undo->was[i];
        undo->after[i].key_count = bo_table_key_positions(undo->was[i], undo->after[i].key);
        pg_must(driver->scan(conn, &scan, collect, &undo->after[i], &err), &err);
        if (undo->after[i].count > 0)
            qsort(undo->after[i].rows, undo->after[i].count, sizeof(stage_row), by_key);
        tables[i] = (bo_stage_table){undo->was[i], undo->now[i]};
    }
    pg_must(driver->stage_open(conn, tables, undo->count, &undo->stage, &err), &err);
    for (unsigned i = 0; i < undo->count; i++) {
        difference d = {.before = &undo->before[i], .after = &undo->after[i]};
        pg_must(driver->stage_fill(undo->stage, i, next_entry, &d, &err), &err);
        undo->targets[i] = d.targets;
        uint64_t located = 0;
        pg_must(driver->stage_locate(undo->stage, i, count_row, &located, &err), &err);
        undo->known[i] = d.known;
        assert_int_equal(located, undo->was[i]->row_key ? d.known : d.id - d.targets);
    }
}

static bo_status finish(stage_undo *undo, bo_error *err)
{
    const bo_driver *driver = undo->conn->driver;
    bo_status st = driver->stage_apply(undo->stage, undo->applied, err);
    for (unsigned i = 0; st == BO_OK && i < undo->count; i++) {
        uint64_t read = 0;
        st = driver->stage_readback(undo->stage, i, count_row, &read, err);
        if (st == BO_OK && !undo->partial)
            assert_int_equal(read, undo->targets[i]);
    }
    return st;
}

bo_status stage_undo_apply(stage_undo *undo, bo_error *err)
{
    const bo_driver *driver = undo->conn->driver;
    bo_status st = finish(undo, err);
    driver->stage_close(undo->stage);
    undo->stage = NULL;
    if (st == BO_OK)
        st = driver->commit(undo->conn, err);
    else
        driver->rollback(undo->conn);
    return st;
}

void stage_undo_check(stage_undo *undo)
{
    for (unsigned i = 0; i < undo->count; i++) {
        stage_rows now;
        bo_arena *arena = bo_arena_create();
        stage_rows_read(undo->conn, pg_table(undo->conn, arena, undo->was[i]->name), &now);
        if (!stage_rows_equal(&undo->before[i], &now))
            fail_msg("%s is not as it was", undo->was[i]->name);
        stage_rows_free(&now);
        bo_arena_free(arena);
    }
}

void stage_undo_end(stage_undo *undo)
{
    if (undo->stage) {
        undo->conn->driver->stage_close(undo->stage);
        undo->conn->driver->rollback(undo->conn);
    }
    for (unsigned i = 0; i < undo->count; i++) {
        stage_rows_free(&undo->before[i]);
        stage_rows_free(&undo->after[i]);
    }
    bo_arena_free(undo->arena);
}

static bo_status no_block(void *ctx, const bo_blocked *blocked, bo_error *err)
{
    (void)ctx;
    return bo_fail(err, BO_FAILED, "table %u entry %llu is blocked by %s", blocked->table,
        (unsigned long long)blocked->id, blocked->constraint);
}

static void undo_as(stage_world *world, bo_conn *conn, const char *setup, const char *change,
    const char *const *tables)
{
    bo_error err = {0};
    stage_undo undo;
    stage_world_reset(world, setup);
    stage_undo_begin(&undo, conn, tables);
    pg_do(world->user, change);
    stage_undo_stage(&undo);
    pg_must(conn->driver->stage_blocked(undo.stage, no_block, NULL, &err), &err);
    pg_must(stage_undo_apply(&undo, &err), &err);
    stage_undo_check(&undo);
    uint64_t violations = 1;
    pg_must(
        conn->driver->check_references(conn, undo.was, undo.count, &violations, NULL, &err), &err);
    assert_int_equal(violations, 0);
    stage_undo_end(&undo);
}

void stage_undo_both(
    stage_world *world, const char *setup, const char *change, const char *const *tables)
{
    undo_as(world, world->super, setup, change, tables);
    undo_as(world, world->owner, setup, change, tables);
}
