/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/change/test_threads.c - two threads of one process, each with a session of its own, at
 * work at the same time: on a catalog each, and on the same catalog, repository and database.
 * tools/check-threads runs it under ThreadSanitizer.
 */
#include "world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "backout/audit.h"
#include "backout/run.h"

enum { THREADS = 2, ROUNDS = 3, TRIES = 200 };

typedef struct worker {
    const world *w;
    bo_settings settings;
    atomic_int *ready;
    unsigned number;
    const char *table; /* nobody else's */
    char catalog[160], repository[160];
    atomic_ulong told; /* calls of progress and warn */
    bo_status status;
    bo_error err;
} worker;

static void count_progress(void *ctx, const bo_progress *progress)
{
    worker *me = ctx;
    me->told += progress->operation[0] != '\0';
}

static void count_warning(void *ctx, const char *text)
{
    worker *me = ctx;
    me->told += text[0] != '\0';
}

/* Writers of one SQLite file wait for each other, and so do those who end captures. */
static bool again(bo_status st, unsigned *tries)
{
    return (st == BO_BUSY || st == BO_CONFLICT) && ++*tries < TRIES;
}

/* Point, change, seal and rollback, by a run that fails. */
static bo_status fail_a_run(worker *me, bo_session *session, bo_method method, bo_error *err)
{
    const bo_scope_item scope[] = {{me->table, NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 1, .migration = "thread", .method = method};
    char sql[200];
    bo_run *run = NULL;
    bo_rollback *undone = NULL;
    unsigned tries = 0;
    bo_status st = bo_run_begin(session, &me->w->database, &options, &run, err);
    while (again(st, &tries))
        st = bo_run_begin(session, &me->w->database, &options, &run, err);
    if (st != BO_OK)
        return st;
    bo_run_trust_mark(run);
    (void)snprintf(sql, sizeof sql,
        "UPDATE %s SET name = 'changed'; DELETE FROM %s WHERE id = 2; INSERT INTO %s VALUES (9, "
        "'new')",
        me->table, me->table, me->table);
    st = bo_sql_execute(&me->w->database, bo_run_id(run), sql, strlen(sql), true, true, err);
    if (st == BO_OK)
        st = bo_run_fail(run, "it is to fail", &undone, err);
    bo_rollback_free(undone);
    bo_run_free(run);
    return st;
}

static bo_status look(worker *me, bo_session *session, bo_error *err)
{
    bo_point_list *points = NULL;
    bo_check *check = NULL;
    bo_audit_result audit = {0};
    const bo_point_query query = {.table = me->table};
    bo_status st = bo_point_find(session, &query, &points, err);
    if (st == BO_OK && bo_point_list_count(points) == 0)
        st = bo_fail(err, BO_NOTFOUND, "no point of table %s", me->table);
    const char *id = st == BO_OK ? bo_point_list_get(points, 0)->id : NULL;
    if (st == BO_OK)
        st = bo_check_stored(session, &me->w->database, id, true, &check, err);
    if (st == BO_OK)
        st = bo_audit_check_chain(session, NULL, &audit, err);
    bo_check_free(check);
    bo_point_list_free(points);
    return st;
}

static bo_status work(worker *me, bo_session *session, bo_error *err)
{
    bo_status st = BO_OK;
    for (unsigned round = 0; st == BO_OK && round < ROUNDS; round++) {
        bo_prune *pruned = NULL;
        st = fail_a_run(me, session, round % 2 ? BO_METHOD_CAPTURE : BO_METHOD_SNAPSHOT, err);
        if (st == BO_OK)
            st = look(me, session, err);
        const bo_prune_options options = {.keep_last = 1, .table = me->table};
        if (st == BO_OK)
            st = bo_prune_points(session, &options, &pruned, err);
        bo_prune_free(pruned);
    }
    return st;
}

/* Opening a session is at the same moment, too. */
static void *live(void *ctx)
{
    worker *me = ctx;
    bo_session *session = NULL;
    atomic_fetch_add(me->ready, 1);
    while (atomic_load(me->ready) < THREADS)
        (void)usleep(100);
    me->status = bo_session_open(&me->settings, &session, &me->err);
    if (me->status == BO_OK)
        me->status = work(me, session, &me->err);
    bo_session_free(session);
    return NULL;
}

static void hire(world *w, worker *me, atomic_int *ready, unsigned number, bool shared)
{
    static const char *const tables[THREADS] = {"apples", "pears"};
    *me = (worker){.w = w, .ready = ready, .number = number, .table = tables[number]};
    me->settings = w->settings;
    me->settings.ctx = me;
    me->settings.progress = count_progress;
    me->settings.warn = count_warning;
    if (shared)
        return;
    (void)snprintf(
        me->catalog, sizeof me->catalog, "sqlite:%s/own-%u/catalog.db", w->folder, number);
    (void)snprintf(
        me->repository, sizeof me->repository, "%s/own-%u/repository", w->folder, number);
    me->settings.catalog_url = me->catalog;
    me->settings.repository = me->repository;
}

static void threads_work_side_by_side(world *w, bool shared)
{
    worker workers[THREADS];
    pthread_t threads[THREADS];
    atomic_int ready = 0;
    for (unsigned i = 0; i < THREADS; i++)
        hire(w, &workers[i], &ready, i, shared);
    for (unsigned i = 0; i < THREADS; i++) {
        char sql[200];
        (void)snprintf(sql, sizeof sql,
            "CREATE TABLE %s (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL);"
            "INSERT INTO %s VALUES (1, 'one'), (2, 'two')",
            workers[i].table, workers[i].table);
        world_sql(w, sql);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, live, &workers[i]), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        char sql[200];
        world_ok(workers[i].status, &workers[i].err);
        (void)snprintf(sql, sizeof sql,
            "SELECT count(*) FROM %s WHERE id = 1 AND name = 'one' OR id = 2 AND name = 'two'",
            workers[i].table);
        assert_string_equal(world_value(w, sql), "2");
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", workers[i].table);
        assert_string_equal(world_value(w, sql), "2");
    }
}

static void two_threads_work_on_one_catalog(void **state)
{
    threads_work_side_by_side(world_or_skip(state), true);
}

static void two_threads_work_on_a_catalog_each(void **state)
{
    threads_work_side_by_side(world_or_skip(state), false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(two_threads_work_on_one_catalog),
        WORLD_TEST(two_threads_work_on_a_catalog_each),
        WORLD_TEST_POSTGRES(two_threads_work_on_one_catalog),
        WORLD_TEST_POSTGRES(two_threads_work_on_a_catalog_each),
        WORLD_TEST_MARIADB(two_threads_work_on_one_catalog),
        WORLD_TEST_MARIADB(two_threads_work_on_a_catalog_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
