/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_captured.c - points whose changes are captured. */
#include "world.h"

#include "backout/export.h"
#include "backout/run.h"
#include "support/fault_memory.h"

static const char *captured_point(world *w, bo_method method)
{
    const bo_point_options options = {.migration = "test", .method = method};
    return world_point_as(w, &options);
}

static const char *rows(world *w)
{
    static const char of_orders[] =
        "SELECT group_concat(id || '=' || customer_id || '/' || coalesce(total, -1), ' ') FROM "
        "(SELECT * FROM orders ORDER BY id) o";
    static const char of_orders_postgres[] =
        "SELECT string_agg(id || '=' || customer_id || '/' || coalesce(total, -1), ' ' ORDER BY id)"
        " FROM orders";
    static const char *const questions[] = {
        "SELECT group_concat(id || '=' || name, ' ') FROM (SELECT * FROM customers ORDER BY id) c",
        of_orders, "SELECT group_concat(line, ' ') FROM (SELECT * FROM log ORDER BY line) l"};
    static const char *const of_postgres[] = {
        "SELECT string_agg(id || '=' || name, ' ' ORDER BY id) FROM customers", of_orders_postgres,
        "SELECT string_agg(line, ' ' ORDER BY line) FROM log"};
    char *text = bo_arena_str(w->arena, "");
    for (size_t i = 0; i < 3; i++)
        text = bo_arena_printf(w->arena, "%s%s\n", text,
            world_value(w, w->created[0] ? of_postgres[i] : questions[i]));
    assert_non_null(text);
    return text;
}

static bo_status execute(
    world *w, const char *id, const bo_rollback_options *options, bo_rollback **out)
{
    bo_error err = {0};
    bo_status st = bo_rollback_execute(w->session, &w->database, id, options, out, &err);
    if (st != BO_OK)
        print_message("# %.*s\n", (int)strcspn(err.text, "\n"), err.text);
    return st;
}

static const char change[] = "UPDATE orders SET total = total * 2 WHERE customer_id = 1;"
                             "DELETE FROM orders WHERE id = 12;"
                             "INSERT INTO customers VALUES (7, 'Eve');"
                             "UPDATE customers SET name = 'Bobby' WHERE id = 2;"
                             "UPDATE orders SET id = 110 WHERE id = 10;"
                             "INSERT INTO log VALUES ('changed')";
static const char later[] = "INSERT INTO customers VALUES (8, 'Fay');"
                            "UPDATE customers SET name = 'Ada L.' WHERE id = 1;"
                            "INSERT INTO orders VALUES (20, 8, 1)";

static void keyed_tables_are_captured_and_the_others_stored(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w, BO_METHOD_CAPTURE);
    bo_error err = {0};
    bo_point_list *list = NULL;
    world_ok(bo_point_get(w->session, id, &list, &err), &err);
    const bo_point *point = bo_point_list_get(list, 0);
    assert_string_equal(point->method, "capture");
    assert_int_equal(point->table_count, 3);
    for (size_t i = 0; i < 3; i++) {
        bool log = strcmp(point->tables[i].name, "log") == 0;
        assert_int_equal(point->tables[i].captured, !log);
        assert_int_equal(point->tables[i].stored, log);
    }
    bo_point_list_free(list);
}

static void partial_takes_the_change_back_and_keeps_what_came_later(void **state)
{
    world *w = world_or_skip(state);
    for (int method = BO_METHOD_CAPTURE; method <= BO_METHOD_BOTH; method++) {
        const char *id = captured_point(w, (bo_method)method);
        world_sql(w, change);
        world_seal(w, id);
        world_sql(w, later);
        const char *undo = world_roll_back(w, id, BO_ROLLBACK_PARTIAL);
        assert_string_equal(rows(w), w->created[0] ? "1=Ada L. 2=Bob 8=Fay\n10=1/9.50 11=1/20.00 "
                                                     "12=2/-1 20=8/1.00\nopened opened\n"
                                                   : "1=Ada L. 2=Bob 8=Fay\n10=1/9.5 11=1/20 "
                                                     "12=2/-1 20=8/1\nopened opened\n");
        assert_non_null(undo);
        world_sql(w, "DELETE FROM orders WHERE id = 20; DELETE FROM customers WHERE id = 8;"
                     "UPDATE customers SET name = 'Ada' WHERE id = 1");
    }
}

static void full_gives_up_later_writes_only_when_told_to(void **state)
{
    world *w = world_or_skip(state);
    const char *before = rows(w);
    const char *id = captured_point(w, BO_METHOD_CAPTURE);
    world_sql(w, change);
    world_seal(w, id);
    world_sql(w, later);
    const char *then = rows(w);
    bo_rollback *done = NULL;
    bo_rollback_options options = {.type = BO_ROLLBACK_FULL};
    assert_int_equal(execute(w, id, &options, &done), BO_REFUSED);
    assert_int_equal(done->lost_rows, 3);
    bo_rollback_free(BO_TAKE(done));
    assert_string_equal(rows(w), then);
    options.discard_later = true;
    assert_int_equal(execute(w, id, &options, &done), BO_OK);
    assert_int_equal(done->lost_rows, 3);
    assert_non_null(done->lost_export);
    const char *undo = bo_arena_str(w->arena, done->undo_point);
    bo_rollback_free(BO_TAKE(done));
    assert_string_equal(rows(w), before);
    (void)world_roll_back(w, undo, BO_ROLLBACK_PARTIAL);
    assert_string_equal(rows(w), then);
}

static void a_predicate_chooses_rows_beside_the_tables_that_are_named(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w, BO_METHOD_CAPTURE);
    world_sql(w, change);
    world_seal(w, id);
    const char *const tables[] = {"customers"};
    const bo_scope_item where = {"orders", "id = 11"};
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL,
        .tables = tables,
        .table_count = 1,
        .where = &where,
        .where_count = 1};
    bo_rollback *done = NULL;
    assert_int_equal(execute(w, id, &options, &done), BO_OK);
    assert_int_equal(done->table_count, 2);
    assert_int_equal(done->inserted + done->updated + done->deleted, 3); /* 11, customers 7 and 2 */
    bo_rollback_free(done);
}

static const char *verified(world *w, const char *id, bo_against against, uint64_t *differences)
{
    bo_error err = {0};
    bo_verification *found = NULL;
    bo_status st = bo_verify(w->session, &w->database, id, against, &found, &err);
    if (st != BO_MISMATCH)
        world_ok(st, &err);
    *differences = 0;
    for (size_t i = 0; i < found->table_count; i++)
        *differences += found->tables[i].difference_count;
    const char *result = bo_arena_str(w->arena, found->result);
    bo_verification_free(found);
    return result;
}

static void verify_reads_the_journals(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w, BO_METHOD_CAPTURE);
    uint64_t differences = 0;
    assert_string_equal(verified(w, id, BO_AGAINST_BEFORE, &differences), "match");
    world_sql(w, change);
    assert_string_equal(verified(w, id, BO_AGAINST_BEFORE, &differences), "mismatch");
    assert_int_equal(differences, 7); /* 10 gone, 110 come, 11, 12, customers 7 and 2, a line */
    world_seal(w, id);
    assert_string_equal(verified(w, id, BO_AGAINST_AFTER, &differences), "match");
    world_sql(w, later);
    assert_string_equal(verified(w, id, BO_AGAINST_AFTER, &differences), "mismatch");
    assert_int_equal(differences, 3);
}

/* The last row of the change, and no other row after it. */
static void verify_sees_that_a_changed_row_is_as_before_again(void **state)
{
    static const bo_method methods[] = {BO_METHOD_SNAPSHOT, BO_METHOD_CAPTURE};
    world *w = world_or_skip(state);
    uint64_t differences = 0;
    for (size_t i = 0; i < 2; i++) {
        const char *id = captured_point(w, methods[i]);
        world_sql(w, "UPDATE orders SET total = 7 WHERE id = 12");
        world_seal(w, id);
        world_sql(w, "UPDATE orders SET total = NULL WHERE id = 12");
        assert_string_equal(verified(w, id, BO_AGAINST_AFTER, &differences), "mismatch");
        assert_int_equal(differences, 1);
    }
}

static void verify_counts_equal_rows_that_went_and_had_been_added(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w, BO_METHOD_CAPTURE);
    uint64_t differences = 0;
    world_sql(w, "INSERT INTO log VALUES ('opened')");
    world_seal(w, id);
    world_sql(w, "DELETE FROM log");
    assert_string_equal(verified(w, id, BO_AGAINST_AFTER, &differences), "mismatch");
    assert_int_equal(differences, 3);
    assert_string_equal(verified(w, id, BO_AGAINST_BEFORE, &differences), "mismatch");
    assert_int_equal(differences, 2);
}

static void what_nets_to_nothing_is_no_change(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w, BO_METHOD_CAPTURE);
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 11; UPDATE orders SET total = 20 WHERE id "
                 "= 11; INSERT INTO customers VALUES (9, 'x'); DELETE FROM customers WHERE id = 9");
    world_seal(w, id);
    bo_rollback *plan = NULL;
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL, .dry_run = true};
    assert_int_equal(execute(w, id, &options, &plan), BO_OK);
    assert_int_equal(plan->inserted + plan->updated + plan->deleted, 0);
    bo_rollback_free(plan);
}

static void a_later_write_to_a_changed_row_is_a_conflict(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w, BO_METHOD_CAPTURE);
    world_sql(w, change);
    world_seal(w, id);
    world_sql(w, "UPDATE orders SET total = 41 WHERE id = 11");
    const char *then = rows(w);
    bo_rollback *done = NULL;
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL};
    assert_int_equal(execute(w, id, &options, &done), BO_CONFLICT);
    assert_int_equal(done->conflict_count, 1);
    assert_string_equal(done->conflicts[0].table, "orders");
    assert_string_equal(done->conflicts[0].key, "11");
    assert_string_equal(done->conflicts[0].conflict_class, "data");
    bo_rollback_free(done);
    assert_string_equal(rows(w), then);
}

static void points_overlap_on_one_table(void **state)
{
    world *w = world_or_skip(state);
    const char *first = captured_point(w, BO_METHOD_CAPTURE);
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 10");
    const char *second = captured_point(w, BO_METHOD_CAPTURE);
    world_seal(w, first);
    world_sql(w, "UPDATE orders SET total = 2 WHERE id = 11");
    world_seal(w, second);
    (void)world_roll_back(w, first, BO_ROLLBACK_PARTIAL);
    assert_string_equal(
        world_value(w, "SELECT total FROM orders WHERE id = 11"), w->created[0] ? "2.00" : "2");
    (void)world_roll_back(w, second, BO_ROLLBACK_PARTIAL);
    assert_non_null(strstr(rows(w), "10=1/9.5"));
    assert_non_null(strstr(rows(w), "11=1/20"));
}

static void a_journal_that_is_gone_is_never_trusted(void **state)
{
    world *w = world_or_skip(state);
    const char *alone = captured_point(w, BO_METHOD_CAPTURE);
    const char *both = captured_point(w, BO_METHOD_BOTH);
    if (w->created[0])
        world_sql(w, "ALTER TABLE orders DISABLE TRIGGER ALL");
    else
        world_sql(w, "CREATE TABLE new_orders (id INTEGER PRIMARY KEY, customer_id INTEGER"
                     " REFERENCES customers (id), total NUMERIC(12,2));"
                     "INSERT INTO new_orders SELECT * FROM orders; DROP TABLE orders;"
                     "ALTER TABLE new_orders RENAME TO orders");
    world_sql(w, "DELETE FROM orders WHERE id = 12");
    world_seal(w, alone);
    world_seal(w, both);
    assert_non_null(strstr(bo_buf_str(&w->warnings), "the capture of table orders is broken"));
    bo_rollback *done = NULL;
    const bo_rollback_options partial = {.type = BO_ROLLBACK_PARTIAL};
    const bo_rollback_options full = {.type = BO_ROLLBACK_FULL, .discard_later = true};
    assert_int_equal(execute(w, alone, &partial, &done), BO_REFUSED);
    bo_rollback_free(BO_TAKE(done));
    assert_int_equal(execute(w, alone, &full, &done), BO_REFUSED);
    bo_rollback_free(BO_TAKE(done));
    assert_int_equal(execute(w, both, &partial, &done), BO_OK);
    bo_rollback_free(BO_TAKE(done));
    assert_non_null(strstr(rows(w), "12=2/-1"));
}

static void rows_that_are_not_stored_are_not_restored(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w, BO_METHOD_CAPTURE);
    bo_rollback *done = NULL;
    const bo_rollback_options options = {.type = BO_ROLLBACK_BACKUP};
    assert_int_equal(execute(w, id, &options, &done), BO_REFUSED);
    assert_null(done);
}

/* ---- whose writes: only a server can tell ---- */

static bo_conn *another(world *w, const char *run)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    const bo_connect how = {.url = w->url, .raw = true, .run = run};
    world_ok(bo_driver_open(&how, &conn, &err), &err);
    return conn;
}

static bo_run *begin_run(world *w, bo_method method)
{
    bo_error err = {0};
    bo_run *run = NULL;
    const bo_point_options options = {.migration = "test", .method = method};
    world_ok(bo_run_begin(w->session, &w->database, &options, &run, &err), &err);
    return run;
}

static void end_run(world *w, bo_run *run)
{
    (void)w;
    bo_error err = {0};
    world_ok(bo_run_end(run, NULL, &err), &err);
}

static void a_run_is_told_from_those_who_write_beside_it(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_run *run = begin_run(w, BO_METHOD_CAPTURE);
    BO_OWN(bo_conn) *own = another(w, bo_run_id(run));
    world_ok(own->driver->exec(own, "UPDATE orders SET total = 5 WHERE id = 10", &err), &err);
    world_sql(
        w, "UPDATE orders SET total = 6 WHERE id = 11; INSERT INTO customers VALUES (5, 'Gil')");
    world_ok(own->driver->exec(own, "DELETE FROM orders WHERE id = 12", &err), &err);
    end_run(w, run);
    (void)world_roll_back(w, bo_run_point_id(run), BO_ROLLBACK_PARTIAL);
    assert_string_equal(rows(w), "1=Ada 2=Bob 5=Gil\n10=1/9.50 11=1/6.00 12=2/-1\nopened opened\n");
    bo_run_free(run);
}

static void a_row_that_others_wrote_in_between_is_a_conflict(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    bo_run *run = begin_run(w, BO_METHOD_CAPTURE);
    BO_OWN(bo_conn) *own = another(w, bo_run_id(run));
    world_ok(own->driver->exec(own, "UPDATE orders SET total = 5 WHERE id = 10", &err), &err);
    world_sql(w, "UPDATE orders SET total = total + 100 WHERE id = 10");
    world_ok(
        own->driver->exec(own, "UPDATE orders SET total = total + 1 WHERE id = 10", &err), &err);
    end_run(w, run);
    const char *then = rows(w);
    bo_rollback *done = NULL;
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL};
    assert_int_equal(execute(w, bo_run_point_id(run), &options, &done), BO_CONFLICT);
    assert_int_equal(done->conflict_count, 1);
    assert_memory_equal(done->conflicts[0].because, "others wrote the row between two writes", 39);
    bo_rollback_free(done);
    assert_string_equal(rows(w), then);
    bo_run_free(run);
}

static void perform(bo_conn *conn, const char *const *statements)
{
    bo_error err = {0};
    for (; *statements; statements++)
        world_ok(conn->driver->exec(conn, *statements, &err), &err);
}

/* What others wrote before it: to rows that it then puts back, takes away, and changes. */
static bo_run *run_among_others(world *w, bo_method method)
{
    static const char *const by_run[] = {"UPDATE orders SET total = 9.5 WHERE id = 10",
        "INSERT INTO orders VALUES (11, 1, 20)", "DELETE FROM orders WHERE id = 13",
        "UPDATE orders SET total = 5 WHERE id = 14", "UPDATE customers SET name = 'Eve'", NULL};
    bo_run *run = begin_run(w, method);
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 10; DELETE FROM orders WHERE id = 11;"
                 "INSERT INTO orders VALUES (13, 1, 3), (14, 1, 4)");
    BO_OWN(bo_conn) *own = another(w, bo_run_id(run));
    perform(own, by_run);
    end_run(w, run);
    return run;
}

static const bo_verify_table *verified_table(const bo_verification *found, const char *name)
{
    for (size_t i = 0; i < found->table_count; i++)
        if (strcmp(found->tables[i].name, name) == 0)
            return &found->tables[i];
    fail_msg("%s is not verified", name);
    return NULL;
}

static void assert_difference(
    const bo_verify_table *table, const char *key, const char *kind, const char *column)
{
    for (size_t i = 0; i < table->difference_listed; i++) {
        const bo_difference *one = &table->differences[i];
        if (strcmp(one->key, key) != 0)
            continue;
        assert_string_equal(one->kind, kind);
        assert_int_equal(one->column_count, column ? 1 : 0);
        if (column)
            assert_string_equal(one->columns[0], column);
        return;
    }
    fail_msg("%s is no difference of %s", key, table->name);
}

static void verify_knows_what_a_run_put_back(void **state)
{
    world *w = world_or_skip(state);
    for (int method = BO_METHOD_CAPTURE; method <= BO_METHOD_BOTH; method++) {
        bo_error err = {0};
        bo_verification *found = NULL;
        bo_run *run = run_among_others(w, (bo_method)method);
        const char *id = bo_run_point_id(run);
        world_ok(bo_verify(w->session, &w->database, id, BO_AGAINST_AFTER, &found, &err), &err);
        assert_string_equal(found->result, "match");
        for (size_t i = 0; i < found->table_count; i++)
            assert_int_equal(found->tables[i].rows, found->tables[i].expected_rows);
        bo_verification_free(BO_TAKE(found));
        world_sql(w, "UPDATE customers SET name = 'Ada' WHERE id = 1;"
                     "UPDATE orders SET total = 1 WHERE id = 10; DELETE FROM orders WHERE id = 14");
        assert_int_equal(
            bo_verify(w->session, &w->database, id, BO_AGAINST_AFTER, &found, &err), BO_MISMATCH);
        const bo_verify_table *customers = verified_table(found, "customers");
        const bo_verify_table *orders = verified_table(found, "orders");
        assert_int_equal(customers->difference_count, 1);
        assert_difference(customers, "1", "differs", "name");
        assert_int_equal(orders->difference_count, 2);
        assert_difference(orders, "10", "differs", "total");
        assert_difference(orders, "14", "missing", NULL);
        assert_int_equal(orders->rows, 3);
        assert_int_equal(orders->expected_rows, 4);
        bo_verification_free(BO_TAKE(found));
        world_sql(w, "UPDATE customers SET name = 'Bob' WHERE id = 2;"
                     "UPDATE orders SET total = 9.5 WHERE id = 10");
        bo_run_free(run);
    }
}

/* Whichever allocation fails: no answer, or the right one. */
static void verify_without_memory_says_nothing_that_is_wrong(void **state)
{
    world *w = world_or_skip(state);
    bo_run *run = run_among_others(w, BO_METHOD_BOTH);
    bool fired = true;
    for (unsigned nth = 1; fired; nth++) {
        bo_error err = {0};
        bo_verification *found = NULL;
        fault_memory_arm(nth);
        bo_status st = bo_verify(
            w->session, &w->database, bo_run_point_id(run), BO_AGAINST_AFTER, &found, &err);
        fired = fault_memory_fired();
        if (st == BO_OK)
            assert_string_equal(found->result, "match");
        else
            assert_int_equal(st, BO_NOMEM);
        bo_verification_free(found);
    }
    bo_run_free(run);
}

static bo_status keep_text(void *ctx, const char *text, size_t size, bo_error *err)
{
    bo_buf_add(ctx, text, size);
    return bo_buf_check(ctx, err);
}

static void what_others_did_since_leaves_out_what_a_run_put_back(void **state)
{
    world *w = world_or_skip(state);
    for (int method = BO_METHOD_CAPTURE; method <= BO_METHOD_BOTH; method++) {
        bo_error err = {0};
        BO_OWN_VALUE(bo_buf) since = {0};
        bo_run *run = run_among_others(w, (bo_method)method);
        world_sql(w, "UPDATE customers SET name = 'Ada' WHERE id = 1;"
                     "DELETE FROM orders WHERE id = 14");
        world_ok(bo_export(w->session, &w->database, bo_run_point_id(run), BO_EXPORT_JSONL,
                     BO_EXPORT_SINCE, keep_text, &since, &err),
            &err);
        const char *text = bo_buf_str(&since);
        assert_non_null(strstr(text, "\"op\":\"update\",\"before\":{\"id\":\"1\",\"name\":"
                                     "\"Eve\"},\"after\":{\"id\":\"1\",\"name\":\"Ada\"}}\n"));
        assert_non_null(strstr(text, "{\"table\":\"orders\",\"op\":\"delete\",\"before\":{\"id\":"
                                     "\"14\""));
        unsigned lines = 0;
        for (const char *c = text; *c; c++)
            lines += *c == '\n';
        assert_int_equal(lines, 2);
        world_sql(w, "UPDATE customers SET name = 'Bob' WHERE id = 2");
        bo_run_free(run);
    }
}

static void one_user_is_taken_back_and_nobody_else(void **state)
{
    world *w = world_or_skip(state);
    const char *id = captured_point(w, BO_METHOD_CAPTURE);
    world_sql(w, "GRANT SELECT, INSERT, UPDATE, DELETE ON customers, orders TO app");
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 10");
    world_sql(w, "SET SESSION AUTHORIZATION app; UPDATE orders SET total = 2 WHERE id = 11;"
                 "INSERT INTO customers VALUES (6, 'Hal'); RESET SESSION AUTHORIZATION");
    bo_rollback *done = NULL;
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL, .user = "app"};
    assert_int_equal(execute(w, id, &options, &done), BO_OK);
    assert_int_equal(done->updated, 1);
    assert_int_equal(done->deleted, 1);
    bo_rollback_free(done);
    assert_string_equal(rows(w), "1=Ada 2=Bob\n10=1/1.00 11=1/20.00 12=2/-1\nopened opened\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(keyed_tables_are_captured_and_the_others_stored),
        WORLD_TEST(partial_takes_the_change_back_and_keeps_what_came_later),
        WORLD_TEST(full_gives_up_later_writes_only_when_told_to),
        WORLD_TEST(a_predicate_chooses_rows_beside_the_tables_that_are_named),
        WORLD_TEST(verify_reads_the_journals),
        WORLD_TEST(verify_sees_that_a_changed_row_is_as_before_again),
        WORLD_TEST(verify_counts_equal_rows_that_went_and_had_been_added),
        WORLD_TEST(what_nets_to_nothing_is_no_change),
        WORLD_TEST(a_later_write_to_a_changed_row_is_a_conflict),
        WORLD_TEST(points_overlap_on_one_table),
        WORLD_TEST(a_journal_that_is_gone_is_never_trusted),
        WORLD_TEST(rows_that_are_not_stored_are_not_restored),
        WORLD_TEST_POSTGRES(keyed_tables_are_captured_and_the_others_stored),
        WORLD_TEST_POSTGRES(partial_takes_the_change_back_and_keeps_what_came_later),
        WORLD_TEST_POSTGRES(full_gives_up_later_writes_only_when_told_to),
        WORLD_TEST_POSTGRES(a_predicate_chooses_rows_beside_the_tables_that_are_named),
        WORLD_TEST_POSTGRES(verify_reads_the_journals),
        WORLD_TEST_POSTGRES(verify_sees_that_a_changed_row_is_as_before_again),
        WORLD_TEST_POSTGRES(verify_counts_equal_rows_that_went_and_had_been_added),
        WORLD_TEST_POSTGRES(what_nets_to_nothing_is_no_change),
        WORLD_TEST_POSTGRES(a_later_write_to_a_changed_row_is_a_conflict),
        WORLD_TEST_POSTGRES(points_overlap_on_one_table),
        WORLD_TEST_POSTGRES(a_journal_that_is_gone_is_never_trusted),
        WORLD_TEST_POSTGRES(rows_that_are_not_stored_are_not_restored),
        WORLD_TEST_POSTGRES(a_run_is_told_from_those_who_write_beside_it),
        WORLD_TEST_POSTGRES(a_row_that_others_wrote_in_between_is_a_conflict),
        WORLD_TEST_POSTGRES(verify_knows_what_a_run_put_back),
        WORLD_TEST_POSTGRES(verify_without_memory_says_nothing_that_is_wrong),
        WORLD_TEST_POSTGRES(what_others_did_since_leaves_out_what_a_run_put_back),
        WORLD_TEST_MARIADB(verify_knows_what_a_run_put_back),
        WORLD_TEST_MARIADB(what_others_did_since_leaves_out_what_a_run_put_back),
        WORLD_TEST_POSTGRES(one_user_is_taken_back_and_nobody_else),
    };
    return cmocka_run_group_tests_name("captured", tests, NULL, NULL);
}
