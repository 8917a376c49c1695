/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_rows.c - PostgreSQL: ranges, scans, conditions, loading and rendering. */
#include "contract/pg_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/digest.h"

typedef struct world {
    pg_world *db;
    bo_conn *conn; /* as the owner of the database, no superuser */
    bo_arena *arena;
} world;

/* Images that were read, to be given back. */
typedef struct rows {
    bo_buf bytes;
    size_t at;
    bo_digest digest;
    uint64_t stop_after; /* fail in the callback; 0: never */
} rows;

typedef struct ids {
    char text[64][48];
    bo_span spans[64];
    size_t count;
} ids;

static const bo_driver *const pg = &bo_driver_postgres;

static void run(world *w, const char *sql)
{
    pg_do(w->conn, sql);
}

static const bo_table *describe(world *w, const char *local)
{
    char name[80];
    snprintf(name, sizeof name, "s.%s", local);
    return pg_table(w->conn, w->arena, name);
}

/* The test's database, as the role that `variable` names. */
static bo_conn *connect_as(const world *w, const char *variable)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    char url[600];
    const char *options = strchr(getenv(variable), '?');
    snprintf(url, sizeof url, "postgresql:///%s%s", w->db->database, options);
    bo_connect how = {.url = url, .password = getenv("BACKOUT_TEST_PG_PASSWORD")};
    pg_must(pg->open(&how, &conn, &err), &err);
    return conn;
}

static int world_start(void **state)
{
    pg_world *db = pg_world_create("contract_rows");
    if (!db)
        return 0;
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->db = db;
    pg_do(db->super, "ALTER DATABASE contract_rows OWNER TO app");
    w->conn = connect_as(w, "BACKOUT_TEST_PG_APP_URL");
    w->arena = bo_arena_create();
    *state = w;
    return 0;
}

static int world_reset(void **state)
{
    if (*state)
        run(*state, "DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s");
    return 0;
}

static int world_rest(void **state)
{
    world *w = *state;
    if (w)
        pg->rollback(w->conn);
    return 0;
}

static int world_end(void **state)
{
    world *w = *state;
    if (!w)
        return 0;
    pg->close(w->conn);
    pg_world_free(w->db);
    bo_arena_free(w->arena);
    free(w);
    return 0;
}

#define WORLD(w)        \
    world *w = *state;  \
    if (!w) {           \
        skip();         \
        return;         \
    }                   \
    bo_error err = {0}; \
    (void)err

static bo_status keep_row(void *ctx, bo_image row, bo_error *err)
{
    rows *r = ctx;
    size_t size = 0;
    bo_status st = bo_image_measure(row, &size, err);
    if (st != BO_OK)
        return st;
    assert_int_equal(size, row.size);
    bo_buf_add(&r->bytes, row.data, row.size);
    bo_digest_add(&r->digest, row);
    return r->digest.rows == r->stop_after ? bo_fail(err, BO_FAILED, "enough") : BO_OK;
}

static bo_status next_row(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    rows *r = ctx;
    if (r->at == r->bytes.size) {
        *end_out = true;
        return BO_OK;
    }
    size_t size = 0;
    bo_span rest = {r->bytes.data + r->at, r->bytes.size - r->at};
    bo_status st = bo_image_measure(rest, &size, err);
    if (st != BO_OK)
        return st;
    *row_out = (bo_image){rest.data, size};
    r->at += size;
    return BO_OK;
}

static void scan_into(world *w, const bo_scan *what, rows *out)
{
    bo_error err = {0};
    pg_must(pg->scan(w->conn, what, keep_row, out, &err), &err);
}

static bo_status keep_id(void *ctx, bo_span range, bo_error *err)
{
    (void)err;
    ids *all = ctx;
    assert_true(all->count < 64 && range.size < sizeof all->text[0]);
    memcpy(all->text[all->count], range.data, range.size);
    all->spans[all->count] = (bo_span){(const uint8_t *)all->text[all->count], range.size};
    all->count++;
    return BO_OK;
}

static void ranges_of(world *w, const bo_table *table, ids *known)
{
    bo_error err = {0};
    ids more = {.count = 0};
    pg_must(pg->ranges(w->conn, table, known->spans, known->count, keep_id, &more, &err), &err);
    for (size_t i = 0; i < more.count; i++)
        pg_must(keep_id(known, more.spans[i], &err), &err);
}

/* Reading every range gives what reading the whole gives. */
static void ranges_hold_all(world *w, const bo_table *table, const ids *all)
{
    rows whole = {0};
    rows parts = {0};
    scan_into(w, &(bo_scan){.table = table}, &whole);
    for (size_t i = 0; i < all->count; i++)
        scan_into(w, &(bo_scan){.table = table, .range = all->spans[i]}, &parts);
    assert_true(bo_digest_equal(&whole.digest, &parts.digest));
    bo_buf_done(&whole.bytes);
    bo_buf_done(&parts.bytes);
}

static void every_row_is_in_exactly_one_range_now_and_later(void **state)
{
    WORLD(w);
    ids all = {.count = 0};
    run(w, "CREATE TABLE s.t (id int PRIMARY KEY, x text)");
    const bo_table *t = describe(w, "t");
    ranges_of(w, t, &all);
    assert_int_equal(all.count, 0);
    run(w, "INSERT INTO s.t SELECT i, repeat('x', 900) FROM generate_series(1, 9000) i");
    ranges_of(w, t, &all);
    assert_int_equal(all.count, 3); /* 8 rows a block, 1125 blocks */
    ranges_hold_all(w, t, &all);
    run(w, "INSERT INTO s.t SELECT i, repeat('x', 900) FROM generate_series(9001, 15000) i;"
           "UPDATE s.t SET x = 'y' WHERE id % 7 = 0; DELETE FROM s.t WHERE id % 5 = 0");
    size_t before = all.count;
    ranges_of(w, t, &all);
    assert_true(all.count > before);
    ranges_hold_all(w, t, &all);
    run(w, "CREATE TABLE s.child () INHERITS (s.t); INSERT INTO s.child VALUES (-1, 'c')");
    ranges_hold_all(w, t, &all); /* a child's rows are the child's */
}

static void partitions_come_and_go(void **state)
{
    WORLD(w);
    ids all = {.count = 0};
    run(w, "CREATE TABLE s.p (id int, x text) PARTITION BY RANGE (id);"
           "CREATE TABLE s.p1 (x text, gone int, id int); ALTER TABLE s.p1 DROP COLUMN gone;"
           "ALTER TABLE s.p ATTACH PARTITION s.p1 FOR VALUES FROM (0) TO (100);"
           "CREATE TABLE s.p2 PARTITION OF s.p FOR VALUES FROM (100) TO (300) "
           "PARTITION BY RANGE (id);"
           "CREATE TABLE s.p21 PARTITION OF s.p2 FOR VALUES FROM (100) TO (200);"
           "INSERT INTO s.p SELECT i, 'x' || i FROM generate_series(0, 199) i");
    const bo_table *p = describe(w, "p");
    ranges_of(w, p, &all);
    assert_int_equal(all.count, 2);
    ranges_hold_all(w, p, &all);
    run(w, "CREATE TABLE s.p22 PARTITION OF s.p2 FOR VALUES FROM (200) TO (300);"
           "INSERT INTO s.p SELECT i, 'x' || i FROM generate_series(200, 299) i;"
           "ALTER TABLE s.p DETACH PARTITION s.p1");
    p = describe(w, "p");
    ranges_of(w, p, &all);
    assert_int_equal(all.count, 3);
    ranges_hold_all(w, p, &all);
    run(w, "DROP TABLE s.p1");
    ranges_hold_all(w, p, &all);
    rows none = {0};
    bo_scan bad = {.table = p, .range = {(const uint8_t *)"1:x:2", 5}};
    assert_int_equal(pg->scan(w->conn, &bad, keep_row, &none, &err), BO_INVALID);
}

static uint64_t matching(world *w, const bo_table *table, const char *predicate)
{
    bo_error err = {0};
    rows found = {0};
    uint64_t count = 0;
    scan_into(w, &(bo_scan){.table = table, .predicate = predicate}, &found);
    pg_must(pg->count(w->conn, table, predicate, &count, &err), &err);
    assert_int_equal(found.digest.rows, count);
    bo_buf_done(&found.bytes);
    return count;
}

static void a_condition_is_one_expression_with_the_users_names(void **state)
{
    WORLD(w);
    run(w, "CREATE TABLE s.t AS SELECT i AS id, i % 3 AS a FROM generate_series(1, 30) i;"
           "CREATE TABLE s.keep AS SELECT 7 AS id;"
           "CREATE OR REPLACE FUNCTION public.bo_test_odd(int) RETURNS bool LANGUAGE sql "
           "AS 'SELECT $1 % 2 = 1'");
    const bo_table *t = describe(w, "t");
    for (int in_transaction = 0; in_transaction < 2; in_transaction++) {
        if (in_transaction)
            pg_must(pg->begin(w->conn, BO_TX_READ, &err), &err);
        assert_int_equal(matching(w, t, "id <= 10"), 10);
        assert_int_equal(matching(w, t, "id <= 2 OR t.id = 30 -- or so"), 3);
        assert_int_equal(matching(w, t, "bo_test_odd(id)"), 15);
        assert_int_equal(matching(w, t, "EXISTS (SELECT 1 FROM s.keep k WHERE k.id = t.id)"), 1);
        if (in_transaction)
            pg->rollback(w->conn);
    }
    static const char *const bad[] = {"true) OR (true", "true; DROP TABLE t", "true ORDER BY 1",
        "true) TO STDOUT; --", "id = ", "", "1=1) UNION SELECT (1", "true GROUP BY id",
        "true LIMIT 1", "true FOR UPDATE", "no_such_column = 1", "id = 'x'::no_such_type"};
    rows none = {0};
    uint64_t count = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bo_scan what = {.table = t, .predicate = bad[i]};
        assert_int_equal(pg->scan(w->conn, &what, keep_row, &none, &err), BO_INVALID);
        assert_int_equal(pg->count(w->conn, t, bad[i], &count, &err), BO_INVALID);
    }
    run(w, "DROP FUNCTION public.bo_test_odd(int)");
    assert_int_equal(matching(w, t, "id <= 10"), 10); /* the pinned path is back */
}

static void a_scan_that_is_stopped_leaves_the_connection_usable(void **state)
{
    WORLD(w);
    run(w, "CREATE TABLE s.t AS SELECT i AS id, repeat('x', 100) FROM generate_series(1, 90000) i");
    const bo_table *t = describe(w, "t");
    rows some = {.stop_after = 5};
    bo_scan what = {.table = t};
    assert_int_equal(pg->scan(w->conn, &what, keep_row, &some, &err), BO_FAILED);
    assert_int_equal(some.digest.rows, 5);
    uint64_t count = 0;
    pg_must(pg->count(w->conn, t, NULL, &count, &err), &err);
    assert_int_equal(count, 90000);
    bo_buf_done(&some.bytes);
}

static const char odd_table[] =
    "CREATE TYPE s.mood AS ENUM ('sad', 'it''s'); CREATE TYPE s.pair AS (a int, b text);"
    "CREATE DOMAIN s.small AS numeric(6,2);"
    "CREATE TABLE s.odd (id int PRIMARY KEY, n numeric, f float8, t text, c char(5), b bytea,"
    "  ts timestamptz, j jsonb, a text[], m s.mood, p s.pair, d s.small, x xml,"
    "  g int GENERATED ALWAYS AS (id * 2) STORED, iv interval, mo money, bt bit(3),"
    "  i2 int GENERATED ALWAYS AS IDENTITY);"
    "INSERT INTO s.odd OVERRIDING SYSTEM VALUE VALUES"
    "  (1, '1.00', '-0', E'tab\\t nl\\n cr\\r bs\\\\ \\b\\f\\v \\\\N', 'ab', '\\x00ff5c',"
    "   'infinity', '{\"a\": 1.00}', '{\"x,y\",NULL,\"\\\\\\\"\"}', 'it''s', ROW(1, 'q\"'), 1.5,"
    "   '<a>&amp;</a>', DEFAULT, '1 day 24:00', 12.5, B'101', 40),"
    "  (2, 'NaN', 'NaN', '', '', '', '0044-03-15 BC', 'null', '[3:4]={a,b}', NULL,"
    "   ROW(NULL, NULL), NULL, NULL, DEFAULT, '-1 mon', NULL, NULL, 7),"
    "  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, DEFAULT, NULL,"
    "   NULL, NULL, 8)";

static void rows_go_out_and_in_without_the_loss_of_a_byte(void **state)
{
    WORLD(w);
    run(w, odd_table);
    const bo_table *binary = describe(w, "odd");
    bo_table as_text = *binary;
    as_text.encoding = BO_ENCODING_PG_TEXT;
    const bo_table *shapes[] = {binary, &as_text};
    for (int i = 0; i < 2; i++) {
        rows out = {0};
        rows again = {0};
        uint64_t loaded = 0;
        bo_scan what = {.table = binary, .shape = shapes[i]};
        scan_into(w, &what, &out);
        assert_int_equal(out.digest.rows, 3);
        pg_must(pg->begin(w->conn, BO_TX_WRITE, &err), &err);
        run(w, "DELETE FROM s.odd");
        pg_must(pg->load(w->conn, shapes[i], binary, next_row, &out, &loaded, &err), &err);
        pg_must(pg->commit(w->conn, &err), &err);
        assert_int_equal(loaded, 3);
        scan_into(w, &what, &again);
        assert_true(bo_digest_equal(&out.digest, &again.digest));
        bo_buf_done(&out.bytes);
        bo_buf_done(&again.bytes);
    }
}

static void rows_go_into_a_wider_type_and_not_into_a_dropped_column(void **state)
{
    WORLD(w);
    run(w, "CREATE TABLE s.t AS SELECT i AS id, i::int2 AS a FROM generate_series(1, 9) i");
    const bo_table *was = describe(w, "t");
    rows out = {0};
    uint64_t loaded = 0;
    scan_into(w, &(bo_scan){.table = was}, &out);
    run(w, "ALTER TABLE s.t ALTER a TYPE int8; ALTER TABLE s.t ADD b text DEFAULT 'new'");
    pg_must(pg->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(pg->load(w->conn, was, describe(w, "t"), next_row, &out, &loaded, &err), &err);
    pg_must(pg->commit(w->conn, &err), &err);
    assert_int_equal(loaded, 9);
    assert_int_equal(matching(w, describe(w, "t"), "a = id AND b = 'new'"), 18);

    run(w, "ALTER TABLE s.t DROP a");
    out.at = 0;
    pg_must(pg->begin(w->conn, BO_TX_WRITE, &err), &err);
    assert_int_equal(
        pg->load(w->conn, was, describe(w, "t"), next_row, &out, &loaded, &err), BO_CONFLICT);
    assert_non_null(strstr(err.text, "column 'a' was dropped"));
    bo_scan what = {.table = describe(w, "t"), .shape = was};
    assert_int_equal(pg->scan(w->conn, &what, keep_row, &out, &err), BO_CONFLICT);
    pg->rollback(w->conn);
    bo_buf_done(&out.bytes);
}

static void rows_that_the_database_refuses_stop_the_load(void **state)
{
    WORLD(w);
    run(w, "CREATE TABLE s.t (id int PRIMARY KEY); INSERT INTO s.t VALUES (1), (2)");
    const bo_table *t = describe(w, "t");
    rows out = {0};
    uint64_t loaded = 77;
    scan_into(w, &(bo_scan){.table = t}, &out);
    pg_must(pg->begin(w->conn, BO_TX_WRITE, &err), &err);
    assert_int_equal(pg->load(w->conn, t, t, next_row, &out, &loaded, &err), BO_CONFLICT);
    assert_string_equal(err.sqlstate, "23505");
    assert_int_equal(loaded, 77);
    pg->rollback(w->conn);
    assert_int_equal(matching(w, t, NULL), 2);
    bo_buf_done(&out.bytes);
}

typedef struct texts {
    bo_buf lines;
    uint64_t rows;
} texts;

static bo_status keep_texts(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)err;
    texts *t = ctx;
    t->rows++;
    for (uint16_t i = 0; i < count; i++) {
        bo_buf_add_str(&t->lines, i > 0 ? "|" : "");
        bo_buf_add(
            &t->lines, values[i].data ? values[i].data : "~", values[i].data ? values[i].size : 1);
    }
    bo_buf_add_str(&t->lines, "\n");
    return BO_OK;
}

static void rows_are_rendered_in_order_as_text_and_as_literals(void **state)
{
    WORLD(w);
    run(w, odd_table);
    const bo_table *binary = describe(w, "odd");
    bo_table as_text = *binary;
    as_text.encoding = BO_ENCODING_PG_TEXT;
    const bo_table *shapes[] = {binary, &as_text};
    texts seen[2][2] = {0};
    pg_must(pg->begin(w->conn, BO_TX_READ, &err), &err); /* writes nothing */
    for (int i = 0; i < 2; i++) {
        for (int form = 0; form < 2; form++) {
            rows out = {0};
            scan_into(w, &(bo_scan){.table = binary, .shape = shapes[i]}, &out);
            pg_must(pg->render(w->conn, shapes[i], form == 0 ? BO_RENDER_TEXT : BO_RENDER_LITERAL,
                        next_row, &out, keep_texts, &seen[i][form], &err),
                &err);
            bo_buf_done(&out.bytes);
        }
    }
    pg->rollback(w->conn);
    for (int form = 0; form < 2; form++)
        assert_string_equal(bo_buf_str(&seen[0][form].lines), bo_buf_str(&seen[1][form].lines));
    assert_non_null(strstr(bo_buf_str(&seen[0][0].lines), "1|1.00|-0|tab\t nl\n"));
    assert_non_null(strstr(bo_buf_str(&seen[0][0].lines), "3|~|~|~"));
    assert_non_null(strstr(bo_buf_str(&seen[0][1].lines), "'1'::integer|'1.00'::numeric|"));
    assert_non_null(strstr(bo_buf_str(&seen[0][1].lines), "'it''s'::"));
    assert_non_null(strstr(bo_buf_str(&seen[0][1].lines), "'3'::integer|NULL|NULL"));
    for (int i = 0; i < 4; i++)
        bo_buf_done(&seen[i / 2][i % 2].lines);
}

static void many_rows_are_rendered_and_a_stop_leaves_the_connection_usable(void **state)
{
    WORLD(w);
    run(w, "CREATE TABLE s.t AS SELECT i AS id FROM generate_series(1, 1000) i");
    const bo_table *t = describe(w, "t");
    rows out = {0};
    texts seen = {0};
    scan_into(w, &(bo_scan){.table = t}, &out);
    pg_must(pg->render(w->conn, t, BO_RENDER_TEXT, next_row, &out, keep_texts, &seen, &err), &err);
    assert_int_equal(seen.rows, 1000);
    bo_buf_clear(&out.bytes);
    bo_image_begin(&out.bytes, 1);
    bo_image_add(&out.bytes, "bad", 3); /* no int4 */
    out.at = 0;
    assert_int_equal(
        pg->render(w->conn, t, BO_RENDER_TEXT, next_row, &out, keep_texts, &seen, &err),
        BO_DATABASE);
    assert_int_equal(matching(w, t, NULL), 1000);
    bo_buf_done(&out.bytes);
    bo_buf_done(&seen.lines);
}

static void a_partition_that_may_not_be_read_is_read_through_its_table(void **state)
{
    WORLD(w);
    run(w, "CREATE TABLE s.p (id int) PARTITION BY LIST (id);"
           "CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES IN (1);"
           "CREATE TABLE s.p2 PARTITION OF s.p FOR VALUES IN (2);"
           "INSERT INTO s.p VALUES (1), (2), (2);"
           "GRANT USAGE ON SCHEMA s TO locked; GRANT SELECT ON s.p TO locked");
    ids all = {.count = 0};
    const bo_table *p = describe(w, "p");
    ranges_of(w, p, &all);
    assert_int_equal(all.count, 2);
    bo_conn *poor = connect_as(w, "BACKOUT_TEST_PG_PASSWORD_URL");
    for (size_t i = 0; i < 2; i++) {
        rows found = {0};
        bo_scan what = {.table = p, .range = all.spans[i]};
        pg_must(pg->scan(poor, &what, keep_row, &found, &err), &err);
        assert_int_equal(found.digest.rows, i + 1);
        bo_buf_done(&found.bytes);
    }
    pg->close(poor);
}

static void a_missing_right_is_named(void **state)
{
    WORLD(w);
    run(w, "CREATE TABLE s.t (id int PRIMARY KEY); GRANT USAGE ON SCHEMA s TO locked");
    bo_conn *poor = connect_as(w, "BACKOUT_TEST_PG_PASSWORD_URL");
    rows none = {0};
    bo_scan what = {.table = describe(w, "t")};
    assert_int_equal(pg->scan(poor, &what, keep_row, &none, &err), BO_DENIED);
    assert_non_null(strstr(err.text, "GRANT SELECT ON \""));
    assert_non_null(strstr(err.text, "\"t\" TO \"locked\""));

    run(w, "GRANT SELECT ON s.t TO locked; ALTER TABLE s.t ENABLE ROW LEVEL SECURITY");
    bo_table hidden = *what.table;
    hidden.row_security = true;
    what.table = &hidden;
    assert_int_equal(pg->scan(poor, &what, keep_row, &none, &err), BO_DENIED);
    assert_non_null(strstr(err.text, "row-level security"));
    pg->close(poor);
}

static void an_estimate_is_near_even_without_statistics(void **state)
{
    WORLD(w);
    uint64_t count = 0;
    uint64_t bytes = 0;
    run(w, "CREATE TABLE s.t AS SELECT i AS id FROM generate_series(1, 10000) i");
    pg_must(pg->estimate(w->conn, describe(w, "t"), &count, &bytes, &err), &err);
    assert_true(count > 0 && bytes > 100000);
    run(w, "ANALYZE s.t");
    pg_must(pg->estimate(w->conn, describe(w, "t"), &count, &bytes, &err), &err);
    assert_in_range(count, 9900, 10100);
}

static void the_rows_a_transaction_wrote_are_counted_savepoints_and_partitions_too(void **state)
{
    WORLD(w);
    uint64_t count = 0, written = 0;
    run(w, "CREATE TABLE s.t (id int, v int) PARTITION BY RANGE (id);"
           "CREATE TABLE s.t1 PARTITION OF s.t FOR VALUES FROM (0) TO (50);"
           "CREATE TABLE s.t2 PARTITION OF s.t FOR VALUES FROM (50) TO (200);"
           "INSERT INTO s.t SELECT i, i FROM generate_series(1, 100) i");
    const bo_table *table = describe(w, "t");
    pg_must(pg->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(pg->written(w->conn, table, &count, &written, &err), &err);
    assert_int_equal(count, 100);
    assert_int_equal(written, 0);
    run(w,
        "UPDATE s.t SET v = 0 WHERE id <= 10; DELETE FROM s.t WHERE id = 100;"
        "SAVEPOINT a; UPDATE s.t SET v = 1 WHERE id IN (10, 60); RELEASE a;"
        "SAVEPOINT b; DELETE FROM s.t WHERE id = 1; ROLLBACK TO b; INSERT INTO s.t VALUES (101)");
    pg_must(pg->written(w->conn, table, &count, &written, &err), &err);
    assert_int_equal(count, 100);
    assert_int_equal(written, 12);
    run(w, "CREATE TABLE s.plain AS SELECT 1 AS id");
    pg_must(pg->written(w->conn, describe(w, "plain"), &count, &written, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(written, 1);
    pg->rollback(w->conn);
}

#define IN_A_SCHEMA(test) cmocka_unit_test_setup_teardown(test, world_reset, world_rest)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_SCHEMA(every_row_is_in_exactly_one_range_now_and_later),
        IN_A_SCHEMA(partitions_come_and_go),
        IN_A_SCHEMA(a_condition_is_one_expression_with_the_users_names),
        IN_A_SCHEMA(a_scan_that_is_stopped_leaves_the_connection_usable),
        IN_A_SCHEMA(rows_go_out_and_in_without_the_loss_of_a_byte),
        IN_A_SCHEMA(rows_go_into_a_wider_type_and_not_into_a_dropped_column),
        IN_A_SCHEMA(rows_that_the_database_refuses_stop_the_load),
        IN_A_SCHEMA(rows_are_rendered_in_order_as_text_and_as_literals),
        IN_A_SCHEMA(many_rows_are_rendered_and_a_stop_leaves_the_connection_usable),
        IN_A_SCHEMA(a_partition_that_may_not_be_read_is_read_through_its_table),
        IN_A_SCHEMA(a_missing_right_is_named),
        IN_A_SCHEMA(an_estimate_is_near_even_without_statistics),
        IN_A_SCHEMA(the_rows_a_transaction_wrote_are_counted_savepoints_and_partitions_too),
    };
    return cmocka_run_group_tests_name("rows", tests, world_start, world_end);
}
