/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_sqlite_capture_memory.c - SQLite: a capture while memory runs out. */
#include "contract/sqlite_capture_world.h"
#include "support/fault_memory.h"

#include <string.h>

static bo_status see_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    (void)change, (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

static bo_status see_row(void *ctx, const bo_journal_row *row, bo_error *err)
{
    (void)row, (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

static bo_status see_captured(void *ctx, const bo_captured *captured, bo_error *err)
{
    (void)captured, (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

enum { BEGIN, CHECK, POSITION, LIST, CHANGES, WALK, END, STEPS };

static bo_status take_step(
    contract_world *w, unsigned step, const bo_table *table, unsigned *seen, bo_error *err)
{
    const bo_capture_driver *driver = w->driver->capture;
    const bo_journal_filter filter = {.from = "1:0"};
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_status st = BO_OK;
    switch (step) {
    case BEGIN:
        return driver->begin(w->conn, &table, 1, "p", err);
    case CHECK:
        st = driver->check(w->conn, table, "p", &text, err);
        *seen += st == BO_OK && text.size == 0;
        return st;
    case POSITION:
        st = driver->position(w->conn, NULL, 0, &text, err);
        *seen += st == BO_OK && strcmp(bo_buf_str(&text), "1:6") == 0;
        return st;
    case LIST:
        return driver->list(w->conn, see_captured, seen, err);
    case CHANGES:
        return driver->changes(w->conn, table, &filter, see_change, seen, err);
    case WALK:
        return driver->walk(w->conn, table, "1:0", see_row, seen, err);
    default:
        return driver->end(w->conn, "p", err);
    }
}

/* A step that fails has done nothing, and the next round does it. */
static void every_allocation_may_fail_once(void **state)
{
    static const unsigned told[STEPS] = {0, 1, 1, 1, 5, 6, 0};
#ifdef UNDER_ASAN
    skip(); /* which allocates by itself */
#endif
    contract_world *w = *state;
    contract_do(w, ROWS_T "CREATE UNIQUE INDEX i ON t (lower(a) DESC) WHERE d > 0;");
    const bo_table *table = contract_table(w, "t");
    for (unsigned step = BEGIN; step < STEPS; step++) {
        bo_status st = BO_OK;
        unsigned nth = 0, seen = 0;
        bool fired = false;
        do {
            bo_error err = {0};
            seen = 0;
            fault_memory_arm(++nth);
            st = take_step(w, step, table, &seen, &err);
            fired = fault_memory_fired();
            const bool there = *contract_ask(w, OURS) != 0;
            assert_int_equal(there, (step != BEGIN || st == BO_OK) && (step != END || st != BO_OK));
            if (st != BO_OK)
                assert_int_equal(st, BO_NOMEM);
            else if (fired && step == BEGIN) /* it could do without: once more */
                capture_end(w, "p");
            else if (fired && step == END)
                capture_begin(w, "p", PG_NAMES("t"));
        } while (fired);
        assert_int_equal(st, BO_OK);
        assert_int_equal(seen, told[step]);
        assert_true(nth > 1);
        if (step == BEGIN)
            contract_do(w, "UPDATE t SET a = a || '!' WHERE id < 4; DELETE FROM t WHERE id = 4;"
                           " INSERT INTO t (a) VALUES ('n'); UPDATE t SET c = 1 WHERE id = 1");
    }
}

CONTRACT_MAIN("sqlite_capture_memory", CONTRACT_TEST(every_allocation_may_fail_once))
