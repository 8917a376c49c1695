/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_session.c - every driver: connections, transactions, SQL and the marker. */
#include "contract/contract.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/step.h"

#define VALUE(text)           \
    {                         \
        text, sizeof text - 1 \
    }

typedef struct seen {
    unsigned rows;
    uint16_t count;
    bool null[4];
    char text[4][64];
    size_t size[4];
} seen;

static bo_status keep(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)err;
    seen *self = ctx;
    self->rows++;
    self->count = count;
    for (uint16_t i = 0; i < count && i < 4; i++) {
        self->null[i] = !values[i].data;
        self->size[i] = values[i].size;
        snprintf(self->text[i], sizeof self->text[i], "%.*s", (int)values[i].size,
            values[i].data ? values[i].data : "");
    }
    return BO_OK;
}

static void parameters_are_values_whatever_is_in_them(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    seen got = {0};
    const bo_text_value values[] = {VALUE("it's '; DROP TABLE t --"), {NULL, 0}, VALUE("")};
    contract_do(w, "CREATE TABLE t (a text, b text, c text)");
    uint64_t rows = 0;
    pg_must(w->driver->query(
                w->user, "INSERT INTO t VALUES ($1, $2, $3)", values, 3, NULL, NULL, &rows, &err),
        &err);
    assert_int_equal(rows, 1);
    pg_must(
        w->driver->query(w->user, "SELECT a, b, c FROM t", NULL, 0, keep, &got, &rows, &err), &err);
    assert_int_equal(rows, 1);
    assert_int_equal(got.count, 3);
    assert_string_equal(got.text[0], values[0].data);
    assert_true(got.null[1]);
    assert_false(got.null[2]);
    assert_int_equal(got.size[2], 0);
}

static void parameters_choose_the_rows_of_an_answer(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    seen got = {0};
    const bo_text_value values[] = {VALUE("b"), VALUE("")};
    contract_do(w, "CREATE TABLE t (a text, b text, c text);"
                   "INSERT INTO t VALUES ('a', 'x', ''), ('b', NULL, ''), ('b', 'y', 'z')");
    uint64_t rows = 0;
    static const char sql[] = "SELECT a, b, c FROM t WHERE a = $1 AND c = $2";
    pg_must(w->driver->query(w->user, sql, values, 2, keep, &got, &rows, &err), &err);
    assert_int_equal(rows, 1);
    assert_int_equal(got.count, 3);
    assert_string_equal(got.text[0], "b");
    assert_true(got.null[1]);
    assert_false(got.null[2]);
    assert_int_equal(got.size[2], 0);
    pg_must(w->driver->query(w->user, sql, values, 2, NULL, NULL, &rows, &err), &err);
    assert_int_equal(rows, 1);
}

static void rows_are_counted_as_changed_or_returned(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    uint64_t rows = 0;
    contract_do(w, "CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (2), (3)");
    pg_must(
        w->driver->query(w->user, "DELETE FROM t WHERE a > 1", NULL, 0, NULL, NULL, &rows, &err),
        &err);
    assert_int_equal(rows, 2);
    pg_must(w->driver->query(w->user, "SELECT a FROM t", NULL, 0, NULL, NULL, &rows, &err), &err);
    assert_int_equal(rows, 1);
}

static void a_statement_that_fails_says_why(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    assert_int_not_equal(
        w->driver->query(w->user, "SELECT a FROM t", NULL, 0, NULL, NULL, NULL, &err), BO_OK);
    assert_non_null(strstr(err.text, "t"));
    assert_int_not_equal(w->driver->exec(w->user, "SELEKT", &err), BO_OK);
    assert_non_null(strstr(err.text, "SELEKT"));
}

static void a_broken_constraint_is_a_conflict(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (a integer PRIMARY KEY); INSERT INTO t VALUES (1)");
    assert_int_equal(w->driver->exec(w->user, "INSERT INTO t VALUES (1)", &err), BO_CONFLICT);
}

static void a_script_runs_statement_by_statement(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    static const char sql[] = "-- a comment; with a semicolon\nCREATE TABLE t (a text);\n"
                              "INSERT INTO t VALUES ('a;b') /* ; */;\n\n"
                              "INSERT INTO t VALUES ('c')";
    pg_must(w->driver->script(w->user, sql, sizeof sql - 1, &err), &err);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "2");
    pg_must(w->driver->script(w->user, " -- nothing\n;;\n", 15, &err), &err);
}

static void a_script_that_fails_names_the_line(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    static const char sql[] = "CREATE TABLE t (a integer PRIMARY KEY);\nINSERT INTO t VALUES (1);\n"
                              "\n-- again\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES (2);\n";
    assert_int_equal(w->driver->script(w->user, sql, sizeof sql - 1, &err), BO_CONFLICT);
    if (!strstr(err.text, "line 5"))
        fail_msg("%s", err.text);
}

static void a_script_stays_in_the_transaction_that_it_runs_in(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    const char *const bad[] = {"INSERT INTO t VALUES (1);\nCOMMIT;\n",
        "INSERT INTO t VALUES (1);\nROLLBACK", "INSERT INTO t VALUES (1);\n/* ; */ begin;",
        contract_pick(w, .sqlite = "INSERT INTO t VALUES (1);\nEND;\nINSERT INTO t VALUES (2)",
            .postgresql = "INSERT INTO t VALUES (1);\nEND;\nINSERT INTO t VALUES (2)",
            .mariadb = "INSERT INTO t VALUES (1);\nCREATE TABLE more (a integer);")};
    contract_do(w, "CREATE TABLE t (a integer)");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pg_must(w->driver->begin(w->user, BO_TX_WRITE, &err), &err);
        bo_status st = w->driver->script(w->user, bad[i], strlen(bad[i]), &err);
        if (st != BO_REFUSED || !strstr(err.text, "line 2"))
            fail_msg("[%s]: %s %s", bad[i], bo_status_name(st), err.text);
        pg_must(w->driver->exec(w->user, "INSERT INTO t VALUES (3)", &err), &err);
        w->driver->rollback(w->user); /* it was still open */
        assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "0");
    }
    static const char good[] =
        "SAVEPOINT a; INSERT INTO t VALUES (1); ROLLBACK TO a; RELEASE SAVEPOINT a;"
        "INSERT INTO t VALUES (2)";
    pg_must(w->driver->begin(w->user, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->script(w->user, good, sizeof good - 1, &err), &err);
    pg_must(w->driver->commit(w->user, &err), &err);
    assert_string_equal(contract_ask(w, "SELECT sum(a) FROM t"), "2");
    static const char own[] = "BEGIN; INSERT INTO t VALUES (3); COMMIT;";
    pg_must(w->driver->script(w->user, own, sizeof own - 1, &err), &err); /* in none it may */
    assert_string_equal(contract_ask(w, "SELECT sum(a) FROM t"), "5");
}

static void identifiers_are_quoted_so_that_they_are_only_names(void **state)
{
    contract_world *w = *state;
    static const char *const names[] = {"a", "order", "A b", "\"", "\"\"; DROP TABLE x --", "%s",
        "new\nline", "gr\xc3\xb6\xc3\x9f-", "'", "$1", "a.b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_add_str(&sql, "CREATE TABLE ");
        w->driver->quote(&sql, names[i]);
        bo_buf_add_str(&sql, " (");
        w->driver->quote(&sql, names[i]);
        bo_buf_add_str(&sql, " integer PRIMARY KEY)");
        contract_do(w, bo_buf_str(&sql));
        BO_OWN_VALUE(bo_buf) quoted = {0};
        w->driver->quote(&quoted, names[i]);
        const bo_table *table = contract_table(w, bo_buf_str(&quoted));
        assert_string_equal(table->local, names[i]);
        assert_string_equal(table->columns[0].name, names[i]);
        assert_string_equal(contract_table(w, table->name)->local, names[i]);
    }
}

static void a_transaction_is_all_or_nothing(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (a integer)");
    for (int keep_it = 0; keep_it < 2; keep_it++) {
        pg_must(w->driver->begin(w->user, BO_TX_PLAIN, &err), &err);
        contract_do(w, "INSERT INTO t VALUES (1)");
        if (keep_it)
            pg_must(w->driver->commit(w->user, &err), &err);
        else
            w->driver->rollback(w->user);
        assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), keep_it ? "1" : "0");
    }
    w->driver->rollback(w->user); /* nothing to roll back is nothing */
}

static void closing_rolls_back(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (a integer)");
    bo_conn *other = contract_connect(w, true);
    pg_must(w->driver->begin(other, BO_TX_PLAIN, &err), &err);
    pg_do(other, "INSERT INTO t VALUES (1)");
    bo_conn_free(other);
    bo_conn_free(NULL);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "0");
}

static void a_read_transaction_sees_one_instant(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    uint64_t count = 77;
    contract_do(w, "CREATE TABLE t (a integer PRIMARY KEY); INSERT INTO t VALUES (1)");
    const bo_table *table = contract_table(w, "t");
    pg_must(w->driver->begin(w->conn, BO_TX_READ, &err), &err);
    pg_must(w->driver->count(w->conn, table, NULL, &count, &err), &err);
    contract_do(w, "INSERT INTO t VALUES (2)");
    pg_must(w->driver->count(w->conn, table, NULL, &count, &err), &err);
    assert_int_equal(count, 1);
    w->driver->rollback(w->conn);
    pg_must(w->driver->count(w->conn, table, NULL, &count, &err), &err);
    assert_int_equal(count, 2);
}

static void locked_tables_are_not_written_to_by_others(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (a integer PRIMARY KEY)");
    const bo_table *table = contract_table(w, "t");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->lock(w->conn, &table, 1, &err), &err);
    contract_do(w, contract_pick(w, .sqlite = "PRAGMA busy_timeout = 50",
                       .postgresql = "SET lock_timeout = 50",
                       .mariadb = "SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 1"));
    assert_int_equal(w->driver->exec(w->user, "INSERT INTO t VALUES (1)", &err), BO_BUSY);
    w->driver->rollback(w->conn);
    contract_do(w, "INSERT INTO t VALUES (1)");
}

static void a_lock_that_another_holds_is_waited_for_and_given_up(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (a integer PRIMARY KEY)");
    const bo_table *table = contract_table(w, "t");
    pg_must(w->driver->begin(w->user, BO_TX_PLAIN, &err), &err);
    contract_do(w, "INSERT INTO t VALUES (1)");
    bo_status st = w->driver->begin(w->conn, BO_TX_WRITE, &err);
    if (st == BO_OK)
        st = w->driver->lock(w->conn, &table, 1, &err);
    assert_int_equal(st, BO_BUSY);
    assert_non_null(strstr(err.text, "lock"));
    w->driver->rollback(w->conn);
    w->driver->rollback(w->user);
}

static void *cancel_soon(void *conn)
{
    bo_interrupt();
    for (int i = 0; i < 20; i++) { /* until a statement runs that can be stopped */
        usleep(50000);
        ((bo_conn *)conn)->driver->cancel(conn);
    }
    return NULL;
}

static void a_statement_that_runs_can_be_stopped(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, w->conn), 0);
    static const char count_on[] =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000)"
        " SELECT count(*) FROM n";
    bo_status st = w->driver->exec(w->conn,
        contract_pick(w, .sqlite = count_on, .postgresql = count_on,
            .mariadb = "SELECT count(*) FROM seq_1_to_4000000000 WHERE seq % 7 = 9"),
        &err);
    pthread_join(thread, NULL);
    bo_interrupt_clear();
    assert_int_equal(st, BO_INTERRUPTED);
}

static void an_identity_is_that_of_the_database(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_identity one = {0}, two = {0};
    pg_must(w->driver->identity(w->conn, &one, &err), &err);
    pg_must(w->driver->identity(w->user, &two, &err), &err);
    assert_string_equal(one.server, two.server);
    assert_true(strlen(one.server) > 0);
    assert_non_null(strstr(one.engine, contract_pick(w, .sqlite = "SQLite 3.",
                                           .postgresql = "PostgreSQL 1", .mariadb = "MariaDB 1")));
    assert_non_null(strstr(one.database,
        contract_pick(w, .sqlite = "/shop.db", .postgresql = "contract_", .mariadb = "contract_")));
}

static void a_marker_tells_whether_its_transaction_committed(void **state)
{
    contract_world *w = *state;
    const bo_driver *driver = w->driver;
    bo_error err = {0};
    bool marked = true;
    BO_OWN_VALUE(bo_buf) lost = {0};
    BO_OWN_VALUE(bo_buf) kept = {0};
    pg_must(driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(driver->mark(w->conn, "lost", &lost, &err), &err);
    driver->rollback(w->conn);
    pg_must(driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(driver->mark(w->conn, "kept", &kept, &err), &err);
    pg_must(driver->commit(w->conn, &err), &err);

    bo_conn *other = contract_connect(w, false);
    pg_must(driver->marked(other, "lost", bo_buf_str(&lost), &marked, &err), &err);
    assert_false(marked);
    pg_must(driver->marked(other, "kept", bo_buf_str(&kept), &marked, &err), &err);
    assert_true(marked);
    pg_must(driver->unmark(other, "kept", &err), &err);
    pg_must(driver->marked(other, "kept", bo_buf_str(&kept), &marked, &err), &err);
    assert_false(marked);
    bo_conn_free(other);
}

/* It may be all that tells of another rollback that it was committed. */
static void a_marker_stays_when_another_one_is_removed(void **state)
{
    contract_world *w = *state;
    const bo_driver *driver = w->driver;
    bo_error err = {0};
    bool marked = false;
    const char *const ids[] = {"one", "two"};
    bo_buf tokens[2] = {{0}, {0}};
    for (size_t i = 0; i < 2; i++) {
        pg_must(driver->begin(w->conn, BO_TX_WRITE, &err), &err);
        pg_must(driver->mark(w->conn, ids[i], &tokens[i], &err), &err);
        pg_must(driver->commit(w->conn, &err), &err);
    }
    pg_must(driver->unmark(w->conn, "one", &err), &err);
    pg_must(driver->marked(w->conn, "two", bo_buf_str(&tokens[1]), &marked, &err), &err);
    assert_true(marked);
    pg_must(driver->unmark(w->conn, "two", &err), &err);
    for (size_t i = 0; i < 2; i++)
        bo_buf_done(&tokens[i]);
}

static bo_status count_name(void *ctx, const char *name, bo_error *err)
{
    (void)name;
    (void)err;
    ++*(int *)ctx;
    return BO_OK;
}

static void a_marker_that_is_removed_leaves_no_trace(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    int tables = 0;
    BO_OWN_VALUE(bo_buf) token = {0};
    const char *objects = contract_pick(w, .sqlite = "SELECT count(*) FROM sqlite_schema",
        .postgresql = "SELECT count(*) FROM pg_catalog.pg_class",
        .mariadb = "SELECT count(*) FROM information_schema.tables"
                   " WHERE table_schema = database()");
    const char *before = contract_ask(w, objects);
    for (const char *id = "one"; id; id = strcmp(id, "one") == 0 ? "two" : NULL) {
        bo_buf_clear(&token);
        pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
        pg_must(w->driver->mark(w->conn, id, &token, &err), &err);
        pg_must(w->driver->commit(w->conn, &err), &err);
    }
    pg_must(w->driver->tables(w->conn, count_name, &tables, &err), &err);
    assert_int_equal(tables, 0); /* it is no table of the user's */
    pg_must(w->driver->unmark(w->conn, "one", &err), &err);
    pg_must(w->driver->unmark(w->conn, "two", &err), &err);
    pg_must(w->driver->unmark(w->conn, "never", &err), &err);
    assert_string_equal(contract_ask(w, objects), before);
}

CONTRACT_MAIN("session", CONTRACT_TEST(parameters_are_values_whatever_is_in_them),
    CONTRACT_TEST(parameters_choose_the_rows_of_an_answer),
    CONTRACT_TEST(rows_are_counted_as_changed_or_returned),
    CONTRACT_TEST(a_statement_that_fails_says_why),
    CONTRACT_TEST(a_broken_constraint_is_a_conflict),
    CONTRACT_TEST(a_script_runs_statement_by_statement),
    CONTRACT_TEST(a_script_that_fails_names_the_line),
    CONTRACT_TEST(a_script_stays_in_the_transaction_that_it_runs_in),
    CONTRACT_TEST(identifiers_are_quoted_so_that_they_are_only_names),
    CONTRACT_TEST(a_transaction_is_all_or_nothing), CONTRACT_TEST(closing_rolls_back),
    CONTRACT_TEST(a_read_transaction_sees_one_instant),
    CONTRACT_TEST(locked_tables_are_not_written_to_by_others),
    CONTRACT_TEST(a_lock_that_another_holds_is_waited_for_and_given_up),
    CONTRACT_TEST(a_statement_that_runs_can_be_stopped),
    CONTRACT_TEST(an_identity_is_that_of_the_database),
    CONTRACT_TEST(a_marker_tells_whether_its_transaction_committed),
    CONTRACT_TEST(a_marker_stays_when_another_one_is_removed),
    CONTRACT_TEST(a_marker_that_is_removed_leaves_no_trace))
