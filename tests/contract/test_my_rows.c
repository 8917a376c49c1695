/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_my_rows.c - MariaDB: the images of its types, ranges, and values as text. */
#include "contract/contract.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "driver/mariadb/my.h"

static const bo_driver *const my = &bo_driver_mariadb;

/* A sql_mode that lets a user store whatever a column can hold. */
#define LAX "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_BACKSLASH_ESCAPES'"

/* ---- images ---- */

typedef struct value {
    const char *type;
    const char *literal; /* what is stored */
    const char *image;   /* "hex:..." for bytes */
    const char *text;    /* as people read it */
} value;

static const value values[] = {
    {"tinyint", "-128", "-128", "-128"},
    {"bigint unsigned", "18446744073709551615", "18446744073709551615", "18446744073709551615"},
    {"integer(5) zerofill", "42", "00042", "00042"},
    {"decimal(10, 3)", "1.5", "1.500", "1.500"},
    {"decimal(65, 30)", "-0.000000000000000000000000000001", "-0.000000000000000000000000000001",
        "-0.000000000000000000000000000001"},
    {"float", "0.1", "0.10000000149011612", "0.10000000149011612"},
    {"float", "16777217", "16777216", "16777216"},
    {"float", "'-0'", "0", "0"}, /* the server keeps no other zero */
    {"float(7, 2)", "99999.99", "99999.9921875", "99999.9921875"},
    {"double", "0.1", "0.1", "0.1"},
    {"double", "5e-324", "5e-324", "5e-324"},
    {"double", "-1.7976931348623157e308", "-1.7976931348623157e308", "-1.7976931348623157e308"},
    {"double(20, 2)", "1e15", "1e15", "1e15"},
    {"date", "'0000-00-00'", "0000-00-00", "0000-00-00"},
    {"date", "'2026-02-31'", "2026-02-31", "2026-02-31"},
    {"date", "'2020-00-00'", "2020-00-00", "2020-00-00"},
    {"datetime(6)", "'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999",
        "9999-12-31 23:59:59.999999"},
    {"datetime", "'0009-01-01'", "0009-01-01 00:00:00", "0009-01-01 00:00:00"},
    {"time(6)", "'-838:59:59.999999'", "-838:59:59.999999", "-838:59:59.999999"},
    {"time", "'-00:00:01'", "-00:00:01", "-00:00:01"},
    {"year", "0", "0000", "0000"},
    {"year", "'0'", "2000", "2000"},
    {"enum ('', 'a', '3', 'it''s')", "0", "0", ""},
    {"enum ('', 'a', '3', 'it''s')", "''", "1", ""},
    {"enum ('', 'a', '3', 'it''s')", "'3'", "3", "3"},
    {"enum ('', 'a', '3', 'it''s')", "4", "4", "it's"},
    {"set ('x', 'y', 'z')", "''", "0", ""},
    {"set ('x', 'y', 'z')", "'z,x'", "5", "x,z"},
    {"bit(1)", "1", "hex:01", "1"},
    {"bit(10)", "b'1000000001'", "hex:0201", "1000000001"},
    {"bit(64)", "x'ffffffffffffffff'", "hex:ffffffffffffffff",
        "1111111111111111111111111111111111111111111111111111111111111111"},
    {"char(5)", "'a '", "a", "a"},
    {"varchar(5)", "'a '", "a ", "a "},
    {"varchar(9) CHARACTER SET latin1", "x'e980ff'", "hex:e980ff", "\xc3\xa9\xe2\x82\xac\xc3\xbf"},
    {"char(3) CHARACTER SET ucs2", "'\xc3\xa9'", "hex:00e9", "\xc3\xa9"},
    {"varchar(9) CHARACTER SET sjis", "x'835c'", "hex:835c", "\xe3\x82\xbd"},
    {"varchar(9) CHARACTER SET utf8mb4", "'\xf0\x9f\x98\x80'", "\xf0\x9f\x98\x80",
        "\xf0\x9f\x98\x80"},
    {"text", "concat('a', char(0), 'b')", "hex:610062", NULL},
    {"binary(3)", "x'61'", "hex:610000", "610000"},
    {"varbinary(3)", "x'6100'", "hex:6100", "6100"},
    {"blob", "''", "", ""},
    {"json", "'{\"a\": 1.0,  \"a\":\"\\u00e9\"}'", "{\"a\": 1.0,  \"a\":\"\\u00e9\"}",
        "{\"a\": 1.0,  \"a\":\"\\u00e9\"}"},
    {"uuid", "'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000",
        "123e4567-e89b-12d3-a456-426655440000"},
    {"inet6", "'2001:DB8::1'", "2001:db8::1", "2001:db8::1"},
    {"point", "ST_GeomFromText('POINT(1 2)', 4326)",
        "hex:e61000000101000000000000000000f03f0000000000000040", "SRID=4326;POINT(1 2)"},
    {"geometry", "ST_GeomFromText('LINESTRING(0 0, 1 1)')",
        "hex:00000000010200000002000000000000000000000000000000000000"
        "00000000000000f03f000000000000f03f",
        "SRID=0;LINESTRING(0 0,1 1)"},
    {"varchar(9)", "NULL", NULL, NULL},
};
#define VALUE_COUNT (sizeof values / sizeof *values)

/* A table of one column v with the value in it. */
static const bo_table *store(contract_world *w, const value *v)
{
    char sql[600];
    snprintf(sql, sizeof sql,
        "DROP TABLE IF EXISTS t; CREATE TABLE t (v %s NULL);"
        "INSERT INTO t VALUES (%s)",
        v->type, v->literal);
    contract_do(w, sql);
    return contract_table(w, "t");
}

static void the_only_image(contract_world *w, const bo_table *table, contract_rows *out)
{
    contract_scan(w, &(bo_scan){.table = table}, out);
    assert_int_equal(out->count, 1);
}

static void check_image(const value *v, bo_image row)
{
    BO_OWN_VALUE(bo_buf) wanted = {0};
    const bo_value is = bo_image_value(row, 0);
    assert_int_equal(bo_image_count(row), 1);
    if (!v->image) {
        assert_int_equal(is.size, -1);
        return;
    }
    if (bo_text_starts(v->image, "hex:"))
        bo_text_unhex(&wanted, v->image + 4, strlen(v->image) - 4);
    else
        bo_buf_add(&wanted, v->image, strlen(v->image));
    if ((size_t)is.size != wanted.size || memcmp(is.data, wanted.data, wanted.size) != 0)
        fail_msg("%s %s: [%.*s]", v->type, v->literal, is.size, (const char *)is.data);
}

static void every_type_has_its_image_and_takes_it_back(void **state)
{
    contract_world *w = *state;
    contract_do(w, LAX);
    for (size_t i = 0; i < VALUE_COUNT; i++) {
        bo_error err = {0};
        contract_rows was = {0}, now = {0};
        uint64_t rows = 0;
        const bo_table *table = store(w, &values[i]);
        the_only_image(w, table, &was);
        check_image(&values[i], (bo_image){was.bytes.data, was.bytes.size});
        pg_must(my->begin(w->conn, BO_TX_WRITE, &err), &err);
        pg_must(my->clear(w->conn, table, &rows, &err), &err);
        pg_must(my->load(w->conn, table, table, contract_next, &was, &rows, &err), &err);
        pg_must(my->commit(w->conn, &err), &err);
        the_only_image(w, table, &now);
        if (!bo_image_equal((bo_image){was.bytes.data, was.bytes.size},
                (bo_image){now.bytes.data, now.bytes.size}))
            fail_msg("%s %s came back as another", values[i].type, values[i].literal);
        contract_rows_done(&was);
        contract_rows_done(&now);
    }
}

static void timestamps_are_the_same_in_every_zone(void **state)
{
    contract_world *w = *state;
    contract_rows rows = {0};
    contract_do(w, "SET time_zone = '+05:30'; CREATE TABLE t (v timestamp(3) NULL);"
                   "INSERT INTO t VALUES ('2026-11-20 05:30:00.25')");
    the_only_image(w, contract_table(w, "t"), &rows);
    check_image(&(value){"timestamp(3)", "", "2026-11-20 00:00:00.250", NULL},
        (bo_image){rows.bytes.data, rows.bytes.size});
    contract_rows_done(&rows);
}

/* ---- text and literals ---- */

static bo_status keep_text(void *ctx, uint16_t count, const bo_text_value *texts, bo_error *err)
{
    (void)err;
    assert_int_equal(count, 1);
    if (texts[0].data)
        bo_buf_add(ctx, texts[0].data, texts[0].size);
    else
        bo_buf_add_str(ctx, "(null)");
    bo_buf_add_str(ctx, "");
    return BO_OK;
}

static void render(
    contract_world *w, const bo_table *table, bo_render_form form, contract_rows *rows, bo_buf *out)
{
    bo_error err = {0};
    rows->at = 0;
    pg_must(my->render(w->conn, table, form, contract_next, rows, keep_text, out, &err), &err);
}

static void values_are_read_by_people(void **state)
{
    contract_world *w = *state;
    contract_do(w, LAX);
    for (size_t i = 0; i < VALUE_COUNT; i++) {
        BO_OWN_VALUE(bo_buf) text = {0};
        contract_rows rows = {0};
        const bo_table *table = store(w, &values[i]);
        the_only_image(w, table, &rows);
        render(w, table, BO_RENDER_TEXT, &rows, &text);
        const char *wanted = values[i].image ? values[i].text : "(null)";
        if (wanted && strcmp(bo_buf_str(&text), wanted) != 0)
            fail_msg("%s %s: %s", values[i].type, values[i].literal, bo_buf_str(&text));
        contract_rows_done(&rows);
    }
}

static void literals_say_it_exactly(void **state)
{
    contract_world *w = *state;
    contract_do(w, LAX);
    for (size_t i = 0; i < VALUE_COUNT; i++) {
        BO_OWN_VALUE(bo_buf) text = {0};
        BO_OWN_VALUE(bo_buf) sql = {0};
        contract_rows was = {0}, now = {0};
        const bo_table *table = store(w, &values[i]);
        the_only_image(w, table, &was);
        render(w, table, BO_RENDER_LITERAL, &was, &text);
        bo_buf_printf(&sql, "DELETE FROM t; INSERT INTO t VALUES (%s)", bo_buf_str(&text));
        contract_do(w, bo_buf_str(&sql));
        the_only_image(w, table, &now);
        if (!bo_image_equal((bo_image){was.bytes.data, was.bytes.size},
                (bo_image){now.bytes.data, now.bytes.size}))
            fail_msg("%s %s: %s", values[i].type, values[i].literal, bo_buf_str(&text));
        contract_rows_done(&was);
        contract_rows_done(&now);
    }
}

/* ---- ranges ---- */

static bo_status join_range(void *ctx, bo_span range, bo_error *err)
{
    (void)err;
    bo_buf_printf(ctx, "%.*s ", (int)range.size, (const char *)range.data);
    return BO_OK;
}

static void ranges_are_cut_by_an_integer_key_of_any_kind(void **state)
{
    contract_world *w = *state;
    static const struct {
        const char *sql, *ranges;
    } cases[] = {
        {"id bigint unsigned PRIMARY KEY) SELECT 18446744073709500000 + seq AS id FROM"
         " seq_1_to_30000",
            "r::18446744073709520000 r:18446744073709520000: "},
        {"id integer PRIMARY KEY) SELECT CAST(seq AS SIGNED) - 40000 AS id FROM seq_1_to_40000",
            "r::-20000 r:-20000:0 r:0: "},
        {"id smallint(9) unsigned zerofill PRIMARY KEY) SELECT seq AS id FROM seq_1_to_20001",
            "r::20000 r:20000: "},
        {"id varchar(9) PRIMARY KEY) SELECT seq AS id FROM seq_1_to_30000", "all "},
        {"a integer, b integer, PRIMARY KEY (a, b)) SELECT seq AS a, 1 AS b FROM seq_1_to_30000",
            "all "},
        {"id integer NOT NULL UNIQUE) SELECT seq AS id FROM seq_1_to_30000", "all "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[300];
        bo_error err = {0};
        BO_OWN_VALUE(bo_buf) ranges = {0};
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS t; CREATE TABLE t (%s", cases[i].sql);
        contract_do(w, sql);
        const bo_table *table = contract_table(w, "t");
        pg_must(my->ranges(w->conn, table, NULL, 0, join_range, &ranges, &err), &err);
        assert_string_equal(bo_buf_str(&ranges), cases[i].ranges);
    }
}

/* ---- many and large rows ---- */

static void rows_larger_than_a_batch_are_loaded(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_rows rows = {0};
    uint64_t count = 0;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, v longblob NULL, n integer NULL)");
    contract_do(w, "INSERT INTO t SELECT seq, repeat(char(seq % 256), seq * 3), NULLIF(seq % 7, 0)"
                   " FROM seq_1_to_3000; INSERT INTO t VALUES (0, repeat('x', 9000000), 1)");
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    const char *checksum =
        contract_ask(w, "SELECT BIT_XOR(CRC32(CONCAT_WS('/', id, v, n))) FROM t");
    pg_must(my->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(my->clear(w->conn, table, &count, &err), &err);
    pg_must(my->load(w->conn, table, table, contract_next, &rows, &count, &err), &err);
    assert_int_equal(count, 3001);
    pg_must(my->commit(w->conn, &err), &err);
    assert_string_equal(
        contract_ask(w, "SELECT BIT_XOR(CRC32(CONCAT_WS('/', id, v, n))) FROM t"), checksum);
    contract_rows_done(&rows);
}

static void a_row_may_be_larger_than_a_packet(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_rows rows = {0};
    uint64_t count = 0;
    contract_do(w,
        "CREATE TABLE t (id integer PRIMARY KEY, a longblob, b longtext, c integer);"
        "INSERT INTO t SELECT seq, repeat('a', 9000000 - seq), NULL, seq FROM seq_1_to_3;"
        "UPDATE t SET b = repeat('b', 9000000) WHERE id = 2;"
        "INSERT INTO t VALUES (4, 'x', 'y', NULL)");
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    assert_true(rows.bytes.size > 36000000);
    static const char sum[] = "SELECT BIT_XOR(CRC32(CONCAT_WS('/', id, MD5(a), MD5(b), c))) FROM t";
    const char *checksum = contract_ask(w, sum);
    pg_must(my->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(my->clear(w->conn, table, &count, &err), &err);
    pg_must(my->load(w->conn, table, table, contract_next, &rows, &count, &err), &err);
    assert_int_equal(count, 4);
    pg_must(my->commit(w->conn, &err), &err);
    assert_string_equal(contract_ask(w, sum), checksum);
    contract_rows_done(&rows);
}

static bo_status count_rows(void *ctx, bo_image row, bo_error *err)
{
    (void)row;
    (void)err;
    ++*(uint64_t *)ctx;
    return BO_OK;
}

static void a_test_restore_reads_back_what_was_written(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_rows was = {0}, now = {0};
    uint64_t count = 0;
    contract_do(w, "CREATE TABLE t (id integer AUTO_INCREMENT PRIMARY KEY, v varchar(9) NOT NULL,"
                   " g integer AS (c * 2) PERSISTENT, c integer CHECK (c > 0), UNIQUE (v));"
                   "INSERT INTO t (id, v, c) VALUES (1, 'a', 1), (7, 'b', NULL)");
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, &was);
    contract_do(w, "DROP TABLE t");
    pg_must(my->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(my->scratch_restore(w->conn, table, contract_next, &was, contract_collect, &now, &err),
        &err);
    my->rollback(w->conn);
    assert_true(bo_image_equal(
        (bo_image){was.bytes.data, was.bytes.size}, (bo_image){now.bytes.data, now.bytes.size}));
    contract_rows none = {0};
    pg_must(
        my->scratch_restore(w->conn, table, contract_next, &none, count_rows, &count, &err), &err);
    assert_int_equal(count, 0);
    contract_rows_done(&was);
    contract_rows_done(&now);
}

static void a_table_of_generated_columns_has_rows_without_values(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_rows rows = {0};
    uint64_t count = 0;
    contract_do(w, "CREATE TABLE t (g integer AS (1 + 1) PERSISTENT);"
                   "INSERT INTO t () VALUES (), (), ()");
    const bo_table *table = contract_table(w, "t");
    assert_int_equal(table->image_count, 0);
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    assert_int_equal(rows.count, 3);
    pg_must(my->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(my->clear(w->conn, table, &count, &err), &err);
    pg_must(my->load(w->conn, table, table, contract_next, &rows, &count, &err), &err);
    assert_int_equal(count, 3);
    pg_must(my->commit(w->conn, &err), &err);
    assert_string_equal(contract_ask(w, "SELECT sum(g) FROM t"), "6");
    contract_rows_done(&rows);
}

CONTRACT_MAIN("my_rows", CONTRACT_TEST(every_type_has_its_image_and_takes_it_back),
    CONTRACT_TEST(timestamps_are_the_same_in_every_zone), CONTRACT_TEST(values_are_read_by_people),
    CONTRACT_TEST(literals_say_it_exactly),
    CONTRACT_TEST(ranges_are_cut_by_an_integer_key_of_any_kind),
    CONTRACT_TEST(rows_larger_than_a_batch_are_loaded),
    CONTRACT_TEST(a_row_may_be_larger_than_a_packet),
    CONTRACT_TEST(a_test_restore_reads_back_what_was_written),
    CONTRACT_TEST(a_table_of_generated_columns_has_rows_without_values))
