/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_rows.c - every driver: images, ranges, scans, loading and rendering. */
#include "contract/contract.h"

#include <stdio.h>
#include <string.h>

#include "data/digest.h"

/* One row per value, in a column that takes it: images, and two rows that SQL calls equal. */
static const char *hostile_values(const contract_world *w)
{
    return contract_pick(w,
        .sqlite =
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT, c REAL, d NUMERIC, e BLOB);"
            "INSERT INTO t VALUES"
            " (1, 1, '1', 1, 1.0, x'31'), (2, '1', '01', -0.0, '1', x''), (3, 1.0, '', 9e999, 'x', "
            "NULL),"
            " (4, 9223372036854775807, char(97, 0, 98), 5e-324, 0.1, x'00ff'),"
            " (5, -9223372036854775808, CAST(x'ff41c3' AS TEXT), -1.7976931348623157e308, NULL, "
            "'text'),"
            " (6, NULL, NULL, NULL, NULL, NULL), (7, 'it''s', ' trailing  ', 0.1, 1e300, "
            "zeroblob(9)),"
            " (8, 9223372036854775808.0, '\xf0\x9f\x98\x80 \xe2\x80\xae', -9e999, -1, 7)",
        .postgresql =
            "CREATE TABLE t (id integer PRIMARY KEY, a numeric, b text, c float8, d timestamptz,"
            " e bytea, f integer[], g jsonb);"
            "INSERT INTO t VALUES"
            " (1, 1.0, '', '-0', 'infinity', '', '{}', '1.0'),"
            " (2, 1.00, ' trailing  ', 'NaN', '0044-03-15 BC', '\\x00ff', '[5:6]={1,NULL}', "
            "'1.00'),"
            " (3, 'NaN', 'it''s', 'Infinity', '294276-12-31', NULL, NULL, 'null'),"
            " (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
            " (5, 1e100, E'\\\\N\\t\\n\\\\.', 5e-324, '2026-11-20 04:00:00.123456+13', '\\x5c', "
            "'{{1},{2}}',"
            "  '{\"a\": \"\\u00e9\"}')",
        .mariadb =
            "CREATE TABLE t (id integer PRIMARY KEY, a decimal(65, 30), b text, c double,"
            " d timestamp(6) NULL, e blob, f bigint unsigned, g enum ('', 'x'), h set ('a', 'b'),"
            " i bit(64), j json, k varchar(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci,"
            " l char(5) CHARACTER SET utf16, m float, n time(6), o year, p datetime, q binary(3));"
            "INSERT INTO t VALUES"
            " (1, 1.0, '', -0.0, '2038-01-19 03:14:07.999999', '', 18446744073709551615, '', '',"
            "  b'0', '1.0', '', '', 16777216, '-838:59:59.999999', 0, '9999-12-31', ''),"
            " (2, -0.1, ' trailing  ', 5e-324, '1970-01-01 00:00:01', x'00ff', 0, 'x', 'a,b',"
            "  x'ffffffffffffffff', '{\"a\": 1, \"a\": \"\\u00e9\"}', x'e980ff', 'a', 0.1, "
            "'00:00', 2155,"
            "  '1000-01-01 00:00:00', x'00'),"
            " (3, 99999999999999999999999999999999999.000000000000000000000000000001,"
            "  concat('it''s', char(0), char(92), 'n'), -1.7976931348623157e308,"
            "  '2026-11-20 04:00:00.123456', NULL, 1, 'x', 'b', b'1', 'null', 'A', '\xc3\xa9', "
            "-0.0,"
            "  '-00:00:00.000001', 1901, '2026-02-28 23:59:59', x'61'),"
            " (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
            "NULL,"
            "  NULL, NULL, NULL),"
            " (5, 0, '\xf0\x9f\x98\x80 \xe2\x80\xae', 0.1, '2026-03-29 02:30:00', x'5c27', 2, '', "
            "'a', b'10',"
            "  '[]', 'a ', 'B', 1e38, '838:59:59', 2026, '2026-11-20', x'202020');"
            "SET sql_mode = 'ALLOW_INVALID_DATES';"
            "INSERT INTO t (id, d, g, p) VALUES (6, 0, 0, '0000-00-00'), (7, 0, 'none', "
            "'2026-02-31');"
            "SET sql_mode = DEFAULT");
}

static bo_digest digest_of(contract_world *w, const bo_table *table)
{
    contract_rows rows = {0};
    bo_digest digest = {0};
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    for (bool end = false;;) {
        bo_image row = {0};
        bo_error err = {0};
        pg_must(contract_next(&rows, &row, &end, &err), &err);
        if (end)
            break;
        bo_digest_add(&digest, row);
    }
    contract_rows_done(&rows);
    return digest;
}

static void values_come_back_as_the_same_bytes(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_rows rows = {0};
    contract_do(w, hostile_values(w));
    const bo_table *table = contract_table(w, "t");
    bo_digest before = digest_of(w, table);
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    uint64_t count = 0;
    pg_must(w->driver->clear(w->conn, table, &count, &err), &err);
    assert_int_equal(count, before.rows);
    pg_must(w->driver->load(w->conn, table, table, contract_next, &rows, &count, &err), &err);
    assert_int_equal(count, before.rows);
    pg_must(w->driver->commit(w->conn, &err), &err);
    bo_digest after = digest_of(w, table);
    assert_true(bo_digest_equal(&before, &after));
    contract_rows_done(&rows);
}

static void values_survive_the_stage(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, hostile_values(w));
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET b = 'changed', c = 1 WHERE id < 3; DELETE FROM t WHERE id >= 3");
    stage_undo_stage(&undo);
    pg_must(stage_undo_apply(&undo, &err), &err);
    stage_undo_check(&undo);
    stage_undo_end(&undo);
}

static void rows_that_sql_calls_equal_have_other_images(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    bo_error err = {0};
    bo_image first = {0}, second = {0};
    bool end = false;
    contract_do(
        w, contract_pick(w, .sqlite = "CREATE TABLE t (a); INSERT INTO t VALUES (1), (1.0)",
               .postgresql = "CREATE TABLE t (a numeric); INSERT INTO t VALUES (1.0), (1.00)",
               .mariadb = "CREATE TABLE t (a varchar(9)); INSERT INTO t VALUES ('a'), ('A')"));
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    assert_int_equal(rows.count, 2);
    pg_must(contract_next(&rows, &first, &end, &err), &err);
    pg_must(contract_next(&rows, &second, &end, &err), &err);
    assert_false(bo_row_equal(table, first, second));
    contract_rows_done(&rows);
}

/* ---- ranges ---- */

typedef struct ranges {
    bo_buf bytes;
    bo_span ids[64];
    size_t sizes[64];
    size_t count;
} ranges;

static bo_status keep_range(void *ctx, bo_span id, bo_error *err)
{
    (void)err;
    ranges *self = ctx;
    assert_true(self->count < 64);
    self->sizes[self->count++] = id.size;
    bo_buf_add(&self->bytes, id.data, id.size);
    return BO_OK;
}

static void point_ids(ranges *self)
{
    size_t at = 0;
    for (size_t i = 0; i < self->count; i++) {
        self->ids[i] = (bo_span){self->bytes.data + at, self->sizes[i]};
        at += self->sizes[i];
    }
}

static uint64_t rows_in(contract_world *w, const bo_table *table, const ranges *in)
{
    contract_rows rows = {0};
    for (size_t i = 0; i < in->count; i++)
        contract_scan(w, &(bo_scan){.table = table, .range = in->ids[i]}, &rows);
    uint64_t count = rows.count;
    contract_rows_done(&rows);
    return count;
}

static void fill_many(contract_world *w, unsigned rows)
{
    char sql[300];
    snprintf(sql, sizeof sql,
        "CREATE TABLE t (id integer PRIMARY KEY, a text); INSERT INTO t"
        " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
        " SELECT i * 3, 'some text to fill the page with ' || i FROM n",
        rows);
    contract_do(w, sql);
}

static void ranges_hold_every_row_once(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    ranges all = {0};
    fill_many(w, 50000);
    const bo_table *table = contract_table(w, "t");
    pg_must(w->driver->ranges(w->conn, table, NULL, 0, keep_range, &all, &err), &err);
    point_ids(&all);
    assert_true(all.count >= 1);
    assert_int_equal(rows_in(w, table, &all), 50000);
    bo_buf_done(&all.bytes);
}

static void ranges_that_are_known_and_new_ones_hold_later_rows(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    ranges all = {0};
    fill_many(w, 45000);
    const bo_table *table = contract_table(w, "t");
    pg_must(w->driver->ranges(w->conn, table, NULL, 0, keep_range, &all, &err), &err);
    point_ids(&all);
    contract_do(w, "DELETE FROM t WHERE id > 100000; UPDATE t SET a = 'moved' WHERE id < 300;"
                   "INSERT INTO t SELECT id + 1, a FROM t;"
                   "INSERT INTO t VALUES (-5, 'low'), (2000000000, 'high')");
    ranges later = {0};
    pg_must(w->driver->ranges(w->conn, table, all.ids, all.count, keep_range, &later, &err), &err);
    point_ids(&later);
    uint64_t expected = 0;
    pg_must(w->driver->count(w->conn, table, NULL, &expected, &err), &err);
    assert_int_equal(rows_in(w, table, &all) + rows_in(w, table, &later), expected);
    bo_buf_done(&all.bytes);
    bo_buf_done(&later.bytes);
}

static void an_empty_table_has_no_rows_in_its_ranges(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    ranges all = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY)");
    const bo_table *table = contract_table(w, "t");
    pg_must(w->driver->ranges(w->conn, table, NULL, 0, keep_range, &all, &err), &err);
    point_ids(&all);
    assert_int_equal(rows_in(w, table, &all), 0);
    bo_buf_done(&all.bytes);
}

static void a_range_of_another_making_is_refused(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY)");
    const bo_table *table = contract_table(w, "t");
    static const char *const bad[] = {"x", "r:1", "r:1:2:3", "r:a:b", "1 OR 1=1", "r:1:2; --"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bo_error err = {0};
        contract_rows rows = {0};
        bo_scan scan = {.table = table, .range = {(const uint8_t *)bad[i], strlen(bad[i])}};
        assert_int_not_equal(w->driver->scan(w->conn, &scan, contract_collect, &rows, &err), BO_OK);
        contract_rows_done(&rows);
        w->driver->rollback(w->conn);
    }
}

/* ---- scans ---- */

static void a_predicate_chooses_rows(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    uint64_t count = 0;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text);"
                   "INSERT INTO t VALUES (1, 'x'), (2, NULL), (3, 'y')");
    const bo_table *table = contract_table(w, "t");
    static const struct {
        const char *predicate;
        unsigned rows;
    } cases[] = {{"id > 1", 2}, {"a = 'x' OR a IS NULL", 2}, {"a = 'x' -- one", 1},
        {"id IN (SELECT 3)", 1}, {"a = ')('", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        contract_rows rows = {0};
        contract_scan(w, &(bo_scan){.table = table, .predicate = cases[i].predicate}, &rows);
        pg_must(w->driver->count(w->conn, table, cases[i].predicate, &count, &err), &err);
        assert_int_equal(rows.count, cases[i].rows);
        assert_int_equal(count, cases[i].rows);
        contract_rows_done(&rows);
    }
}

static void a_predicate_is_one_condition_and_nothing_else(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)");
    const bo_table *table = contract_table(w, "t");
    static const char *const bad[] = {"1); DROP TABLE t --", "id = 1) OR (1 = 1",
        "id = 1; DELETE FROM t", "id = 1 LIMIT 1", "id = 1 ORDER BY 1", "nothing = 1", "id =", "",
        "id = 1 /* open", "id = $1", "id = 1 UNION SELECT 1", "'open"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bo_error err = {0};
        contract_rows rows = {0};
        uint64_t count = 0;
        bo_scan scan = {.table = table, .predicate = bad[i]};
        bo_status st = w->driver->scan(w->conn, &scan, contract_collect, &rows, &err);
        if (st != BO_INVALID)
            fail_msg("scan with [%s]: %s %s", bad[i], bo_status_name(st), err.text);
        assert_int_equal(rows.count, 0);
        assert_int_not_equal(w->driver->count(w->conn, table, bad[i], &count, &err), BO_OK);
        contract_rows_done(&rows);
    }
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "1");
}

static void a_scan_gives_the_columns_of_its_shape(void **state)
{
    contract_world *w = *state;
    contract_rows before = {0}, after = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text, b text);"
                   "INSERT INTO t VALUES (1, 'a', 'b')");
    const bo_table *was = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = was}, &before);
    contract_do(w, "ALTER TABLE t ADD COLUMN more text; UPDATE t SET more = 'x'");
    contract_scan(w, &(bo_scan){.table = contract_table(w, "t"), .shape = was}, &after);
    assert_true(bo_image_equal((bo_image){before.bytes.data, before.bytes.size},
        (bo_image){after.bytes.data, after.bytes.size}));
    contract_rows_done(&before);
    contract_rows_done(&after);
}

static void generated_columns_are_in_no_image(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a integer,"
                   " twice integer GENERATED ALWAYS AS (a * 2) STORED);"
                   "INSERT INTO t (id, a) VALUES (1, 10), (2, 20)");
    const bo_table *table = contract_table(w, "t");
    assert_int_equal(table->column_count, 3);
    assert_int_equal(table->image_count, 2);
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 11 WHERE id = 1; DELETE FROM t WHERE id = 2");
    stage_undo_stage(&undo);
    pg_must(stage_undo_apply(&undo, &err), &err);
    stage_undo_check(&undo);
    stage_undo_end(&undo);
    assert_string_equal(contract_ask(w, "SELECT sum(twice) FROM t"), "60");
}

static bo_status stop_at_once(void *ctx, bo_image row, bo_error *err)
{
    (void)row;
    ++*(int *)ctx;
    return bo_fail(err, BO_FAILED, "enough");
}

static void a_scan_ends_with_the_status_of_its_callback(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    int calls = 0;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)");
    bo_scan scan = {.table = contract_table(w, "t")};
    assert_int_equal(w->driver->scan(w->conn, &scan, stop_at_once, &calls, &err), BO_FAILED);
    assert_int_equal(calls, 1);
    contract_rows rows = {0};
    contract_scan(w, &scan, &rows); /* the connection can be used on */
    assert_int_equal(rows.count, 3);
    contract_rows_done(&rows);
}

static void an_estimate_is_of_the_right_order(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    uint64_t rows = 0, bytes = 0;
    fill_many(w, 5000);
    contract_do(w, contract_pick(w, .sqlite = "SELECT 1", .postgresql = "ANALYZE t",
                       .mariadb = "ANALYZE TABLE t"));
    pg_must(w->driver->estimate(w->conn, contract_table(w, "t"), &rows, &bytes, &err), &err);
    assert_in_range(rows, 4000, 6000);
    assert_in_range(bytes, 50000, 5000000);
}

/* ---- loading ---- */

static void loading_puts_values_in_the_columns_of_their_names(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_rows rows = {0};
    uint64_t count = 0;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text, b text);"
                   "INSERT INTO t VALUES (1, 'a', 'b')");
    const bo_table *was = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = was}, &rows);
    contract_do(w, "DROP TABLE t; CREATE TABLE t (b text, more text, a text,"
                   " id integer PRIMARY KEY)");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(
        w->driver->load(w->conn, was, contract_table(w, "t"), contract_next, &rows, &count, &err),
        &err);
    pg_must(w->driver->commit(w->conn, &err), &err);
    assert_string_equal(contract_ask(w, "SELECT a || b || coalesce(more, '?') FROM t"), "ab?");
    contract_rows_done(&rows);
}

static void loading_a_row_twice_is_a_conflict(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_rows rows = {0};
    uint64_t count = 77;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)");
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    assert_int_equal(
        w->driver->load(w->conn, table, table, contract_next, &rows, &count, &err), BO_CONFLICT);
    assert_int_equal(count, 77);
    w->driver->rollback(w->conn);
    contract_rows_done(&rows);
}

/* ---- rendering ---- */

typedef struct texts {
    bo_buf sql;
    bool literal;
} texts;

static bo_status add_texts(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)err;
    texts *self = ctx;
    bo_buf_add_str(&self->sql, self->sql.size > 0 ? ", (" : "(");
    for (uint16_t i = 0; i < count; i++) {
        bo_buf_add_str(&self->sql, i > 0 ? ", " : "");
        if (self->literal)
            assert_non_null(values[i].data);
        if (values[i].data)
            bo_buf_add(&self->sql, values[i].data, values[i].size);
        else
            bo_buf_add_str(&self->sql, "~");
    }
    bo_buf_add_str(&self->sql, ")");
    return BO_OK;
}

static void render(contract_world *w, const bo_table *table, bo_render_form form, texts *out)
{
    bo_error err = {0};
    contract_rows rows = {0};
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    pg_must(
        w->driver->render(w->conn, table, form, contract_next, &rows, add_texts, out, &err), &err);
    contract_rows_done(&rows);
}

static void literals_make_the_same_rows_again(void **state)
{
    contract_world *w = *state;
    texts literals = {.literal = true};
    contract_do(w, hostile_values(w));
    const bo_table *table = contract_table(w, "t");
    bo_digest before = digest_of(w, table);
    render(w, table, BO_RENDER_LITERAL, &literals);
    contract_do(w, "DELETE FROM t");
    if (w->engine == CONTRACT_MARIADB) /* as who loads a dump does */
        contract_do(w, "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'");
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "INSERT INTO t VALUES %s", bo_buf_str(&literals.sql));
    contract_do(w, bo_buf_str(&sql));
    bo_digest after = digest_of(w, table);
    assert_true(bo_digest_equal(&before, &after));
    bo_buf_done(&literals.sql);
}

static void text_is_as_people_read_it(void **state)
{
    contract_world *w = *state;
    texts plain = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);"
                   "INSERT INTO t VALUES (1, 'it''s', NULL), (2, '', -7)");
    render(w, contract_table(w, "t"), BO_RENDER_TEXT, &plain);
    assert_string_equal(bo_buf_str(&plain.sql), "(1, it's, ~), (2, , -7)");
    bo_buf_done(&plain.sql);
}

CONTRACT_MAIN("rows", CONTRACT_TEST(values_come_back_as_the_same_bytes),
    CONTRACT_TEST(values_survive_the_stage),
    CONTRACT_TEST(rows_that_sql_calls_equal_have_other_images),
    CONTRACT_TEST(ranges_hold_every_row_once),
    CONTRACT_TEST(ranges_that_are_known_and_new_ones_hold_later_rows),
    CONTRACT_TEST(an_empty_table_has_no_rows_in_its_ranges),
    CONTRACT_TEST(a_range_of_another_making_is_refused), CONTRACT_TEST(a_predicate_chooses_rows),
    CONTRACT_TEST(a_predicate_is_one_condition_and_nothing_else),
    CONTRACT_TEST(a_scan_gives_the_columns_of_its_shape),
    CONTRACT_TEST(generated_columns_are_in_no_image),
    CONTRACT_TEST(a_scan_ends_with_the_status_of_its_callback),
    CONTRACT_TEST(an_estimate_is_of_the_right_order),
    CONTRACT_TEST(loading_puts_values_in_the_columns_of_their_names),
    CONTRACT_TEST(loading_a_row_twice_is_a_conflict),
    CONTRACT_TEST(literals_make_the_same_rows_again), CONTRACT_TEST(text_is_as_people_read_it))
