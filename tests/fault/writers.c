/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/writers.c - a bank with writers that never pause, and changes beside them. */
#include "fault/writers.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backout/run.h"

enum { ACCOUNTS = 300, RETRIES = 50 };

typedef struct writer {
    pid_t process;
    volatile bool stop;
    unsigned long committed, again;
    char failed[sizeof((bo_error *)0)->text];
} writer;

struct writers {
    writer each[WRITERS]; /* shared memory */
};

/* ---- the bank ---- */

static void add_rows(world *w, const char *table, const char *more, int first, int count)
{
    char sql[100];
    for (int i = 0; i < count; i++) {
        (void)snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (%d, %s)", table, first + i, more);
        world_sql(w, sql);
    }
}

void bank_make(world *w)
{
    char writer_number[16];
    world_sql(w,
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL, flag INTEGER);"
        "CREATE TABLE history (account INTEGER, writer INTEGER, moves INTEGER NOT NULL,"
        " delta INTEGER NOT NULL, PRIMARY KEY (account, writer));"
        "BEGIN");
    add_rows(w, "accounts", "1000, 0", 1, ACCOUNTS);
    add_rows(w, "accounts", "1000, 0", 50000, BANK_ROUNDS);
    for (int i = 0; i < WRITERS; i++) {
        (void)snprintf(writer_number, sizeof writer_number, "%d, 0, 0", i);
        add_rows(w, "history", writer_number, 1, ACCOUNTS);
    }
    world_sql(w, "COMMIT");
}

void bank_check(world *w, int round)
{
    const char *wrong = world_value(w,
        "SELECT count(*) FROM (SELECT a.id FROM accounts a LEFT JOIN history h ON h.account = a.id"
        " GROUP BY a.id, a.balance HAVING a.balance <> 1000 + COALESCE(sum(h.delta), 0)) x");
    if (strcmp(wrong, "0") != 0)
        fail_msg("round %d: %s accounts are not what their history says", round, wrong);
}

/* ---- who writes ---- */

static unsigned next(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* What is moved from one account to the other; each writer keeps its own part of the history. */
static bo_status move(bo_conn *conn, unsigned writer_number, unsigned *seed, bo_error *err)
{
    static const char form[] =
        "UPDATE accounts SET balance = balance %c %u WHERE id = %u;"
        "UPDATE history SET moves = moves + 1, delta = delta %c %u WHERE account = %u"
        " AND writer = %u;";
    const unsigned from = 1 + next(seed, ACCOUNTS), to = 1 + next(seed, ACCOUNTS);
    const unsigned amount = 1 + next(seed, 9);
    char sql[600];
    const int size =
        snprintf(sql, sizeof sql, form, '-', amount, from, '-', amount, from, writer_number);
    (void)snprintf(sql + size, sizeof sql - (size_t)size, form, '+', amount, to, '+', amount, to,
        writer_number);
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

/* A deadlock, as every application meets, is tried again. */
static void write_on(writer *self, const char *url, unsigned number)
{
    bo_error err = {0};
    unsigned seed = number + 1;
    BO_OWN(bo_conn) *conn = NULL;
    const bo_connect how = {.url = url, .raw = true, .application_name = "writer"};
    bo_status st = bo_driver_open(&how, &conn, &err);
    while (!self->stop && (st == BO_OK || st == BO_BUSY || st == BO_CONFLICT)) {
        st = move(conn, number, &seed, &err);
        self->committed += st == BO_OK;
        self->again += st == BO_BUSY || st == BO_CONFLICT;
    }
    if (!self->stop)
        (void)snprintf(self->failed, sizeof self->failed, "%s", err.text);
}

writers *writers_start(world *w)
{
    writers *self =
        mmap(NULL, sizeof *self, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(self, MAP_FAILED);
    world_close(w);
    for (unsigned i = 0; i < WRITERS; i++) {
        (void)fflush(NULL);
        const pid_t process = fork();
        assert_int_not_equal(process, -1);
        if (process == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that is killed leaves nobody */
            write_on(&self->each[i], w->url, i);
            _exit(0);
        }
        self->each[i].process = process;
    }
    world_reopen(w);
    return self;
}

void writers_stop(writers *self, world *w)
{
    unsigned long committed = 0;
    char written[32];
    for (unsigned i = 0; i < WRITERS; i++)
        self->each[i].stop = true;
    for (unsigned i = 0; i < WRITERS; i++) {
        writer *one = &self->each[i];
        assert_int_equal(waitpid(one->process, NULL, 0), one->process);
        assert_string_equal(one->failed, "");
        assert_true(one->committed > 0);
        print_message(
            "# writer %u: %lu transactions, %lu tried again\n", i + 1, one->committed, one->again);
        committed += one->committed;
    }
    (void)snprintf(written, sizeof written, "%lu", 2 * committed);
    assert_string_equal(world_value(w, "SELECT sum(moves) FROM history"), written);
    assert_int_equal(munmap(self, sizeof *self), 0);
}

/* ---- changes beside them ---- */

static bool worth_another_try(bo_status st)
{
    return st == BO_BUSY || st == BO_CONFLICT;
}

const char *bank_change(world *w, int round, bo_method method)
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
    world_ok(bo_run_end(run, NULL, &err), &err);
    bo_run_free(run);
    return id;
}

void bank_undo(world *w, const char *id, const char *run, bool by_column)
{
    const bo_rollback_options options = {.type = BO_ROLLBACK_PARTIAL,
        .on_conflict = BO_ON_CONFLICT_SKIP,
        .by_column = by_column,
        .run = run};
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

void bank_release(world *w, const char *id)
{
    bo_error err = {0};
    bo_point_list *list = NULL;
    bo_status st = BO_BUSY;
    for (int i = 0; i < RETRIES && worth_another_try(st); i++)
        st = bo_point_release(w->session, &w->database, id, false, &list, &err);
    world_ok(st, &err);
    bo_point_list_free(list);
}
