/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/driver/test_sqlite_memory.c - SQLite: every allocation of an undo fails once. */
#include "support/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "driver/driver.h"
#include "support/fault_memory.h"

static const bo_driver *const sq = &bo_driver_sqlite;

typedef struct entries {
    bo_buf rows;
    size_t at;
    uint64_t id;
} entries;

static bo_status keep(void *ctx, bo_image row, bo_error *err)
{
    bo_buf *rows = ctx;
    bo_buf_add(rows, row.data, row.size);
    return bo_buf_check(rows, err);
}

static bo_status next_entry(void *ctx, bo_stage_entry *out, bool *end_out, bo_error *err)
{
    entries *self = ctx;
    bo_span rest = {self->rows.data + self->at, self->rows.size - self->at};
    *end_out = rest.size == 0;
    if (*end_out)
        return BO_OK;
    bo_status st = bo_image_measure(rest, &rest.size, err);
    self->at += rest.size;
    *out = (bo_stage_entry){.id = ++self->id, .has_target = true, .row = rest};
    return st;
}

static bo_status see_row(void *ctx, uint64_t id, bo_image row, bo_error *err)
{
    (void)ctx;
    (void)id;
    (void)row;
    (void)err;
    return BO_OK;
}

static bo_status see_block(void *ctx, const bo_blocked *blocked, bo_error *err)
{
    (void)ctx;
    (void)blocked;
    (void)err;
    return BO_OK;
}

/* Reads the table and puts every row back as it is; the transaction is rolled back. */
static bo_status read_and_put_back(const char *path, bo_error *err)
{
    BO_OWN(bo_conn) *conn = NULL;
    BO_OWN(bo_stage) *stage = NULL;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_VALUE(bo_buf) rows = {0};
    const bo_table *table = NULL;
    bo_applied applied = {0};
    bo_status st = arena ? sq->open(&(bo_connect){.url = path}, &conn, err) : bo_nomem(err);
    if (st == BO_OK)
        st = sq->describe(conn, "t", arena, &table, err);
    if (st == BO_OK)
        st = sq->begin(conn, BO_TX_WRITE, err);
    if (st == BO_OK)
        st = sq->scan(conn, &(bo_scan){.table = table, .predicate = "a <> ''"}, keep, &rows, err);
    entries todo = {.rows = rows};
    if (st == BO_OK)
        st = sq->stage_open(conn, &(bo_stage_table){table, table}, 1, &stage, err);
    if (st == BO_OK)
        st = sq->stage_fill(stage, 0, next_entry, &todo, err);
    if (st == BO_OK)
        st = sq->stage_locate(stage, 0, see_row, NULL, err);
    if (st == BO_OK)
        st = sq->stage_blocked(stage, see_block, NULL, err);
    if (st == BO_OK)
        st = sq->stage_apply(stage, &applied, err);
    return st;
}

static void an_undo_without_memory_fails_cleanly(void **state)
{
    (void)state;
    bo_error err = {0};
    bo_conn *user = NULL;
    char folder[] = "/tmp/sqlite-memory-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.db", folder);
    assert_int_equal(
        sq->open(&(bo_connect){.url = path, .create = true, .raw = true}, &user, &err), BO_OK);
    assert_int_equal(sq->exec(user,
                         "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE,"
                         " b INTEGER REFERENCES t (id));"
                         "INSERT INTO t VALUES (1, 'x', NULL), (2, 'y', 1)",
                         &err),
        BO_OK);
    unsigned nth = 0;
    bo_status st = BO_OK;
    bool fired = false;
    do {
        bo_error why = {0};
        fault_memory_arm(++nth);
        st = read_and_put_back(path, &why);
        fired = fault_memory_fired();
        if (st != BO_OK && st != BO_NOMEM)
            fail_msg("allocation %u: %s: %s", nth, bo_status_name(st), why.text);
    } while (fired);
    assert_int_equal(st, BO_OK);
    bo_conn_free(user);
    remove(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_undo_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests_name("sqlite memory", tests, NULL, NULL);
}
