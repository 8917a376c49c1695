/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fault/test_writers.c - two writers that never pause, while points are taken, changes run
 * and are rolled back in part.
 *
 * What the writers keep up themselves: the balance of an account is what it began with and all that
 * the history says was moved, in every snapshot.  A write that is lost or done twice breaks it.
 */
#include <pthread.h>
#include <unistd.h>

#include "backout/run.h"
#include "fault/scene.h"

enum { ROUNDS = 200, ACCOUNTS = 300, BEGAN_WITH = 1000, RETRIES = 50, CHECK_EVERY = 20 };

typedef struct writer {
    pthread_t thread;
    const char *url;
    unsigned seed;
    volatile bool *stop;
    unsigned long committed, again;
} writer;

static unsigned next(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static bo_status move(bo_conn *conn, unsigned from, unsigned to, unsigned amount, bo_error *err)
{
    char sql[600];
    (void)snprintf(sql, sizeof sql,
        "UPDATE accounts SET balance = balance - %u WHERE id = %u;"
        "INSERT INTO history (account, delta) VALUES (%u, -%u);"
        "UPDATE accounts SET balance = balance + %u WHERE id = %u;"
        "INSERT INTO history (account, delta) VALUES (%u, %u)",
        amount, from, from, amount, amount, to, to, amount);
    const bo_driver *driver = conn->driver;
    bo_status st = driver->begin(conn, BO_TX_PLAIN, err);
    if (st == BO_OK)
        st = driver->exec(conn, sql, err);
    if (st == BO_OK)
        st = driver->commit(conn, err);
    if (st != BO_OK)
        driver->rollback(conn);
    return st;
}

static void *write_on(void *ctx)
{
    writer *w = ctx;
    bo_error err = {0};
    BO_OWN(bo_conn) *conn = NULL;
    const bo_connect how = {.url = w->url, .raw = true, .application_name = "writer"};
    if (bo_driver_open(&how, &conn, &err) != BO_OK)
        return "no connection";
    while (!*w->stop) {
        unsigned from = 1 + next(&w->seed, ACCOUNTS), to = 1 + next(&w->seed, ACCOUNTS);
        bo_status st = move(conn, from, to, 1 + next(&w->seed, 9), &err);
        w->committed += st == BO_OK;
        w->again += st == BO_BUSY || st == BO_CONFLICT; /* a deadlock, as every application meets */
        if (st != BO_OK && st != BO_BUSY && st != BO_CONFLICT) {
            print_message("# writer: %s\n", err.text);
            return "a writer failed";
        }
    }
    return NULL;
}

static void check_books(world *w, int round)
{
    const char *wrong = world_value(w,
        "SELECT count(*) FROM (SELECT a.id FROM accounts a LEFT JOIN history h ON h.account = a.id"
        " GROUP BY a.id, a.balance HAVING a.balance <> 1000 + COALESCE(sum(h.delta), 0)) x");
    if (strcmp(wrong, "0") != 0)
        fail_msg("round %d: %s accounts are not what their history says", round, wrong);
}

static bool worth_another_try(bo_status st)
{
    return st == BO_BUSY || st == BO_CONFLICT;
}

/* Point, change and seal of one round; the id of the point. */
static const char *change(world *w, int round, bo_method method)
{
    const bo_scope_item scope[] = {{"accounts", NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 1, .migration = "round", .method = method};
    char sql[400];
    (void)snprintf(sql, sizeof sql,
        "UPDATE accounts SET flag = %d WHERE id %% 10 = %d;"
        "INSERT INTO accounts VALUES (%d, 1000, %d); DELETE FROM accounts WHERE id = %d",
        round, round % 10, 100000 + round, round, 50000 + round);
    bo_error err = {0};
    bo_run *run = NULL;
    bo_status st = BO_BUSY;
    for (int i = 0; i < RETRIES && worth_another_try(st); i++)
        st = bo_run_begin(w->session, &w->database, &options, &run, &err);
    world_ok(st, &err);
    st = BO_BUSY;
    for (int i = 0; i < RETRIES && worth_another_try(st); i++)
        st = bo_sql_execute(&w->database, bo_run_id(run), sql, strlen(sql), true, true, &err);
    world_ok(st, &err);
    const char *id = bo_arena_str(w->arena, bo_run_point_id(run));
    st = BO_BUSY;
    world_ok(bo_run_end(run, NULL, &err), &err);
    bo_run_free(run);
    return id;
}

static void roll_back(world *w, const char *id, bool by_column)
{
    const bo_rollback_options options = {
        .type = BO_ROLLBACK_PARTIAL, .on_conflict = BO_ON_CONFLICT_SKIP, .by_column = by_column};
    bo_error err = {0};
    bo_status st = BO_BUSY;
    for (int i = 0; i < RETRIES && worth_another_try(st); i++) {
        bo_rollback *done = NULL;
        st = bo_rollback_execute(w->session, &w->database, id, &options, &done, &err);
        bo_rollback_free(done);
    }
    if (st != BO_MISMATCH) /* rows that the writers wrote since were skipped */
        world_ok(st, &err);
}

static void release(world *w, const char *id)
{
    bo_error err = {0};
    bo_point_list *list = NULL;
    bo_status st = BO_BUSY;
    for (int i = 0; i < RETRIES && worth_another_try(st); i++)
        st = bo_point_release(w->session, &w->database, id, false, &list, &err);
    world_ok(st, &err);
    bo_point_list_free(list);
}

static void check_round(world *w, int round, bool by_column)
{
    char sql[300];
    (void)snprintf(sql, sizeof sql,
        "SELECT (SELECT count(*) FROM accounts WHERE id = %d) + (SELECT count(*) FROM accounts"
        " WHERE id = %d)",
        100000 + round, 50000 + round);
    assert_string_equal(world_value(w, sql), "1"); /* the added one is gone, the deleted one back */
    if (!by_column)
        return;
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM accounts WHERE flag = %d", round);
    assert_string_equal(world_value(w, sql), "0");
}

static void make_bank(world *w)
{
    world_sql(w,
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL, flag INTEGER)");
    world_sql(w, "CREATE TABLE history (account INTEGER NOT NULL, delta INTEGER NOT NULL)");
    char sql[100];
    world_sql(w, "BEGIN");
    for (int i = 1; i <= ACCOUNTS; i++) {
        (void)snprintf(sql, sizeof sql, "INSERT INTO accounts VALUES (%d, %d, 0)", i, BEGAN_WITH);
        world_sql(w, sql);
    }
    for (int i = 0; i <= ROUNDS; i++) {
        (void)snprintf(
            sql, sizeof sql, "INSERT INTO accounts VALUES (%d, %d, 0)", 50000 + i, BEGAN_WITH);
        world_sql(w, sql);
    }
    world_sql(w, "COMMIT");
}

static void no_write_is_lost_or_doubled_beside_writers_that_never_pause(void **state)
{
    world *w = world_or_skip(state);
    make_bank(w);
    volatile bool stop = false;
    writer writers[2] = {
        {.url = w->url, .seed = 1, .stop = &stop}, {.url = w->url, .seed = 2, .stop = &stop}};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    const char *held = NULL; /* released a round later, so that points overlap */
    for (int round = 1; round <= ROUNDS; round++) {
        bool by_column = round % 2;
        const char *id = change(w, round, round % 3 == 0 ? BO_METHOD_BOTH : BO_METHOD_CAPTURE);
        (void)usleep(5000); /* the writers write over some of it */
        roll_back(w, id, by_column);
        check_round(w, round, by_column);
        if (held)
            release(w, held);
        held = id;
        if (round % CHECK_EVERY == 0)
            check_books(w, round);
    }
    release(w, held);
    stop = true;
    for (size_t i = 0; i < 2; i++) {
        void *why = NULL;
        assert_int_equal(pthread_join(writers[i].thread, &why), 0);
        assert_null(why);
        assert_true(writers[i].committed > ROUNDS);
        print_message("# writer %zu: %lu transactions, %lu tried again\n", i + 1,
            writers[i].committed, writers[i].again);
    }
    check_books(w, ROUNDS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(
            no_write_is_lost_or_doubled_beside_writers_that_never_pause, world_set_up_postgres,
            world_tear_down, NULL),
    };
    (void)argc;
    (void)argv;
    return cmocka_run_group_tests_name("writers", tests, NULL, NULL);
}
