/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_neighbours.c - tables on the other side of foreign keys, which others
 * write to while rows are emptied and loaded: what is not enforced then is not broken either. */
#include <stdio.h>
#include <string.h>

#include "contract/stage_world.h"

static int start(void **state)
{
    *state = stage_world_create("contract_neighbours");
    return 0;
}

typedef struct beside {
    bo_conn *conn;
    bo_arena *arena;
    const bo_table *table;
} beside;

static void reset(stage_world *w)
{
    stage_world_reset(w, stage_customers);
    pg_do(w->user, "INSERT INTO customers VALUES (60, 'sixty', ''), (61, 'sixty one', '')");
}

/* A transaction of `conn` that has the table locked, and its snapshot. */
static void begin(beside *self, bo_conn *conn, const char *table, bool referring)
{
    bo_error err = {0};
    uint64_t rows = 0;
    *self = (beside){.conn = conn, .arena = bo_arena_create()};
    self->table = pg_table(conn, self->arena, table);
    pg_must(conn->driver->begin(conn, BO_TX_WRITE, &err), &err);
    pg_must(conn->driver->lock(conn, &self->table, 1, &err), &err);
    if (referring)
        pg_must(conn->driver->lock_referring(conn, &self->table, 1, &err), &err);
    pg_must(conn->driver->count(conn, self->table, NULL, &rows, &err), &err);
}

static void end(beside *self)
{
    self->conn->driver->rollback(self->conn);
    bo_arena_free(self->arena);
}

static bo_status try(bo_conn *conn, const char *sql)
{
    bo_error err = {0};
    return conn->driver->exec(conn, sql, &err);
}

static void load_order(bo_conn *conn, const char *values)
{
    char sql[200];
    snprintf(sql, sizeof sql,
        "SET LOCAL session_replication_role = replica; INSERT INTO public.orders VALUES %s;"
        "SET LOCAL session_replication_role TO DEFAULT",
        values);
    pg_do(conn, sql);
}

static bo_status check(const beside *self, bo_error *err)
{
    uint64_t violations = 0;
    bo_status st =
        self->conn->driver->check_references(self->conn, &self->table, 1, &violations, NULL, err);
    assert_int_equal(violations, 0);
    return st;
}

static void a_row_that_others_deleted_is_not_taken_for_there(void **state)
{
    WORLD;
    beside self;
    bo_error err = {0};
    reset(w);
    begin(&self, w->super, "orders", false);
    pg_do(w->user, "DELETE FROM customers WHERE id = 60");
    load_order(w->super, "(100, 60, 1)");
    assert_int_equal(check(&self, &err), BO_CONFLICT);
    assert_string_equal(err.sqlstate, "40001");
    assert_non_null(strstr(err.text, "foreign key 'orders_customer_fkey' of public.orders"));
    end(&self);
}

static void a_row_that_is_referred_to_stays_until_the_end(void **state)
{
    WORLD;
    beside self;
    bo_error err = {0};
    reset(w);
    begin(&self, w->super, "orders", false);
    load_order(w->super, "(100, 60, 1)");
    pg_must(check(&self, &err), &err);
    pg_do(w->user, "SET lock_timeout = 200; UPDATE customers SET name = 'x' WHERE id = 60");
    assert_int_equal(try(w->user, "DELETE FROM customers WHERE id = 60"), BO_BUSY);
    pg_do(w->user, "DELETE FROM customers WHERE id = 61");
    end(&self);
}

static void a_right_that_is_missing_to_keep_it_is_named(void **state)
{
    WORLD;
    beside self;
    bo_error err = {0};
    reset(w);
    pg_do(w->super, "ALTER TABLE public.customers OWNER TO postgres;"
                    "GRANT SELECT ON public.customers TO app;"
                    "GRANT SET ON PARAMETER session_replication_role TO app");
    begin(&self, w->owner, "orders", false);
    load_order(w->owner, "(100, 60, 1)");
    bo_status st = check(&self, &err);
    end(&self);
    pg_do(w->super, "REVOKE SET ON PARAMETER session_replication_role FROM app");
    assert_int_equal(st, BO_DENIED);
    assert_non_null(strstr(err.text, "needed: GRANT UPDATE ON public.customers"));
}

static void nobody_refers_to_rows_while_they_are_emptied(void **state)
{
    WORLD;
    beside self;
    bo_error err = {0};
    uint64_t rows = 0;
    reset(w);
    begin(&self, w->super, "customers", true);
    pg_do(w->user, "SET lock_timeout = 200");
    assert_int_equal(try(w->user, "INSERT INTO orders VALUES (100, 60, 1)"), BO_BUSY);
    pg_must(w->super->driver->clear(w->super, self.table, &rows, &err), &err);
    assert_int_equal(rows, 11);
    end(&self);
}

static void without_that_lock_the_server_enforces_foreign_keys(void **state)
{
    WORLD;
    beside self;
    bo_error err = {0};
    uint64_t rows = 0;
    reset(w);
    begin(&self, w->super, "customers", false);
    pg_do(w->user, "DELETE FROM orders; INSERT INTO orders VALUES (100, 60, 1)");
    assert_int_equal(w->super->driver->clear(w->super, self.table, &rows, &err), BO_CONFLICT);
    assert_string_equal(err.sqlstate, "23503");
    end(&self);
}

static void an_owner_for_whom_the_server_does_so_locks_nothing_more(void **state)
{
    WORLD;
    beside self;
    reset(w);
    begin(&self, w->owner, "customers", true);
    pg_do(w->user, "INSERT INTO orders VALUES (100, 60, 1)");
    end(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_others_deleted_is_not_taken_for_there),
        cmocka_unit_test(a_row_that_is_referred_to_stays_until_the_end),
        cmocka_unit_test(a_right_that_is_missing_to_keep_it_is_named),
        cmocka_unit_test(nobody_refers_to_rows_while_they_are_emptied),
        cmocka_unit_test(without_that_lock_the_server_enforces_foreign_keys),
        cmocka_unit_test(an_owner_for_whom_the_server_does_so_locks_nothing_more),
    };
    return cmocka_run_group_tests(tests, start, stage_world_finish);
}
