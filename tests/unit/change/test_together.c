/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/change/test_together.c - a SQLite table is read by several connections while another
 * process writes: what they read together is one state.
 */
#include "world.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change/content.h"
#include "change/take.h"

enum { ROWS = 90000, FIRST_ID = 1000, POINTS = 5, TOTAL = 2 }; /* position of orders.total */

static bo_driver counting;
static unsigned twins;

static bo_status counted_twin(bo_conn *conn, bo_conn **out, bo_error *err)
{
    bo_status st = bo_driver_sqlite.twin(conn, out, err);
    twins += st == BO_OK;
    return st;
}

static bo_conn *count_twins(bo_conn *conn)
{
    counting = bo_driver_sqlite;
    counting.twin = counted_twin;
    conn->driver = &counting;
    return conn;
}

/* Each moves an amount from a row at one end of the table to one at the other. */
static void move_for_ever(const char *url)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    const bo_connect how = {.url = url, .raw = true, .lock_timeout_ms = 5000};
    if (bo_driver_open(&how, &conn, &err) != BO_OK ||
        conn->driver->exec(conn, "PRAGMA synchronous = OFF", &err) != BO_OK)
        _exit(1);
    for (unsigned n = 0;; n = (n + 1) % ROWS) {
        char sql[256];
        (void)snprintf(sql, sizeof sql,
            "BEGIN IMMEDIATE; UPDATE orders SET total = total - 1 WHERE id = %u;"
            "UPDATE orders SET total = total + 1 WHERE id = %u; COMMIT",
            FIRST_ID + n, FIRST_ID + ROWS - 1 - n);
        if (conn->driver->exec(conn, sql, &err) != BO_OK)
            conn->driver->rollback(conn);
        (void)usleep(100);
    }
}

static pid_t start_writer(world *w)
{
    world_close(w);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not wait for it */
        move_for_ever(w->url);
    }
    world_reopen(w);
    return writer;
}

static void stop_writer(pid_t writer)
{
    assert_int_equal(kill(writer, SIGKILL), 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
}

static long long total_of(bo_image row)
{
    const bo_value value = bo_image_value(row, TOTAL);
    assert_int_equal(value.size, 9);
    assert_int_equal(value.data[0], BO_SQLITE_INTEGER);
    return (long long)bo_get_u64(value.data + 1);
}

static void check_point(world *w, const char *id)
{
    bo_error err = {0};
    BO_OWN(bo_content) *content = NULL;
    BO_OWN(bo_frame_reader) *reader = NULL;
    bo_point_record record = world_record(w, id);
    world_ok(bo_content_open_of(w->session, &record, false, &content, &err), &err);
    assert_true(bo_pack_range_count(content->pack) > 3);
    world_ok(bo_frame_reader_create(content->pack, &reader, &err), &err);
    long long sum = 0, rows = 0;
    for (uint32_t i = 0; i < bo_pack_frame_count(content->pack); i++) {
        world_ok(bo_frame_reader_load(reader, i, &err), &err);
        bo_image row;
        for (bool end = false;;) {
            world_ok(bo_frame_reader_row(reader, &row, &end, &err), &err);
            if (end)
                break;
            sum += total_of(row);
            rows++;
        }
    }
    assert_int_equal(rows, ROWS);
    assert_int_equal(sum, 0);
}

static void fill(world *w, const char *mode)
{
    char sql[512];
    (void)snprintf(sql, sizeof sql,
        "PRAGMA journal_mode = %s; DELETE FROM orders;"
        " WITH RECURSIVE n (i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        " INSERT INTO orders SELECT i, 1, 0 FROM n",
        mode, FIRST_ID, FIRST_ID + ROWS - 1);
    world_sql(w, sql);
}

static void a_point_is_one_state(world *w)
{
    bo_driver_wrap = count_twins;
    twins = 0;
    pid_t writer = start_writer(w);
    while (strcmp(world_value(w, "SELECT max(total) FROM orders"), "0") == 0)
        (void)usleep(1000); /* until the writer is at work */
    const char *ids[POINTS];
    for (size_t i = 0; i < POINTS; i++)
        ids[i] = world_point(w, "orders");
    stop_writer(writer);
    bo_driver_wrap = NULL;
    for (size_t i = 0; i < POINTS; i++)
        check_point(w, ids[i]);
}

static void a_point_taken_while_others_write_is_one_state(void **state)
{
    world *w = *state;
    fill(w, "WAL");
    a_point_is_one_state(w);
    assert_true(twins > 0); /* two connections did read it */
}

static void a_point_taken_while_others_write_with_a_rollback_journal_is_one_state(void **state)
{
    world *w = *state;
    fill(w, "DELETE");
    a_point_is_one_state(w);
}

static bo_status add_row(void *ctx, bo_image row, bo_error *err)
{
    (void)err;
    bo_digest_add(ctx, row);
    return BO_OK;
}

/* The table read in one go is what its ranges hold. */
static void check_ranges(world *w)
{
    bo_error err = {0};
    BO_OWN(bo_content) *content = NULL;
    bo_digest stored = {0}, now = {0};
    bo_point_record record = world_record(w, world_point(w, "orders"));
    world_ok(bo_content_open_of(w->session, &record, false, &content, &err), &err);
    bo_pack_table_digest(content->pack, 0, &stored);
    world_ok(bo_content_describe(content, w->conn, &err), &err);
    const bo_scan scan = {.table = content->parts[0].now, .shape = content->parts[0].was};
    world_ok(w->conn->driver->scan(w->conn, &scan, add_row, &now, &err), &err);
    assert_true(bo_digest_equal(&stored, &now));
    assert_int_equal(now.rows, strtol(world_value(w, "SELECT count(*) FROM orders"), NULL, 10));
}

static void rows_of_every_number_are_in_a_point_once(void **state)
{
    static const char *const numbers[] = {"i % 10", "i", "CASE WHEN i % 3 = 0 THEN i END",
        "CASE WHEN i / 1000 % 5 = 0 THEN i END", "i * 2499", "i * i * i",
        "-i * 100000000000000", /* the last: both ends of what there can be */
        "CASE i WHEN 1 THEN -9223372036854775807 - 1 WHEN 2 THEN 9223372036854775807 ELSE i END"};
    world *w = *state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char sql[512];
        (void)snprintf(sql, sizeof sql,
            "DELETE FROM orders; WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
            " WHERE i < %d) INSERT OR IGNORE INTO orders SELECT id, 1, 0 FROM"
            " (SELECT %s AS id FROM n) WHERE id IS NOT NULL",
            ROWS, numbers[i]);
        world_sql(w, sql);
        check_ranges(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_point_taken_while_others_write_is_one_state),
        WORLD_TEST(a_point_taken_while_others_write_with_a_rollback_journal_is_one_state),
        WORLD_TEST(rows_of_every_number_are_in_a_point_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
