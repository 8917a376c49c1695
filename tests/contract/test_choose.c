/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_choose.c - every driver: images that meet a condition, and pinned sessions.
 */
#include "contract/contract.h"

#include <stdio.h>
#include <string.h>

/* ---- filter ---- */

typedef struct numbers {
    bo_buf text; /* "0 3 4 " */
    uint64_t next;
} numbers;

static bo_status keep_number(void *ctx, uint64_t row, bo_error *err)
{
    (void)err;
    numbers *self = ctx;
    assert_true(row >= self->next); /* ascending */
    self->next = row + 1;
    bo_buf_printf(&self->text, "%llu ", (unsigned long long)row);
    return BO_OK;
}

static bo_status filter(contract_world *w, const bo_table *shape, const char *predicate,
    const contract_rows *rows, numbers *out, bo_error *err)
{
    contract_rows again = {.bytes = rows->bytes, .count = rows->count};
    return w->driver->filter(
        w->conn, shape, predicate, contract_next, &again, keep_number, out, err);
}

static void check_filter(contract_world *w, const bo_table *shape, const char *predicate,
    const contract_rows *rows, const char *expected)
{
    bo_error err = {0};
    numbers found = {0};
    pg_must(filter(w, shape, predicate, rows, &found, &err), &err);
    if (strcmp(bo_buf_str(&found.text), expected) != 0)
        fail_msg("[%s]: %s", predicate, bo_buf_str(&found.text));
    bo_buf_done(&found.text);
}

/* Five rows that are in the images only: the table is empty. */
static const bo_table *five_rows(contract_world *w, contract_rows *rows)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text, n integer);"
                   "INSERT INTO t VALUES (1, 'x', 10), (2, NULL, 20), (3, 'y', NULL), (4, '', -1),"
                   " (5, 'it''s', 20)");
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, rows);
    contract_do(w, "DELETE FROM t");
    return table;
}

/* The same condition with names in the quotes that they have for who reads SQL as the server does.
 */
static const char *quoted(const contract_world *w, const char *predicate)
{
    char *text = bo_arena_str(w->arena, predicate);
    assert_non_null(text);
    for (char *p = text; w->engine == CONTRACT_MARIADB && *p; p++)
        *p = *p == '"' ? '`' : *p;
    return text;
}

static void images_that_meet_a_condition_are_told_by_number(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    bo_error err = {0};
    const bo_table *table = five_rows(w, &rows);
    const char *const cases[][2] = {{"id > 3", "3 4 "}, {"t.id > 3", "3 4 "},
        {"a IS NULL OR t.n IS NULL", "1 2 "}, {"a = 'it''s' -- a comment", "4 "},
        {"n = 20", "1 4 "}, {"NULL", ""}, {"1 = 1", "0 1 2 3 4 "}, {"a = ')('", ""},
        {"id IN (SELECT 2)", "1 "}, {"EXISTS (SELECT 1 FROM t AS now WHERE now.id = t.id)", ""},
        {quoted(w, "\"id\" BETWEEN 1 AND 2"), "0 1 "}};
    for (int inside = 0; inside < 2; inside++) {
        if (inside)
            pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            check_filter(w, table, cases[i][0], &rows, cases[i][1]);
        w->driver->rollback(w->conn);
    }
    contract_rows_done(&rows);
}

static void no_images_meet_any_condition(void **state)
{
    contract_world *w = *state;
    contract_rows none = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY)");
    check_filter(w, contract_table(w, "t"), "1 = 1", &none, "");
}

static void images_are_of_the_shape_that_the_table_had(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    const bo_table *was = five_rows(w, &rows);
    contract_do(w, "DROP TABLE t");
    check_filter(w, was, "t.a = 'y' OR n < 0", &rows, "2 3 ");
    contract_rows_done(&rows);
}

static void odd_names_and_generated_columns_are_there(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    contract_do(w, "CREATE TABLE \"Odd name\" (\"select\" integer PRIMARY KEY,"
                   " twice integer GENERATED ALWAYS AS (\"select\" * 2) STORED,"
                   " backout_row_0 integer);"
                   "INSERT INTO \"Odd name\" (\"select\", backout_row_0) VALUES (1, 7), (2, 8)");
    const bo_table *table = contract_table(w, "\"Odd name\"");
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    check_filter(w, table, quoted(w, "\"Odd name\".\"select\" = 2"), &rows, "1 ");
    check_filter(w, table, quoted(w, "\"Odd name\".twice = 2 AND backout_row_0 = 7"), &rows, "0 ");
    contract_rows_done(&rows);
}

static void collations_of_columns_hold(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    contract_do(w,
        contract_pick(w, .sqlite = "CREATE TABLE t (id integer PRIMARY KEY, a text COLLATE NOCASE)",
            .postgresql = "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2',"
                          " deterministic = false);"
                          "CREATE TABLE t (id integer PRIMARY KEY, a text COLLATE nocase)",
            .mariadb = "CREATE TABLE t (id integer PRIMARY KEY,"
                       " a text CHARACTER SET latin1 COLLATE latin1_swedish_ci)"));
    contract_do(w, "INSERT INTO t VALUES (1, 'ABC'), (2, 'abc'), (3, 'abd')");
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    check_filter(w, table, "a = 'abc'", &rows, "0 1 ");
    contract_rows_done(&rows);
}

static void a_condition_that_is_none_is_refused(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    bo_error err = {0};
    const bo_table *table = five_rows(w, &rows);
    static const char *const bad[] = {"1); DROP TABLE t --", "id = 1) OR (1 = 1", "id = 1 LIMIT 1",
        "nothing = 1", "other.id = 1", "id =", "", "id = 1 /* open", "'open"};
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        numbers found = {0};
        bo_status st = filter(w, table, bad[i], &rows, &found, &err);
        if (st != BO_INVALID)
            fail_msg("[%s]: %s %s", bad[i], bo_status_name(st), err.text);
        assert_int_equal(found.text.size, 0);
        bo_buf_done(&found.text);
    }
    check_filter(w, table, "id = 1", &rows, "0 "); /* the transaction goes on */
    w->driver->rollback(w->conn);
    contract_rows_done(&rows);
}

static bo_status stop_at_once(void *ctx, uint64_t row, bo_error *err)
{
    (void)row;
    ++*(int *)ctx;
    return bo_fail(err, BO_FAILED, "enough");
}

static void a_filter_ends_with_the_status_of_its_callback(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    bo_error err = {0};
    int calls = 0;
    const bo_table *table = five_rows(w, &rows);
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    contract_rows again = {.bytes = rows.bytes, .count = rows.count};
    assert_int_equal(w->driver->filter(w->conn, table, "1 = 1", contract_next, &again, stop_at_once,
                         &calls, &err),
        BO_FAILED);
    assert_int_equal(calls, 1);
    check_filter(w, table, "id = 2", &rows, "1 ");
    w->driver->rollback(w->conn);
    contract_rows_done(&rows);
}

static void a_filter_leaves_nothing_behind(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    bo_error err = {0};
    const bo_table *table = five_rows(w, &rows);
    const char *objects = contract_pick(w, .sqlite = "SELECT count(*) FROM sqlite_schema",
        .postgresql = "SELECT count(*) FROM pg_catalog.pg_class WHERE relname LIKE 'backout%'",
        .mariadb = "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'backout%'"
                   " AND table_schema = database()");
    const char *before = contract_ask(w, objects);
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    check_filter(w, table, "id = 2", &rows, "1 ");
    pg_must(w->driver->commit(w->conn, &err), &err);
    check_filter(w, table, "id = 3", &rows, "2 ");
    assert_string_equal(contract_ask(w, objects), before);
    contract_rows_done(&rows);
}

static void values_of_every_kind_can_be_asked_about(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    contract_do(w,
        contract_pick(w,
            .sqlite = "CREATE TABLE t (id integer PRIMARY KEY, a, b BLOB);"
                      "INSERT INTO t VALUES (1, 1.5, x'00ff'), (2, 'it\\s', x''), (3, NULL, NULL)",
            .postgresql =
                "CREATE TYPE mood AS ENUM ('sad', 'fine'); CREATE TYPE pair AS (x mood, y text);"
                "CREATE TABLE t (id integer PRIMARY KEY, a text, b bytea, c mood[], d pair, e "
                "numeric);"
                "INSERT INTO t VALUES (1, '1.5', '\\x00ff', '{fine}', '(sad,\"a\tb\")', 'NaN'),"
                " (2, 'it\\s', '', '{}', NULL, 1.50), (3, NULL, NULL, NULL, NULL, NULL)",
            .mariadb =
                "CREATE TABLE t (id integer PRIMARY KEY, a text, b blob, c enum ('sad', 'fine'),"
                " d set ('x', 'y'), e float);"
                "INSERT INTO t VALUES (1, '1.5', x'00ff', 'fine', 'x,y', 0.1),"
                " (2, 'it\\s', '', 'sad', '', 1.5), (3, NULL, NULL, NULL, NULL, NULL)"));
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    check_filter(w, table,
        contract_pick(
            w, .sqlite = "a = 'it\\s'", .postgresql = "a = 'it\\s'", .mariadb = "a = 'it\\\\s'"),
        &rows, "1 ");
    check_filter(w, table,
        contract_pick(
            w, .sqlite = "b = x'00ff'", .postgresql = "b = '\\x00ff'", .mariadb = "b = x'00ff'"),
        &rows, "0 ");
    check_filter(w, table,
        contract_pick(w, .sqlite = "a = 1.5", .postgresql = "(d).y = E'a\\tb' AND c[1] > 'sad'",
            .mariadb = "a = 1.5 AND c > 'e' AND find_in_set('y', d)"),
        &rows, "0 ");
    contract_rows_done(&rows);
}

static void a_condition_does_not_change_the_images_it_chooses(void **state)
{
    contract_world *w = *state;
    contract_rows all = {0}, chosen = {0};
    contract_do(w,
        contract_pick(w, .sqlite = "CREATE TABLE t (id integer PRIMARY KEY, a text)",
            .postgresql = "CREATE TABLE t (id integer PRIMARY KEY, a text, b regclass DEFAULT 't',"
                          " c regtype[] DEFAULT '{t}')",
            .mariadb =
                "CREATE TABLE t (id integer PRIMARY KEY, a text, b enum ('', 'x') DEFAULT '',"
                " c timestamp DEFAULT '2026-11-20 04:00:00')"));
    contract_do(w, "INSERT INTO t (id, a) VALUES (1, 'x'), (2, NULL)");
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, &all);
    contract_scan(w,
        &(bo_scan){.table = table, .predicate = "t.id > 0 AND EXISTS (SELECT 1 FROM t)"}, &chosen);
    assert_int_equal(chosen.count, 2);
    assert_true(bo_image_equal((bo_image){all.bytes.data, all.bytes.size},
        (bo_image){chosen.bytes.data, chosen.bytes.size}));
    contract_rows_done(&all);
    contract_rows_done(&chosen);
}

static void a_condition_calls_the_table_by_its_own_name(void **state)
{
    contract_world *w = *state;
    contract_rows all = {0};
    contract_do(w, "CREATE TABLE \"Odd t\" (id integer PRIMARY KEY, a text);"
                   "INSERT INTO \"Odd t\" VALUES (1, 'x'), (2, NULL)");
    const bo_table *table = contract_table(w, "\"Odd t\"");
    contract_scan(w, &(bo_scan){.table = table}, &all);
    const char *predicate =
        quoted(w, "\"Odd t\".id = 2 AND NOT EXISTS (SELECT 1 FROM \"Odd t\" AS o"
                  " WHERE o.id > \"Odd t\".id)");
    contract_rows chosen = {0};
    contract_scan(w, &(bo_scan){.table = table, .predicate = predicate}, &chosen);
    assert_int_equal(chosen.count, 1);
    check_filter(w, table, predicate, &all, "1 ");
    contract_rows_done(&all);
    contract_rows_done(&chosen);
}

static void row_numbers_and_stored_values_are_those_of_the_table(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    if (w->engine != CONTRACT_SQLITE)
        skip(); /* only SQLite has row numbers, and columns with values of any type */
    contract_do(w, "CREATE TABLE hinted (a text, b ANY, twice INT AS (b * 2)) STRICT;"
                   "INSERT INTO hinted (rowid, a, b) VALUES (7, 'x', '1'), (9, 'y', 1);"
                   "CREATE TABLE numbered (id integer PRIMARY KEY, rowid text);"
                   "INSERT INTO numbered VALUES (5, 'x')");
    const bo_table *table = contract_table(w, "hinted");
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    check_filter(w, table, "rowid = 9", &rows, "1 ");
    check_filter(w, table, "hinted.oid < 9 AND _rowid_ = 7", &rows, "0 ");
    check_filter(w, table, "typeof(b) = 'text'", &rows, "0 ");
    check_filter(w, table, "twice = 2 AND b = 1", &rows, "1 ");
    contract_rows_done(&rows);

    contract_rows more = {0};
    table = contract_table(w, "numbered");
    contract_scan(w, &(bo_scan){.table = table}, &more);
    check_filter(w, table, "oid = 5 AND rowid = 'x'", &more, "0 ");
    contract_rows_done(&more);
}

/* ---- pin ---- */

/* What a session changes that reads as others do: settings, and the place names are looked up. */
static const char *unsettle(const contract_world *w)
{
    return contract_pick(w, .sqlite = "PRAGMA recursive_triggers = on; PRAGMA foreign_keys = on",
        .postgresql =
            "SET DateStyle = 'German, DMY'; SET TimeZone = 'Asia/Tokyo'; SET bytea_output = "
            "'escape';"
            "SET search_path = ''; SET extra_float_digits = -15; PREPARE backout_keys AS SELECT 1",
        .mariadb = "SET sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'; SET time_zone = '+09:00';"
                   "SET NAMES latin1; SET foreign_key_checks = 0, sql_select_limit = 1");
}

static void check_pinned(contract_world *w, bo_conn *conn)
{
    bo_error err = {0};
    contract_rows ours = {0}, theirs = {0};
    uint64_t count = 0;
    bo_scan scan = {
        .table = contract_table(w, "t"), .predicate = "t.a > 0 AND EXISTS (SELECT 1 FROM t)"};
    contract_scan(w, &scan, &ours);
    scan.table = pg_table(conn, w->arena, "t");
    pg_must(w->driver->scan(conn, &scan, contract_collect, &theirs, &err), &err);
    pg_must(w->driver->count(conn, scan.table, scan.predicate, &count, &err), &err);
    assert_int_equal(count, ours.count);
    assert_true(bo_image_equal((bo_image){ours.bytes.data, ours.bytes.size},
        (bo_image){theirs.bytes.data, theirs.bytes.size}));
    contract_rows_done(&ours);
    contract_rows_done(&theirs);
}

static void make_table(contract_world *w)
{
    contract_do(
        w, contract_pick(w,
               .sqlite = "CREATE TABLE t (a integer PRIMARY KEY, b text, c real);"
                         "INSERT INTO t VALUES (1, 'x', 0.1), (2, NULL, 1e300)",
               .postgresql = "CREATE TABLE t (a integer PRIMARY KEY, b timestamptz, c regclass[],"
                             " d float8, e bytea DEFAULT '\\x00ff');"
                             "INSERT INTO t VALUES (1, now(), '{t}', 0.1), (2, NULL, NULL, 1e300)",
               .mariadb =
                   "CREATE TABLE t (a integer PRIMARY KEY, b timestamp NULL, c char(9), d double,"
                   " e text DEFAULT '\xc3\xa9');"
                   "INSERT INTO t VALUES (1, now(), 'x', 0.1, 'y'), (2, NULL, NULL, 1e300, '')"));
}

static void a_pinned_session_reads_as_ours(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    make_table(w);
    bo_conn *conn = contract_connect(w, true);
    pg_do(conn, unsettle(w));
    pg_must(w->driver->pin(conn, &err), &err);
    check_pinned(w, conn);
    pg_must(w->driver->pin(conn, &err), &err); /* once more is nothing */
    check_pinned(w, conn);
    bo_conn_free(conn);
}

static void a_session_is_pinned_inside_its_transaction_and_stays_so(void **state)
{
    contract_world *w = *state;
    make_table(w);
    for (int commits = 0; commits < 2; commits++) {
        bo_error err = {0};
        uint64_t count = 0;
        bo_conn *conn = contract_connect(w, true);
        pg_must(w->driver->begin(conn, BO_TX_WRITE, &err), &err);
        const char *change = contract_pick(w, .sqlite = "INSERT INTO t (a) VALUES (3)",
            .postgresql = "SET DateStyle = 'SQL, DMY'; INSERT INTO public.t (a) VALUES (3);"
                          "SELECT pg_catalog.set_config('search_path', '', false)",
            .mariadb = "SET time_zone = '+05:00'; INSERT INTO t (a) VALUES (3);"
                       "SET NAMES latin1");
        pg_must(w->driver->script(conn, change, strlen(change), &err), &err);
        pg_must(w->driver->pin(conn, &err), &err);
        const bo_table *table = pg_table(conn, w->arena, "t");
        pg_must(
            w->driver->count(conn, table, "a >= 3 AND a IN (SELECT a FROM t)", &count, &err), &err);
        assert_int_equal(count, 1); /* it sees what it has done */
        if (commits)
            pg_must(w->driver->commit(conn, &err), &err);
        else
            w->driver->rollback(conn);
        check_pinned(w, conn);
        bo_conn_free(conn);
    }
}

/* ---- describe ---- */

static void tables_are_described_on_after_a_failed_transaction(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    const bo_table *table = NULL;
    contract_do(w, "CREATE TABLE one (id integer PRIMARY KEY, a text UNIQUE);"
                   "CREATE TABLE two (id integer PRIMARY KEY REFERENCES one (id))");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    assert_int_equal(contract_table(w, "one")->key_count, 2);
    assert_int_not_equal(w->driver->exec(w->conn, "SELECT nothing", &err), BO_OK);
    (void)w->driver->describe(w->conn, "two", w->arena, &table, &err); /* PostgreSQL: aborted */
    w->driver->rollback(w->conn);
    assert_int_equal(contract_table(w, "two")->foreign_key_count, 1);
    contract_do(w, "ALTER TABLE one ADD COLUMN b text");
    assert_int_equal(contract_table(w, "one")->column_count, 3);
    assert_int_equal(contract_table(w, "one")->referenced_count, 1);
    contract_do(w, "CREATE VIEW v AS SELECT * FROM one");
    assert_int_equal(contract_table(w, "one")->view_count, 1);
}

CONTRACT_MAIN("choose", CONTRACT_TEST(images_that_meet_a_condition_are_told_by_number),
    CONTRACT_TEST(no_images_meet_any_condition),
    CONTRACT_TEST(images_are_of_the_shape_that_the_table_had),
    CONTRACT_TEST(odd_names_and_generated_columns_are_there),
    CONTRACT_TEST(collations_of_columns_hold), CONTRACT_TEST(a_condition_that_is_none_is_refused),
    CONTRACT_TEST(a_filter_ends_with_the_status_of_its_callback),
    CONTRACT_TEST(a_filter_leaves_nothing_behind),
    CONTRACT_TEST(values_of_every_kind_can_be_asked_about),
    CONTRACT_TEST(a_condition_does_not_change_the_images_it_chooses),
    CONTRACT_TEST(a_condition_calls_the_table_by_its_own_name),
    CONTRACT_TEST(row_numbers_and_stored_values_are_those_of_the_table),
    CONTRACT_TEST(a_pinned_session_reads_as_ours),
    CONTRACT_TEST(a_session_is_pinned_inside_its_transaction_and_stays_so),
    CONTRACT_TEST(tables_are_described_on_after_a_failed_transaction))
