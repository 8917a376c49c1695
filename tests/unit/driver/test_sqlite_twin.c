/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/driver/test_sqlite_twin.c - several connections that read one state of a SQLite file.
 */
#include "support/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/driver.h"

#define READERS 3u

typedef struct world {
    char folder[64];
    char path[80];
    bo_conn *conn; /* one of READERS */
    bo_conn *user;
    bool wal;
} world;

static const bo_driver *const sq = &bo_driver_sqlite;

static void must(bo_status st, const bo_error *err)
{
    if (st != BO_OK)
        fail_msg("%s: %s", bo_status_name(st), err->text);
}

static bo_conn *connect_to(const world *w, bo_connect how)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    how.url = w->path;
    how.lock_timeout_ms = 5000;
    must(sq->open(&how, &conn, &err), &err);
    return conn;
}

static void run(bo_conn *conn, const char *sql)
{
    bo_error err = {0};
    must(sq->exec(conn, sql, &err), &err);
}

static int start(void **state, bool wal)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->wal = wal;
    (void)snprintf(w->folder, sizeof w->folder, "%.36s/sqlite-test-XXXXXX", temporary_folder());
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->path, sizeof w->path, "%s/a.db", w->folder);
    w->user = connect_to(w, (bo_connect){.create = true, .raw = true});
    run(w->user, wal ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = DELETE");
    run(w->user, "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER);"
                 "INSERT INTO accounts VALUES (1, 1000), (2, 0)");
    w->conn = connect_to(w, (bo_connect){.readers = READERS});
    *state = w;
    return 0;
}

static int start_wal(void **state)
{
    return start(state, true);
}

static int start_rollback_journal(void **state)
{
    return start(state, false);
}

static int stop(void **state)
{
    static const char *const files[] = {"", "-wal", "-shm", "-journal"};
    world *w = *state;
    bo_conn_free(w->conn);
    bo_conn_free(w->user);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", w->path, files[i]);
        (void)remove(path);
    }
    assert_int_equal(rmdir(w->folder), 0);
    free(w);
    return 0;
}

static void begin(bo_conn *conn, bo_tx_mode mode)
{
    bo_error err = {0};
    must(sq->begin(conn, mode, &err), &err);
}

static bo_conn *twin_of(bo_conn *conn)
{
    bo_error err = {0};
    bo_conn *twin = NULL;
    must(sq->twin(conn, &twin, &err), &err);
    assert_non_null(twin);
    return twin;
}

static void assert_no_twin(bo_conn *conn, bo_status expected)
{
    bo_error err = {0};
    bo_conn *twin = NULL;
    assert_int_equal(sq->twin(conn, &twin, &err), expected);
    assert_null(twin);
}

static bo_status keep_number(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    (void)err;
    *(long *)ctx = strtol(values[0].data, NULL, 10);
    return BO_OK;
}

static long number(bo_conn *conn, const char *sql)
{
    bo_error err = {0};
    long out = -1;
    must(sq->query(conn, sql, NULL, 0, keep_number, &out, NULL, &err), &err);
    return out;
}

#define FIRST_BALANCE "SELECT balance FROM accounts WHERE id = 1"

static void twins_read_what_their_transaction_reads(void **state)
{
    world *w = *state;
    begin(w->conn, BO_TX_READ);
    run(w->user, "UPDATE accounts SET balance = 7 WHERE id = 1");
    for (unsigned i = 1; i < READERS; i++) {
        bo_conn *twin = twin_of(w->conn);
        assert_int_equal(number(twin, FIRST_BALANCE), 1000);
        bo_conn_free(twin);
    }
    assert_no_twin(w->conn, BO_BUSY); /* that was all of them */
    assert_int_equal(number(w->conn, FIRST_BALANCE), 1000);
    sq->rollback(w->conn);
    begin(w->conn, BO_TX_READ); /* the next transaction has its own */
    bo_conn *twin = twin_of(w->conn);
    assert_int_equal(number(twin, FIRST_BALANCE), 7);
    bo_conn_free(twin);
    sq->rollback(w->conn);
}

static void only_a_transaction_opened_for_several_readers_has_twins(void **state)
{
    world *w = *state;
    assert_no_twin(w->conn, BO_INVALID);
    bo_conn *alone = connect_to(w, (bo_connect){0});
    begin(alone, BO_TX_READ);
    assert_no_twin(alone, BO_BUSY);
    bo_conn_free(alone);
}

static void twins_nobody_took_keep_nobody_from_writing(void **state)
{
    world *w = *state;
    bo_error err = {0};
    begin(w->conn, BO_TX_READ);
    sq->rollback(w->conn);
    run(w->user, "UPDATE accounts SET balance = 8 WHERE id = 1");
    begin(w->conn, BO_TX_READ);
    must(sq->commit(w->conn, &err), &err);
    run(w->user, "UPDATE accounts SET balance = 9 WHERE id = 1");
    assert_int_equal(number(w->conn, FIRST_BALANCE), 9);
}

static void a_write_transaction_has_twins_until_it_writes(void **state)
{
    static const char *const writes[] = {
        "UPDATE accounts SET balance = balance + 1", "CREATE TABLE made (a)"};
    world *w = *state;
    bo_error err = {0};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        begin(w->conn, BO_TX_WRITE);
        bo_conn *twin = twin_of(w->conn);
        assert_int_equal(
            number(twin, "SELECT count(*) FROM accounts"), number(w->conn, "SELECT 2"));
        bo_conn_free(twin);
        run(w->conn, writes[i]);
        assert_no_twin(w->conn, BO_BUSY);
        must(sq->commit(w->conn, &err), &err); /* which the twin that was does not block */
    }
}

/* A writer that waits for our reading to end waits for us, so we must not wait for it. */
static void a_twin_does_not_wait_for_a_writer_that_waits_for_us(void **state)
{
    world *w = *state;
    bo_error err = {0};
    begin(w->conn, BO_TX_READ);
    run(w->user, "PRAGMA busy_timeout = 0; BEGIN; UPDATE accounts SET balance = 7");
    assert_int_equal(sq->commit(w->user, &err), BO_BUSY); /* from now on nobody may begin to read */
    bo_conn *twin = twin_of(w->conn);
    assert_int_equal(number(twin, FIRST_BALANCE), 1000);
    bo_conn_free(twin);
    sq->rollback(w->conn);
    must(sq->commit(w->user, &err), &err);
}

/* Puts another database in the place of the open one; `path` has its name. */
static void replace_file(world *w, const char *path)
{
    char other[96];
    bo_conn *conn = NULL;
    bo_error err = {0};
    (void)snprintf(other, sizeof other, "%s/b.db", w->folder);
    const bo_connect how = {.url = other, .create = true, .raw = true};
    must(sq->open(&how, &conn, &err), &err);
    run(conn, "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER);"
              "INSERT INTO accounts VALUES (1, 5), (2, 5)");
    bo_conn_free(conn);
    assert_int_equal(rename(other, path), 0);
}

static void a_file_that_took_the_place_of_ours_has_no_twins(void **state)
{
    world *w = *state;
    bo_error err = {0};
    begin(w->conn, BO_TX_WRITE);
    replace_file(w, w->path);
    assert_no_twin(w->conn, BO_BUSY);
    sq->rollback(w->conn);
    assert_int_equal(sq->begin(w->conn, BO_TX_READ, &err), BO_REFUSED);
}

static void a_link_that_leads_elsewhere_has_no_twins(void **state)
{
    world *w = *state;
    char link[96], other[96];
    bo_conn *conn = NULL;
    bo_error err = {0};
    (void)snprintf(link, sizeof link, "%s/link.db", w->folder);
    (void)snprintf(other, sizeof other, "%s/c.db", w->folder);
    assert_int_equal(symlink(w->path, link), 0);
    const bo_connect how = {.url = link, .readers = READERS};
    must(sq->open(&how, &conn, &err), &err);
    replace_file(w, other);
    assert_int_equal(remove(link), 0);
    assert_int_equal(symlink(other, link), 0);
    begin(conn, BO_TX_READ);
    assert_no_twin(conn, BO_BUSY);
    assert_int_equal(number(conn, FIRST_BALANCE), 1000);
    bo_conn_free(conn);
    assert_int_equal(remove(link), 0);
    assert_int_equal(remove(other), 0);
}

/* As fast as can be; with a rollback journal readers get their turn in between. */
static void transfer_for_ever(const world *w)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    const bo_connect how = {.url = w->path, .raw = true, .lock_timeout_ms = 5000};
    if (sq->open(&how, &conn, &err) != BO_OK ||
        sq->exec(conn, "PRAGMA synchronous = OFF", &err) != BO_OK)
        _exit(1);
    for (;; (void)usleep(w->wal ? 0 : 1000))
        if (sq->exec(conn,
                "BEGIN IMMEDIATE; UPDATE accounts SET balance = balance - 1 WHERE id = 1;"
                "UPDATE accounts SET balance = balance + 1 WHERE id = 2; COMMIT",
                &err) != BO_OK)
            sq->rollback(conn);
}

static void while_others_commit_twins_read_one_state(void **state)
{
    world *w = *state;
    unsigned given = 0;
    bo_conn_free(w->conn);
    bo_conn_free(w->user);
    w->conn = w->user = NULL;
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not wait for it */
        transfer_for_ever(w);
    }
    w->conn = connect_to(w, (bo_connect){.readers = READERS});
    while (number(w->conn, FIRST_BALANCE) == 1000) /* until the writer is at work */
        (void)usleep(1000);
    for (int i = 0; i < (w->wal ? 1000 : 100); i++) {
        bo_error err = {0};
        bo_conn *twin = NULL;
        begin(w->conn, BO_TX_READ);
        const long first = number(w->conn, FIRST_BALANCE);
        while (sq->twin(w->conn, &twin, &err) == BO_OK) {
            assert_int_equal(number(twin, FIRST_BALANCE), first);
            assert_int_equal(number(twin, "SELECT sum(balance) FROM accounts"), 1000);
            bo_conn_free(twin);
            given++;
        }
        sq->rollback(w->conn);
    }
    assert_int_equal(kill(writer, SIGKILL), 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    assert_true(given > (w->wal ? 1900 : 0)); /* who comes between is tried again */
}

#define TEST_WAL(name) cmocka_unit_test_setup_teardown(name, start_wal, stop)
#define TEST_BOTH(name)                                                            \
    TEST_WAL(name),                                                                \
    {                                                                              \
#name "_with_a_rollback_journal", name, start_rollback_journal, stop, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WAL(twins_read_what_their_transaction_reads),
        TEST_BOTH(only_a_transaction_opened_for_several_readers_has_twins),
        TEST_BOTH(twins_nobody_took_keep_nobody_from_writing),
        TEST_BOTH(a_write_transaction_has_twins_until_it_writes),
        {"a_file_that_took_the_place_of_ours_has_no_twins",
            a_file_that_took_the_place_of_ours_has_no_twins, start_rollback_journal, stop, NULL},
        TEST_BOTH(a_link_that_leads_elsewhere_has_no_twins),
        {"a_twin_does_not_wait_for_a_writer_that_waits_for_us",
            a_twin_does_not_wait_for_a_writer_that_waits_for_us, start_rollback_journal, stop,
            NULL},
        TEST_BOTH(while_others_commit_twins_read_one_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
