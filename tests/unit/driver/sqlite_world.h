/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/driver/sqlite_world.h - a database file with a connection of ours and one of a user.
 */
#ifndef BO_TESTS_UNIT_DRIVER_SQLITE_WORLD_H
#define BO_TESTS_UNIT_DRIVER_SQLITE_WORLD_H

#include "support/unit.h"

#include <unistd.h>

#include "driver/driver.h"

typedef struct world {
    char folder[64];
    char path[80];
    bo_conn *conn; /* as backout connects */
    bo_conn *user;
    bo_arena *arena;
} world;

static const bo_driver *const sq = &bo_driver_sqlite;

static inline void must(bo_status st, const bo_error *err)
{
    if (st != BO_OK)
        fail_msg("%s: %s", bo_status_name(st), err->text);
}

static inline bo_conn *connect_to(const char *url, bool create, bool raw)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    must(sq->open(&(bo_connect){.url = url, .create = create, .raw = raw, .lock_timeout_ms = 50},
             &conn, &err),
        &err);
    return conn;
}

static inline int start(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    (void)snprintf(w->folder, sizeof w->folder, "%.36s/sqlite-test-XXXXXX", temporary_folder());
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/a.db", w->folder);
    w->user = connect_to(w->path, true, true);
    w->conn = connect_to(w->path, false, false);
    w->arena = bo_arena_create();
    *state = w;
    return 0;
}

static inline int stop(void **state)
{
    world *w = *state;
    bo_conn_free(w->conn);
    bo_conn_free(w->user);
    remove(w->path);
    rmdir(w->folder);
    bo_arena_free(w->arena);
    free(w);
    return 0;
}

static inline void run(bo_conn *conn, const char *sql)
{
    bo_error err = {0};
    must(sq->exec(conn, sql, &err), &err);
}

static inline const bo_table *describe(world *w, const char *name)
{
    bo_error err = {0};
    const bo_table *table = NULL;
    must(sq->describe(w->conn, name, w->arena, &table, &err), &err);
    return table;
}

static inline bo_status keep_text(
    void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)err;
    (void)count;
    snprintf(ctx, 64, "%.*s", (int)values[0].size, values[0].data ? values[0].data : "NULL");
    return BO_OK;
}

static inline void expect(bo_conn *conn, const char *sql, const char *answer)
{
    bo_error err = {0};
    char text[64] = "nothing";
    must(sq->query(conn, sql, NULL, 0, keep_text, text, NULL, &err), &err);
    assert_string_equal(text, answer);
}

typedef struct rows {
    bo_buf bytes[8];
    size_t count;
} rows;

static inline bo_status keep_image(void *ctx, bo_image row, bo_error *err)
{
    (void)err;
    rows *self = ctx;
    assert_true(self->count < 8);
    bo_buf_add(&self->bytes[self->count++], row.data, row.size);
    return BO_OK;
}

static inline void rows_done(rows *self)
{
    for (size_t i = 0; i < self->count; i++)
        bo_buf_done(&self->bytes[i]);
    *self = (rows){0};
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

#endif
