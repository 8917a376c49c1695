/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/cli/test_child.c - the command of `run`: how it ends, what it finds. */
#include "cli/child.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/unit.h"

static void alive(void *ctx)
{
    (void)ctx;
}

static bo_status run_as(const char *script, const char *url, bool marked, bo_error *err)
{
    char *command[] = {"/bin/sh", "-c", (char *)script, NULL};
    bo_database database = {.url = url};
    static const cli_option_file none = {0};
    cli_child child = {
        .command = command,
        .database = &database,
        .options = &none,
        .shown = url,
        .run_id = "run_1",
        .point_id = "rb_1",
        .marked = marked,
        .alive = alive,
    };
    memset(err, 0, sizeof *err);
    return cli_child_run(&child, err);
}

static bo_status run(const char *script, const char *url, bo_error *err)
{
    return run_as(script, url, true, err);
}

static void the_exit_code_decides(void **state)
{
    (void)state;
    bo_error err;
    assert_int_equal(run("exit 0", "sqlite:/x", &err), BO_OK);
    assert_int_equal(run("exit 7", "sqlite:/x", &err), BO_FAILED);
    assert_string_equal(err.text, "'/bin/sh' ended with exit code 7");
    assert_int_equal(run("kill -KILL $$", "sqlite:/x", &err), BO_FAILED);
    assert_string_equal(err.text, "'/bin/sh' was killed by signal 9 (Killed)");
    assert_int_equal(run("kill -INT $$", "sqlite:/x", &err), BO_INTERRUPTED);
}

static void a_missing_program_is_named(void **state)
{
    (void)state;
    bo_error err = {0};
    char *command[] = {"/nowhere/at-all", NULL};
    bo_database database = {.url = "sqlite:/x"};
    cli_child child = {.command = command,
        .database = &database,
        .shown = "x",
        .run_id = "r",
        .point_id = "p",
        .alive = alive};
    assert_int_equal(cli_child_run(&child, &err), BO_NOTFOUND);
    assert_string_equal(err.text, "cannot start '/nowhere/at-all': No such file or directory");
}

static void the_command_finds_its_run_and_its_database(void **state)
{
    (void)state;
    bo_error err;
    assert_int_equal(run("test \"$BACKOUT_RUN_ID $BACKOUT_POINT_ID $BACKOUT_SQLITE_FILE\" = "
                         "'run_1 rb_1 /x/y.db'",
                         "sqlite:/x/y.db?foreign_keys=on&mode=rw", &err),
        BO_OK);
    assert_int_equal(run("test \"$BACKOUT_SQLITE_FILE$PGAPPNAME\" = '/x/y z.db'",
                         "file:/x/y%20z.db?mode=rw", &err),
        BO_OK);
    assert_int_equal(run("test \"$PGHOST $PGPORT $PGUSER $PGDATABASE $PGAPPNAME $PGOPTIONS\" = "
                         "'h 5433 u d backout:run_1 kept -c backout.run=run_1'",
                         "postgresql://u@h:5433/d", &err),
        BO_OK);
    assert_int_equal(run("test \"$PGOPTIONS\" = '-c work_mem=8MB -c backout.run=run_1'",
                         "postgresql://u@h:5433/d?options=-c%20work_mem%3D8MB", &err),
        BO_OK);
    assert_int_equal(
        run_as("test \"$PGOPTIONS\" = kept", "postgresql://u@h:5433/d", false, &err), BO_OK);
}

static void the_command_finds_its_mariadb(void **state)
{
    (void)state;
    bo_error err;
    static const char said[] = "test \"$MYSQL_USER|$MYSQL_HOST|$MYSQL_TCP_PORT|$MYSQL_UNIX_PORT|"
                               "$MYSQL_DATABASE|$PGHOST|$PGAPPNAME\" = ";
    char command[256];
    (void)snprintf(command, sizeof command, "%s'a@b|db.example|3307||shop||'", said);
    assert_int_equal(run(command, "mariadb://a%40b@db.example:3307/shop", &err), BO_OK);
    (void)snprintf(command, sizeof command, "%s'|localhost||/run/my sql|shop||'", said);
    assert_int_equal(
        run(command, "mysql://localhost/shop?socket=/run/my%20sql&ssl=on", &err), BO_OK);
    (void)snprintf(command, sizeof command, "%s'u|::1|3308||shop||'", said);
    assert_int_equal(run(command, "mariadb://u@[::1]:3308/shop", &err), BO_OK);
}

static void *interrupt_soon(void *thread)
{
    (void)usleep(200000);
    (void)pthread_kill(*(pthread_t *)thread, SIGTERM);
    return NULL;
}

static void a_signal_is_passed_on(void **state)
{
    (void)state;
    bo_error err;
    pthread_t self = pthread_self(), helper;
    assert_int_equal(pthread_create(&helper, NULL, interrupt_soon, &self), 0);
    assert_int_equal(
        run("trap 'exit 0' TERM; while :; do sleep 0.05; done", "sqlite:/x", &err), BO_INTERRUPTED);
    assert_int_equal(pthread_join(helper, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exit_code_decides),
        cmocka_unit_test(a_missing_program_is_named),
        cmocka_unit_test(the_command_finds_its_run_and_its_database),
        cmocka_unit_test(the_command_finds_its_mariadb),
        cmocka_unit_test(a_signal_is_passed_on),
    };
    (void)setenv("PGOPTIONS", "kept", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
