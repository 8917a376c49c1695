/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/store/test_catalog.c - opening, migrating and locking the catalog. */
#include "world.h"

#include <sys/stat.h>
#include <sys/wait.h>

static bool is_private(const char *path, mode_t mode)
{
    struct stat about;
    return stat(path, &about) == 0 && (about.st_mode & 07777) == mode;
}

static void a_new_catalog_is_private(void **state)
{
    world *w = *state;
    if (world_is_postgres())
        skip();
    char path[128];
    (void)snprintf(path, sizeof path, "%s/state", w->folder);
    assert_true(is_private(path, 0700));
    assert_true(is_private(w->path, 0600));
    (void)snprintf(path, sizeof path, "%s-wal", w->path);
    assert_true(is_private(path, 0600));
}

static bo_status keep_value(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    (void)err;
    (void)snprintf(ctx, 32, "%.*s", (int)values[0].size, values[0].data);
    return BO_OK;
}

/* What was recorded is on disk before anything is done. */
static void a_commit_waits_for_the_disk(void **state)
{
    world *w = *state;
    bo_conn *conn = bo_catalog_conn(w->catalog);
    char value[32] = "";
    const char *sql = world_is_postgres() ? "SHOW synchronous_commit" : "PRAGMA synchronous";
    assert_int_equal(conn->driver->query(conn, sql, NULL, 0, keep_value, value, NULL, NULL), BO_OK);
    assert_string_equal(value, world_is_postgres() ? "on" : "2"); /* FULL */
}

static void a_catalog_that_others_may_write_to_is_refused(void **state)
{
    world *w = *state;
    if (world_is_postgres())
        skip();
    bo_catalog *again = NULL;
    bo_error err = {0};
    assert_int_equal(chmod(w->path, 0660), 0);
    assert_int_equal(bo_catalog_open(w->url, NULL, 0, &again, &err), BO_DENIED);
    assert_non_null(strstr(err.text, "chmod 600"));
    assert_int_equal(chmod(w->path, 0600), 0);

    char folder[128];
    (void)snprintf(folder, sizeof folder, "%s/state", w->folder);
    assert_int_equal(chmod(folder, 0770), 0);
    assert_int_equal(bo_catalog_open(w->url, NULL, 0, &again, &err), BO_DENIED);
    assert_null(again);
}

/* Who may make something in the schema makes nothing run by who opens it. */
static void functions_of_others_in_the_schema_are_not_called(void **state)
{
    world *w = *state;
    if (!world_is_postgres())
        skip();
    world_sql(w, "CREATE FUNCTION backout_catalog.current_setting(text) RETURNS text"
                 " LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;"
                 "CREATE FUNCTION backout_catalog.pg_advisory_xact_lock(bigint) RETURNS void"
                 " LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called'; END $$");
    BO_OWN(bo_catalog) *again = world_open(w);
    bo_error err = {0};
    assert_int_equal(bo_audit_append(again, "a", "b", "c", "done", NULL, &err), BO_OK);
}

static void a_catalog_of_a_later_version_is_refused_and_left_alone(void **state)
{
    world *w = *state;
    world_sql(w, "UPDATE backout_meta SET value = '99' WHERE key = 'schema_version'");
    bo_catalog *again = NULL;
    bo_error err = {0};
    assert_int_equal(bo_catalog_open(w->url, NULL, 0, &again, &err), BO_UNSUPPORTED);
    assert_non_null(strstr(err.text, "later version"));
    assert_null(again);
}

static void an_opened_catalog_is_opened_again_with_what_it_has(void **state)
{
    world *w = *state;
    char run[64];
    assert_int_equal(bo_catalog_run_begin(w->catalog, "prune", NULL, "a", run, NULL), BO_OK);
    bo_catalog_free(w->catalog);
    w->catalog = world_open(w);
    bo_run_record *runs = NULL;
    size_t count = 0;
    assert_int_equal(bo_catalog_runs(w->catalog, NULL, 0, w->arena, &runs, &count, NULL), BO_OK);
    assert_int_equal(count, 1);
    assert_string_equal(runs[0].id, run);
}

/* Another catalog that is not there yet. */
static void world_renew(world *w, int round)
{
    if (world_is_postgres())
        world_sql(w, "DROP SCHEMA backout_catalog CASCADE");
    else
        (void)snprintf(w->url, sizeof w->url, "sqlite:%s/state/new-%d.db", w->folder, round);
    world_close(w);
}

static void many_processes_can_make_the_catalog_at_once(void **state)
{
    world *w = *state;
    enum { ROUNDS = 10, PROCESSES = 4 };
    for (int round = 0; round < ROUNDS; round++) {
        pid_t children[PROCESSES];
        int start[2];
        assert_int_equal(pipe(start), 0);
        world_renew(w, round);
        for (int i = 0; i < PROCESSES; i++) {
            (void)fflush(NULL);
            children[i] = fork();
            if (children[i] == 0) {
                char byte;
                bo_catalog *own = NULL;
                bo_error err = {0};
                (void)close(start[1]);
                (void)!read(start[0], &byte, 1); /* all go when the pipe is closed */
                bo_status st = bo_catalog_open(w->url, NULL, 0, &own, &err);
                if (st == BO_OK)
                    st = bo_audit_append(own, "test", "a", "b", "done", NULL, &err);
                if (st != BO_OK)
                    (void)fprintf(stderr, "%s\n", err.text);
                bo_catalog_free(own);
                _exit(st != BO_OK);
            }
        }
        (void)close(start[0]);
        (void)close(start[1]);
        for (int i = 0; i < PROCESSES; i++) {
            int status = 1;
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_int_equal(status, 0);
        }
        w->catalog = world_open(w);
        bo_audit_check check;
        assert_int_equal(bo_audit_verify(w->catalog, &check, NULL), BO_OK);
        assert_true(check.whole);
        assert_int_equal(check.records, PROCESSES);
    }
}

static uint64_t audit_count(world *w)
{
    bo_audit_record *records = NULL;
    size_t count = 0;
    assert_int_equal(bo_audit_list(w->catalog, 0, w->arena, &records, &count, NULL), BO_OK);
    return count;
}

static void a_transaction_around_several_calls_is_all_or_nothing(void **state)
{
    world *w = *state;
    bo_error err = {0};
    assert_int_equal(bo_catalog_begin(w->catalog, &err), BO_OK);
    assert_int_equal(bo_audit_append(w->catalog, "a", "b", "c", "done", NULL, &err), BO_OK);
    assert_int_equal(bo_catalog_end(w->catalog, false, &err), BO_OK);
    assert_int_equal(audit_count(w), 0);

    assert_int_equal(bo_catalog_begin(w->catalog, &err), BO_OK);
    assert_int_equal(bo_audit_append(w->catalog, "a", "b", "c", "done", NULL, &err), BO_OK);
    assert_int_equal(bo_audit_append(w->catalog, "a", "b", "d", "done", NULL, &err), BO_OK);
    assert_int_equal(bo_catalog_end(w->catalog, true, &err), BO_OK);
    assert_int_equal(audit_count(w), 2);
}

static void an_inner_transaction_that_is_given_up_takes_the_outer_with_it(void **state)
{
    world *w = *state;
    bo_error err = {0};
    assert_int_equal(bo_catalog_begin(w->catalog, &err), BO_OK);
    assert_int_equal(bo_audit_append(w->catalog, "a", "b", "c", "done", NULL, &err), BO_OK);
    assert_int_equal(bo_catalog_begin(w->catalog, &err), BO_OK);
    assert_int_equal(bo_catalog_end(w->catalog, false, &err), BO_OK);
    assert_int_equal(bo_catalog_end(w->catalog, true, &err), BO_FAILED);
    assert_int_equal(audit_count(w), 0);
    assert_int_equal(bo_audit_append(w->catalog, "a", "b", "c", "done", NULL, &err), BO_OK);
}

static void a_locked_catalog_is_busy_and_says_who_is_at_work(void **state)
{
    world *w = *state;
    char run[64];
    bo_error err = {0};
    assert_int_equal(bo_catalog_run_begin(w->catalog, "rollback", "rb_a", "a", run, &err), BO_OK);
    assert_int_equal(bo_catalog_run_step(w->catalog, run, "applying", NULL, NULL, &err), BO_OK);
    BO_OWN(bo_catalog) *other = world_open_waiting(w, 50);

    assert_int_equal(bo_catalog_begin(w->catalog, &err), BO_OK);
    assert_int_equal(bo_audit_append(other, "a", "b", "c", "done", NULL, &err), BO_BUSY);
    assert_non_null(strstr(err.text, run));
    assert_non_null(strstr(err.text, "(rollback) is at step 'applying', process"));
    assert_int_equal(bo_catalog_end(w->catalog, true, &err), BO_OK);
    assert_int_equal(bo_audit_append(other, "a", "b", "c", "done", NULL, &err), BO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_new_catalog_is_private),
        WORLD_TEST(a_commit_waits_for_the_disk),
        WORLD_TEST(a_catalog_that_others_may_write_to_is_refused),
        WORLD_TEST(functions_of_others_in_the_schema_are_not_called),
        WORLD_TEST(a_catalog_of_a_later_version_is_refused_and_left_alone),
        WORLD_TEST(an_opened_catalog_is_opened_again_with_what_it_has),
        WORLD_TEST(many_processes_can_make_the_catalog_at_once),
        WORLD_TEST(a_transaction_around_several_calls_is_all_or_nothing),
        WORLD_TEST(an_inner_transaction_that_is_given_up_takes_the_outer_with_it),
        WORLD_TEST(a_locked_catalog_is_busy_and_says_who_is_at_work),
    };
    return WORLD_RUN(tests);
}
