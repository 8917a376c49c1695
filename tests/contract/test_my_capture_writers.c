/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/test_my_capture_writers.c - MariaDB: captures that begin, end, die and are read
 * while others write.
 */
#include "contract/my_capture_world.h"
#include "contract/my_net.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- positions, while others write ---- */

static void a_writer_that_commits_after_a_position_is_later(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    capture_begin(w, "p", PG_NAMES("t"));
    bo_conn *other = contract_connect(w, true);
    pg_do(other, "BEGIN; UPDATE t SET a = 'open' WHERE id = 1");
    contract_do(w, "UPDATE t SET a = 'committed' WHERE id = 2");
    contract_do(w, "BEGIN; UPDATE t SET a = 'undone' WHERE id = 3; ROLLBACK");
    contract_do(w, "UPDATE t SET u = 21 WHERE id = 2");
    const char *position = capture_position(w, PG_NAMES("t"));
    pg_do(other, "COMMIT");
    contract_do(w, "UPDATE t SET u = 31 WHERE id = 3");
    assert_string_equal(
        capture_since(w, "t", position), "(1|10|one) > (1|10|open)\n(3|30|three) > (3|31|three)\n");
    bo_conn_free(other);
}

struct writer {
    pthread_t thread;
    const contract_world *w;
    unsigned seed;
    atomic_bool *stop;
    unsigned written;
};

static void *write_until_stopped(void *ctx)
{
    struct writer *self = ctx;
    bo_conn *conn = contract_connect(self->w, true);
    while (!atomic_load(self->stop)) {
        const bool together = rand_r(&self->seed) % 3 == 0;
        bo_error err = {0};
        if (together)
            (void)conn->driver->exec(conn, "BEGIN", &err);
        for (int i = 0; i < 3; i++, self->written++)
            net_write(conn, &self->seed);
        if (together)
            (void)conn->driver->exec(conn, rand_r(&self->seed) % 3 ? "COMMIT" : "ROLLBACK", &err);
    }
    bo_conn_free(conn);
    return NULL;
}

enum { WRITERS = 3, MOMENTS = 12 };

struct moment {
    const char *position;
    watch_images *rows[NET_TABLES];
};

/* Position and rows in one snapshot. */
static struct moment take_moment(contract_world *w, const bo_table *const tables[NET_TABLES])
{
    bo_error err = {0};
    bo_buf position = {0};
    struct moment moment = {0};
    pg_must(w->driver->begin(w->conn, BO_TX_READ, &err), &err);
    pg_must(w->driver->capture->position(w->conn, tables, NET_TABLES, &position, &err), &err);
    for (int i = 0; i < NET_TABLES; i++)
        moment.rows[i] = watch_scan(w->conn, tables[i]);
    w->driver->rollback(w->conn);
    moment.position = bo_arena_str(w->arena, bo_buf_str(&position));
    bo_buf_done(&position);
    return moment;
}

static void start_writers(
    const contract_world *w, struct writer writers[WRITERS], atomic_bool *stop)
{
    atomic_store(stop, false);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.w = w, .seed = 500 + i, .stop = stop};
        assert_int_equal(
            pthread_create(&writers[i].thread, NULL, write_until_stopped, &writers[i]), 0);
    }
}

static void stop_writers(struct writer writers[WRITERS], atomic_bool *stop)
{
    atomic_store(stop, true);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
}

static void any_two_moments_among_writers_are_told_apart_exactly(void **state)
{
    contract_world *w = *state;
    struct writer writers[WRITERS];
    struct moment moments[MOMENTS];
    const bo_table *tables[NET_TABLES];
    atomic_bool stop;
    net_make(w);
    capture_begin(w, "p", NET);
    for (int i = 0; i < NET_TABLES; i++)
        tables[i] = contract_table(w, NET[i]);
    start_writers(w, writers, &stop);
    for (int i = 0; i < MOMENTS; i++) {
        usleep(30000);
        moments[i] = take_moment(w, tables);
    }
    stop_writers(writers, &stop);
    for (int i = 0; i < MOMENTS; i++) {
        for (int k = i + 1; k < MOMENTS; k++) {
            const bo_journal_filter filter = {
                .from = moments[i].position, .to = moments[k].position};
            for (int t = 0; t < NET_TABLES; t++)
                watch_told(w->conn, tables[t], &filter, moments[i].rows[t], moments[k].rows[t]);
        }
    }
    for (int i = 0; i < MOMENTS * NET_TABLES; i++)
        watch_free(moments[i / NET_TABLES].rows[i % NET_TABLES]);
}

/* One that waits for writers. */
static bo_conn *connect_patiently(const contract_world *w, unsigned lock_timeout_ms)
{
    const bo_connect how = {.url = w->url, .lock_timeout_ms = lock_timeout_ms};
    bo_conn *conn = NULL;
    bo_error err = {0};
    pg_must(bo_driver_open(&how, &conn, &err), &err);
    return conn;
}

static void points_come_and_go_among_writers_and_lose_nothing(void **state)
{
    contract_world *w = *state;
    struct writer writers[WRITERS];
    atomic_bool stop;
    net_make(w);
    bo_conn_free(w->conn);
    w->conn = connect_patiently(w, 60000);
    watched all = watch_begin(w, NET);
    start_writers(w, writers, &stop);
    for (int i = 0; i < 4; i++) {
        capture_begin(w, "q", i % 2 ? NET : PG_NAMES("g", "h"));
        usleep(10000);
        capture_end(w, "q");
    }
    stop_writers(writers, &stop);
    watch_end(&all);
}

/* ---- beginning and ending ---- */

/* Begins and ends until it is killed. */
static void come_and_go(const contract_world *w, const bo_table *const *tables, unsigned count)
{
    bo_error err = {0};
    bo_conn *conn = connect_patiently(w, 8000);
    for (;;) {
        if (conn->driver->capture->begin(conn, tables, count, "dying", &err) != BO_OK ||
            conn->driver->capture->end(conn, "dying", &err) != BO_OK)
            _exit(1);
    }
}

static void one_that_dies_leaves_nothing_that_stays_or_stops_a_writer(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE a (id int PRIMARY KEY, n int); INSERT INTO a VALUES (1, 0);"
                   "CREATE TABLE b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id)"
                   " ON DELETE CASCADE)");
    bo_conn_free(w->conn);
    w->conn = connect_patiently(w, 8000);
    const bo_table *tables[] = {contract_table(w, "a"), contract_table(w, "b")};
    const char *kept = capture_begin(w, "kept", PG_NAMES("b"));
    for (unsigned i = 0; i < 16; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            come_and_go(w, tables, 2);
        usleep(10000 + i * 7300);
        contract_do(w, "UPDATE a SET n = n + 1; REPLACE INTO b VALUES (1, 1)");
        assert_int_equal(kill(child, SIGKILL), 0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        contract_do(w, "UPDATE a SET n = n + 1; REPLACE INTO b VALUES (1, 1)");
        const char *from = capture_begin(w, "p", PG_NAMES("a", "b"));
        contract_do(w, "DELETE FROM a");
        assert_string_equal(capture_since(w, "b", from), "(1|1) > -\n");
        contract_do(w, "INSERT INTO a VALUES (1, 0)");
        assert_string_equal(capture_broken(w, "a", "p"), "");
        capture_end(w, "p");
        capture_end(w, "dying"); /* it may have been killed between its begin and its end */
        assert_string_equal(capture_list(w), "kept b\n");
    }
    assert_string_equal(capture_broken(w, "b", "kept"), "");
    assert_string_equal(capture_since(w, "b", kept), "");
    capture_end(w, "kept");
    assert_string_equal(
        contract_ask(w, "SELECT (SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA"
                        " = DATABASE()) + (SELECT count(*) FROM information_schema.TRIGGERS"
                        " WHERE TRIGGER_SCHEMA = DATABASE())"),
        "2");
}

static void what_is_busy_is_named(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, ROWS_T);
    contract_do(w, "CREATE TABLE s (id integer PRIMARY KEY)");
    const bo_table *tables[] = {contract_table(w, "s"), contract_table(w, "t")};
    contract_do(w, "BEGIN; UPDATE t SET u = 11 WHERE id = 1");
    assert_int_equal(w->driver->capture->begin(w->conn, tables, 2, "p", &err), BO_BUSY);
    assert_non_null(strstr(err.text, "'t'"));
    contract_do(w, "COMMIT");
    capture_begin(w, "p", PG_NAMES("s", "t"));
    assert_int_equal(w->driver->capture->begin(w->conn, tables, 2, "p", &err), BO_EXISTS);
    assert_string_equal(capture_broken(w, "t", "p"), "");
}

static void only_one_begins_at_a_time(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, ROWS_T);
    contract_do(w, "DO GET_LOCK(CONCAT('backout.capture.', MD5(DATABASE())), 0)");
    const bo_table *t = contract_table(w, "t");
    assert_int_equal(w->driver->capture->begin(w->conn, &t, 1, "p", &err), BO_BUSY);
    assert_non_null(strstr(err.text, "it is connection "));
    assert_int_equal(w->driver->capture->end(w->conn, "p", &err), BO_BUSY);
    contract_do(w, "DO RELEASE_ALL_LOCKS()");
    capture_begin(w, "p", PG_NAMES("t"));
}

CONTRACT_MAIN("my_capture_writers", CONTRACT_TEST(a_writer_that_commits_after_a_position_is_later),
    CONTRACT_TEST(any_two_moments_among_writers_are_told_apart_exactly),
    CONTRACT_TEST(points_come_and_go_among_writers_and_lose_nothing),
    CONTRACT_TEST(one_that_dies_leaves_nothing_that_stays_or_stops_a_writer),
    CONTRACT_TEST(what_is_busy_is_named), CONTRACT_TEST(only_one_begins_at_a_time))
