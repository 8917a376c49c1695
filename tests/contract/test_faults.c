/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_faults.c - every driver: an undo whose n-th call fails, or whose commit is
 * not answered. */
#include "base/error.h"
#include "contract/contract.h"
#include "support/fault_driver.h"

typedef struct entries {
    contract_rows rows;
    uint64_t id;
} entries;

static bo_status next_entry(void *ctx, bo_stage_entry *out, bool *end_out, bo_error *err)
{
    entries *self = ctx;
    *out = (bo_stage_entry){.id = ++self->id, .has_target = true};
    return contract_next(&self->rows, &out->row, end_out, err);
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
    return bo_fail(err, BO_FAILED, "nothing is in the way here");
}

static bo_status stage_all(
    bo_conn *conn, const bo_table *table, entries *rows, bo_stage **stage, bo_error *err)
{
    const bo_driver *driver = conn->driver;
    bo_stage_table tables = {table, table};
    bo_applied applied = {0};
    bo_status st = driver->stage_open(conn, &tables, 1, stage, err);
    if (st == BO_OK)
        st = driver->stage_fill(*stage, 0, next_entry, rows, err);
    if (st == BO_OK)
        st = driver->stage_locate(*stage, 0, see_row, NULL, err);
    if (st == BO_OK)
        st = driver->stage_blocked(*stage, see_block, NULL, err);
    if (st == BO_OK)
        st = driver->stage_apply(*stage, &applied, err);
    if (st == BO_OK)
        st = driver->stage_readback(*stage, 0, see_row, NULL, err);
    return st;
}

/* Puts `rows` back in one transaction with a marker. */
static bo_status undo(bo_conn *conn, entries *rows, bo_buf *token, bo_error *err)
{
    const bo_driver *driver = conn->driver;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const bo_table *table = NULL;
    bo_stage *stage = NULL;
    rows->id = rows->rows.at = 0;
    bo_status st = driver->begin(conn, BO_TX_WRITE, err);
    if (st == BO_OK)
        st = driver->describe(conn, "t", arena, &table, err);
    if (st == BO_OK)
        st = driver->lock(conn, &table, 1, err);
    if (st == BO_OK)
        st = stage_all(conn, table, rows, &stage, err);
    if (st == BO_OK)
        st = driver->mark(conn, "undo", token, err);
    bo_stage_free(stage);
    if (st == BO_OK)
        st = driver->commit(conn, err);
    if (st != BO_OK && st != BO_UNKNOWN)
        driver->rollback(conn);
    return st;
}

static void setup(contract_world *w, entries *rows)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text UNIQUE);"
                   "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    contract_scan(w, &(bo_scan){.table = contract_table(w, "t")}, &rows->rows);
    contract_do(w, "UPDATE t SET a = a || 'x'");
}

static bool is_undone(contract_world *w)
{
    const char *count = contract_ask(w, "SELECT count(*) FROM t WHERE a IN ('a', 'b', 'c')");
    assert_true(*count == '0' || *count == '3');
    return *count == '3';
}

static int faults_start(void **state)
{
    fault_driver_install();
    return contract_start(state);
}

static int faults_stop(void **state)
{
    fault_driver_arm(0);
    fault_driver_lose_commit(FAULT_COMMIT_NONE);
    fault_driver_remove();
    return contract_stop(state);
}

static void an_undo_is_all_or_nothing_under_every_fault(void **state)
{
    contract_world *w = *state;
    entries rows = {0};
    setup(w, &rows);
    bo_status st = BO_OK;
    unsigned nth = 0;
    do {
        bo_error err = {0};
        BO_OWN_VALUE(bo_buf) token = {0};
        bool marked = true;
        fault_driver_arm(++nth);
        st = undo(w->conn, &rows, &token, &err);
        fault_driver_arm(0);
        assert_int_equal(st, fault_driver_fired() ? BO_DATABASE : BO_OK);
        assert_int_equal(is_undone(w), st == BO_OK);
        if (token.data) { /* the marker was written, whatever came of it */
            pg_must(w->driver->marked(w->conn, "undo", bo_buf_str(&token), &marked, &err), &err);
            assert_int_equal(marked, st == BO_OK);
        }
    } while (fault_driver_fired());
    assert_int_equal(st, BO_OK);
    assert_true(nth > 10); /* each of the calls above has failed once */
    contract_rows_done(&rows.rows);
}

static void a_commit_without_an_answer_is_told_by_the_marker(void **state)
{
    contract_world *w = *state;
    entries rows = {0};
    setup(w, &rows);
    static const fault_commit cases[] = {FAULT_COMMIT_LOST, FAULT_COMMIT_DONE};
    for (size_t i = 0; i < 2; i++) {
        bo_error err = {0};
        BO_OWN_VALUE(bo_buf) token = {0};
        bool marked = false;
        fault_driver_lose_commit(cases[i]);
        assert_int_equal(undo(w->conn, &rows, &token, &err), BO_UNKNOWN);
        bo_conn *other = contract_connect(w, false);
        pg_must(w->driver->marked(other, "undo", bo_buf_str(&token), &marked, &err), &err);
        assert_int_equal(marked, cases[i] == FAULT_COMMIT_DONE);
        assert_int_equal(is_undone(w), marked);
        bo_conn_free(other);
    }
    contract_rows_done(&rows.rows);
}

#define FAULT_TEST(test) cmocka_unit_test_setup_teardown(test, faults_start, faults_stop)

CONTRACT_MAIN("faults", FAULT_TEST(an_undo_is_all_or_nothing_under_every_fault),
    FAULT_TEST(a_commit_without_an_answer_is_told_by_the_marker))
