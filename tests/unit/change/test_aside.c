/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_aside.c - a big table that is gone is restored out of sight (PostgreSQL).
 */
#include "world.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/step.h"

#define BIG                                                                        \
    "CREATE TABLE big (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY," \
    " parent int REFERENCES big, v text NOT NULL DEFAULT 'x' UNIQUE);"             \
    "INSERT INTO big (parent, v) SELECT CASE WHEN i > 1 THEN 1 END, 'v' || i"      \
    " FROM generate_series(1, 250000) i"
#define SUM "SELECT md5(string_agg(md5(b::text), '' ORDER BY id)) FROM big b"
#define HIDDEN                                                                    \
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace" \
    " WHERE nspname = 'backout'"

/* Everything of the table that the catalog shows of it. */
#define SHAPE                                                                                      \
    "SELECT string_agg(x, ' ' ORDER BY x) FROM (SELECT pg_get_constraintdef(oid) x FROM "          \
    "pg_constraint WHERE conrelid = 'public.big'::regclass UNION ALL SELECT attname || "           \
    "format_type(atttypid, atttypmod) || attidentity::text || attnotnull FROM pg_attribute WHERE " \
    "attrelid = 'public.big'::regclass AND attnum > 0 UNION ALL SELECT "                           \
    "pg_get_serial_sequence('public.big', c) FROM unnest(ARRAY['id', 'n']) c) y"

static const char *keep(world *w, const char *sql)
{
    return bo_arena_str(w->arena, world_value(w, sql));
}

static bo_status restore(world *w, const char *id, bo_rollback **out, bo_error *err)
{
    return bo_restore(w->session, &w->database, id, NULL, 0, false, out, err);
}

static void assert_as_it_was(world *w, const char *sum, const char *shape)
{
    assert_string_equal(world_value(w, SUM), sum);
    assert_string_equal(world_value(w, SHAPE), shape);
    assert_string_equal(world_value(w, HIDDEN), "0");
}

static void a_big_table_comes_back_as_it_was(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    world_sql(w, BIG);
    const char *sum = keep(w, SUM), *shape = keep(w, SHAPE), *id = world_point(w, "big");
    world_sql(w, "DROP TABLE big");
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    world_ok(restore(w, id, &rollback, &err), &err);
    assert_int_equal(rollback->inserted, 250000);
    assert_string_equal(rollback->proof, "match");
    bo_rollback_free(rollback);
    assert_as_it_was(w, sum, shape);
    world_sql(w, "INSERT INTO big (v) VALUES ('one more')"); /* its sequences go on */
    assert_string_equal(
        world_value(w, "SELECT max(id) || ',' || max(n) FROM big"), "250001,250001");
}

static const char *deadly;
static void die_at(const char *step)
{
    if (strcmp(step, deadly) == 0)
        (void)raise(SIGKILL);
}

static void restore_killed_at(world *w, const char *id, const char *step)
{
    world_close(w);
    pid_t pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        bo_rollback *rollback = NULL;
        deadly = step;
        bo_step_hook = die_at;
        if (bo_session_open(&w->settings, &w->session, NULL) == BO_OK)
            (void)!restore(w, id, &rollback, NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    world_reopen(w);
}

static void what_a_kill_leaves_aside_is_unseen_and_goes(void **state)
{
    static const char *const steps[] = {"restore.aside-made", "restore.aside-filled", "proving"};
    world *w = world_or_skip(state);
    if (!w)
        return;
    world_sql(w, BIG);
    const char *sum = keep(w, SUM), *shape = keep(w, SHAPE), *id = world_point(w, "big");
    world_sql(w, "DROP TABLE big");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        restore_killed_at(w, id, steps[i]);
        assert_string_equal(world_value(w, "SELECT to_regclass('public.big')"), "");
    }
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    world_ok(restore(w, id, &rollback, &err), &err);
    bo_rollback_free(rollback);
    assert_as_it_was(w, sum, shape);
}

static void a_name_that_is_taken_meanwhile_is_a_conflict(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    world_sql(w, BIG);
    const char *id = world_point(w, "big");
    world_sql(w, "DROP TABLE big; CREATE VIEW big AS SELECT 1 AS id");
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    assert_int_not_equal(restore(w, id, &rollback, &err), BO_OK);
    assert_string_equal(world_value(w, "SELECT count(*) FROM big"), "1");
    assert_string_equal(world_value(w, HIDDEN), "0");
}

static world *meanwhile;
static void use_the_sequence(const char *step)
{
    if (strcmp(step, "restore.aside-filled") == 0)
        assert_string_equal(world_value(meanwhile, "SELECT nextval('shared')"), "210001");
}

#define OWNERS                                                                              \
    "SELECT count(*) FROM pg_depend d WHERE d.objid = 'public.shared'::regclass AND"        \
    " d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND deptype" \
    " IN ('a', 'i')"

/* Others go on to use it, and it is nobody's afterwards, as before. */
static void a_sequence_that_is_not_the_tables_own_stays_where_it_is(void **state)
{
    world *w = meanwhile = world_or_skip(state);
    if (!w)
        return;
    world_sql(w, "CREATE SEQUENCE shared; CREATE TABLE big (id int DEFAULT nextval('shared'));"
                 "CREATE TABLE other (id int DEFAULT nextval('shared'));"
                 "INSERT INTO big SELECT nextval('shared') FROM generate_series(1, 210000)");
    const char *id = world_point(w, "big");
    for (int gone = 0; gone < 2; gone++) {
        world_sql(w, gone ? "DROP TABLE big, other; DROP SEQUENCE shared" : "DROP TABLE big");
        bo_error err = {0};
        bo_rollback *rollback = NULL;
        bo_step_hook = gone ? NULL : use_the_sequence;
        world_ok(restore(w, id, &rollback, &err), &err);
        bo_step_hook = NULL;
        assert_int_equal(rollback->inserted, 210000);
        bo_rollback_free(rollback);
        assert_string_equal(world_value(w, OWNERS), "0");
        assert_string_equal(world_value(w, HIDDEN), "0");
    }
}

/* In our schema there are tables, too. */
static void a_table_that_is_called_like_one_of_ours_comes_back(void **state)
{
    world *w = world_or_skip(state);
    if (!w)
        return;
    const bo_scope_item scope = {"orders", NULL};
    const bo_point_options options = {
        .scope = &scope, .scope_count = 1, .migration = "test", .method = BO_METHOD_CAPTURE};
    world_sql(w, "CREATE TABLE capture AS SELECT i FROM generate_series(1, 210000) i");
    const char *id = world_point(w, "capture");
    (void)world_point_as(w, &options);
    world_sql(w, "DROP TABLE capture");
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    world_ok(restore(w, id, &rollback, &err), &err);
    bo_rollback_free(rollback);
    assert_string_equal(world_value(w, "SELECT count(*) FROM public.capture"), "210000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST_POSTGRES(a_big_table_comes_back_as_it_was),
        WORLD_TEST_POSTGRES(what_a_kill_leaves_aside_is_unseen_and_goes),
        WORLD_TEST_POSTGRES(a_name_that_is_taken_meanwhile_is_a_conflict),
        WORLD_TEST_POSTGRES(a_sequence_that_is_not_the_tables_own_stays_where_it_is),
        WORLD_TEST_POSTGRES(a_table_that_is_called_like_one_of_ours_comes_back),
    };
    return cmocka_run_group_tests_name("aside", tests, NULL, NULL);
}
