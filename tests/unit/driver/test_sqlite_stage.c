/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/driver/test_sqlite_stage.c - the stage of SQLite: keys by their bytes, conflict
 * clauses, row numbers. */
#include "sqlite_world.h"

typedef struct entries {
    const bo_image *rows;
    const bool *targets;
    size_t count, at;
} entries;

static bo_status next_entry(void *ctx, bo_stage_entry *out, bool *end_out, bo_error *err)
{
    (void)err;
    entries *self = ctx;
    *end_out = self->at == self->count;
    if (*end_out)
        return BO_OK;
    *out = (bo_stage_entry){
        .id = self->at + 1, .has_target = self->targets[self->at], .row = self->rows[self->at]};
    self->at++;
    return BO_OK;
}

static bo_status count_row(void *ctx, uint64_t id, bo_image row, bo_error *err)
{
    (void)id;
    (void)row;
    (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

/* Stages all of `before` as targets and all of `now` that has no equal there as rows that go. */
static void put_back(world *w, const char *name, const rows *before)
{
    bo_error err = {0};
    rows now = {0};
    bo_image list[16];
    bool targets[16];
    entries todo = {list, targets, 0, 0};
    const bo_table *table = describe(w, name);
    must(sq->begin(w->conn, BO_TX_WRITE, &err), &err);
    must(sq->scan(w->conn, &(bo_scan){.table = table}, keep_image, &now, &err), &err);
    for (size_t i = 0; i < now.count; i++) {
        list[todo.count] = (bo_image){now.bytes[i].data, now.bytes[i].size};
        targets[todo.count++] = false;
    }
    for (size_t i = 0; i < before->count; i++) {
        list[todo.count] = (bo_image){before->bytes[i].data, before->bytes[i].size};
        targets[todo.count++] = true;
    }
    bo_stage *stage = NULL;
    unsigned located = 0;
    bo_applied applied = {0};
    must(sq->stage_open(w->conn, &(bo_stage_table){table, table}, 1, &stage, &err), &err);
    must(sq->stage_fill(stage, 0, next_entry, &todo, &err), &err);
    must(sq->stage_locate(stage, 0, count_row, &located, &err), &err);
    assert_int_equal(located, now.count);
    must(sq->stage_apply(stage, &applied, &err), &err);
    assert_int_equal(applied.deleted, now.count);
    assert_int_equal(applied.inserted, before->count);
    sq->stage_close(stage);
    must(sq->commit(w->conn, &err), &err);
    rows_done(&now);
}

/* Keys that are equal to SQL and not to us are different rows: one goes, the other comes. */
static void a_key_is_compared_by_its_bytes(void **state)
{
    world *w = *state;
    static const struct {
        const char *table, *row, *change, *answer;
    } cases[] = {
        {"CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY NOT NULL)",
            "INSERT INTO t VALUES ('abc')", "UPDATE t SET k = 'ABC'", "'abc'"},
        {"CREATE TABLE t (k PRIMARY KEY NOT NULL)", "INSERT INTO t VALUES (1)",
            "UPDATE t SET k = 1.0", "1"},
        {"CREATE TABLE t (k PRIMARY KEY) WITHOUT ROWID", "INSERT INTO t VALUES (2.0)",
            "UPDATE t SET k = 2", "2.0"},
        {"CREATE TABLE t (k TEXT COLLATE RTRIM NOT NULL UNIQUE)", "INSERT INTO t VALUES ('a')",
            "UPDATE t SET k = 'a  '", "'a'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bo_error err = {0};
        rows before = {0};
        run(w->user, "DROP TABLE IF EXISTS t");
        run(w->user, cases[i].table);
        run(w->user, cases[i].row);
        bo_scan scan = {.table = describe(w, "t")};
        must(sq->scan(w->conn, &scan, keep_image, &before, &err), &err);
        run(w->user, cases[i].change);
        put_back(w, "t", &before);
        expect(w->user, "SELECT quote(k) FROM t", cases[i].answer);
        rows_done(&before);
    }
}

static void conflict_clauses_of_a_table_do_not_hide_a_failure(void **state)
{
    world *w = *state;
    bo_error err = {0};
    rows before = {0};
    run(w->user, "CREATE TABLE t (k INTEGER PRIMARY KEY, u UNIQUE ON CONFLICT REPLACE);"
                 "INSERT INTO t VALUES (1, 'a')");
    const bo_table *table = describe(w, "t");
    must(sq->scan(w->conn, &(bo_scan){.table = table}, keep_image, &before, &err), &err);
    run(w->user, "UPDATE t SET k = 2");
    bo_image row = {before.bytes[0].data, before.bytes[0].size};
    entries todo = {&row, &(bool){true}, 1, 0};
    bo_stage *stage = NULL;
    unsigned located = 0;
    bo_applied applied = {0};
    must(sq->begin(w->conn, BO_TX_WRITE, &err), &err);
    must(sq->stage_open(w->conn, &(bo_stage_table){table, table}, 1, &stage, &err), &err);
    must(sq->stage_fill(stage, 0, next_entry, &todo, &err), &err);
    must(sq->stage_locate(stage, 0, count_row, &located, &err), &err);
    assert_int_equal(sq->stage_apply(stage, &applied, &err), BO_CONFLICT);
    sq->rollback(w->conn);
    sq->stage_close(stage);
    expect(w->user, "SELECT k FROM t", "2");
    rows_done(&before);
}

static void a_row_keeps_its_number(void **state)
{
    world *w = *state;
    bo_error err = {0};
    rows before = {0};
    run(w->user, "CREATE TABLE t (k TEXT NOT NULL UNIQUE, v); INSERT INTO t (rowid, k, v) VALUES"
                 " (70, 'a', 1), (5, 'b', 2)");
    const bo_table *table = describe(w, "t");
    must(sq->scan(w->conn, &(bo_scan){.table = table}, keep_image, &before, &err), &err);
    run(w->user, "UPDATE t SET v = 0");
    bo_image list[2] = {
        {before.bytes[0].data, before.bytes[0].size}, {before.bytes[1].data, before.bytes[1].size}};
    entries todo = {list, (bool[]){true, true}, 2, 0};
    bo_stage *stage = NULL;
    unsigned located = 0;
    bo_applied applied = {0};
    must(sq->begin(w->conn, BO_TX_WRITE, &err), &err);
    must(sq->stage_open(w->conn, &(bo_stage_table){table, table}, 1, &stage, &err), &err);
    must(sq->stage_fill(stage, 0, next_entry, &todo, &err), &err);
    must(sq->stage_locate(stage, 0, count_row, &located, &err), &err);
    must(sq->stage_apply(stage, &applied, &err), &err);
    assert_int_equal(applied.updated, 2);
    sq->stage_close(stage);
    must(sq->commit(w->conn, &err), &err);
    expect(w->user, "SELECT group_concat(rowid || k || v) FROM (SELECT rowid, * FROM t ORDER BY k)",
        "70a1,5b2");
    rows_done(&before);
}

static void a_row_that_comes_back_takes_its_number_when_it_is_free(void **state)
{
    world *w = *state;
    static const char *const tables[] = {
        "CREATE TABLE t (k TEXT NOT NULL UNIQUE)", "CREATE TABLE t (k TEXT)"};
    for (size_t i = 0; i < 2; i++) {
        bo_error err = {0};
        rows before = {0};
        run(w->user, "DROP TABLE IF EXISTS t");
        run(w->user, tables[i]);
        run(w->user, "INSERT INTO t (rowid, k) VALUES (70, 'a'), (5, 'b'), (9, 'c')");
        const bo_table *table = describe(w, "t");
        assert_true(table->row_hint);
        must(sq->scan(w->conn, &(bo_scan){.table = table}, keep_image, &before, &err), &err);
        run(w->user, "DELETE FROM t");
        put_back(w, "t", &before);
        expect(w->user, "SELECT group_concat(rowid || k) FROM (SELECT rowid, k FROM t ORDER BY k)",
            "70a,5b,9c");
        /* one number is taken by a row that is told apart from it by its values only */
        run(w->user, "DELETE FROM t; INSERT INTO t (rowid, k) VALUES (9, 'new')");
        bo_image list[3];
        for (size_t r = 0; r < 3; r++)
            list[r] = (bo_image){before.bytes[r].data, before.bytes[r].size};
        entries todo = {list, (bool[]){true, true, true}, 3, 0};
        bo_stage *stage = NULL;
        unsigned located = 0;
        bo_applied applied = {0};
        must(sq->begin(w->conn, BO_TX_WRITE, &err), &err);
        must(sq->stage_open(w->conn, &(bo_stage_table){table, table}, 1, &stage, &err), &err);
        must(sq->stage_fill(stage, 0, next_entry, &todo, &err), &err);
        must(sq->stage_locate(stage, 0, count_row, &located, &err), &err);
        must(sq->stage_apply(stage, &applied, &err), &err);
        assert_int_equal(applied.inserted, 3);
        unsigned read = 0;
        must(sq->stage_readback(stage, 0, count_row, &read, &err), &err);
        assert_int_equal(read, 3);
        sq->stage_close(stage);
        must(sq->commit(w->conn, &err), &err);
        expect(w->user, "SELECT group_concat(rowid || k) FROM (SELECT rowid, k FROM t ORDER BY k)",
            "70a,5b,71c,9new");
        rows_done(&before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_compared_by_its_bytes),
        TEST(conflict_clauses_of_a_table_do_not_hide_a_failure),
        TEST(a_row_keeps_its_number),
        TEST(a_row_that_comes_back_takes_its_number_when_it_is_free),
    };
    return cmocka_run_group_tests_name("sqlite stage", tests, NULL, NULL);
}
