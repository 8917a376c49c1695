/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/own_server.c - a server of a test's own, which may be killed. */
#include "support/own_server.h"

#include "support/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_mariadb;
static char folder[64];
static pid_t server;

/* pg-server and mariadb-server have the same commands. */
static void command_line(const char *verb, const char *settings, char out[1024])
{
    (void)snprintf(out, 1024, "'%s/tests/support/%s-server' %s '%s/server' %s",
        getenv("BACKOUT_SOURCE"), is_mariadb ? "mariadb" : "pg", verb, folder, settings);
}

static bool run(const char *verb)
{
    char command[1024];
    command_line(verb, "", command);
    return system(command) == 0;
}

/* Its file says which process it is. */
static void find_process(void)
{
    char path[128];
    (void)snprintf(
        path, sizeof path, "%s/server/%s", folder, is_mariadb ? "pid" : "data/postmaster.pid");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &server), 1);
    assert_int_equal(fclose(file), 0);
}

/* export NAME='VALUE' */
static void read_export(char *line)
{
    char *name = line + strlen("export ");
    char *value = strstr(line, "='");
    char *end = strrchr(line, '\'');
    if (strncmp(line, "export ", 7) != 0 || !value || end < value + 2)
        return;
    *value = *end = '\0';
    assert_int_equal(setenv(name, value + 2, true), 0);
}

bool own_server_start(bool mariadb)
{
    /* what a commit has written stays written, whatever dies but the machine */
    static const char *const lasting[] = {"synchronous_commit=on full_page_writes=on",
        "innodb_flush_log_at_trx_commit=1 innodb_doublewrite=on"};
    if (!getenv(mariadb ? "BACKOUT_TEST_MY_DIR" : "BACKOUT_TEST_PG_DIR"))
        return false;
    is_mariadb = mariadb;
    (void)snprintf(folder, sizeof folder, "%s/backout-own-XXXXXX", temporary_folder());
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0711), 0); /* the server may run as another user */
    char command[1024], line[512];
    command_line("start", lasting[mariadb], command);
    FILE *exports = popen(command, "r");
    assert_non_null(exports);
    while (fgets(line, sizeof line, exports))
        read_export(line);
    assert_int_equal(pclose(exports), 0);
    find_process();
    return true;
}

/* A dead process that nobody has waited for has no memory any more. */
static bool is_gone(void)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/%d/maps", (int)server);
    FILE *maps = fopen(path, "r");
    const bool gone = !maps || fgetc(maps) == EOF;
    if (maps)
        (void)fclose(maps);
    return gone;
}

/* Stopped, so that it makes no new ones meanwhile. */
static void kill_children(void)
{
    char command[64];
    (void)kill(server, SIGSTOP);
    (void)snprintf(command, sizeof command, "pkill -KILL -P %d", (int)server);
    (void)!system(command);
}

void own_server_kill(bool hard)
{
    if (hard && !is_mariadb)
        kill_children();
    (void)kill(server, hard || is_mariadb ? SIGKILL : SIGQUIT);
    for (int i = 0; i < 10000 && !is_gone(); i++)
        (void)usleep(1000);
}

/* Processes of a killed server may have to find out first. */
void own_server_again(void)
{
    bool started = false;
    for (int i = 0; i < 20 && !started; i++)
        started = run("again 2>/dev/null");
    assert_true(started);
    find_process();
}

void own_server_stop(void)
{
    char command[128];
    if (!folder[0])
        return;
    assert_true(run("stop"));
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    folder[0] = '\0';
}
