/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/statements.c - the client library's functions that send a statement, with a fault. */
#include "fault/statements.h"

#include <dlfcn.h>
#include <mysql.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static statement_fault armed;
static unsigned left;
static volatile bool *told;

void fault_statement_arm(statement_fault how, unsigned nth, volatile bool *fired)
{
    armed = how;
    left = nth;
    told = fired;
}

/* The statement that is meant; killed, nothing returns. */
static bool hit(void)
{
    if (left == 0 || --left > 0)
        return false;
    *told = true;
    if (armed == STATEMENT_KILL)
        (void)raise(SIGKILL);
    return true;
}

/* From here on the server is not heard any more, and hears nothing. */
static void cut(MYSQL *my)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return;
    (void)dup2(pair[0], (int)mysql_get_socket(my));
    (void)close(pair[0]);
    (void)close(pair[1]);
}

__attribute__((visibility("default"))) int mysql_real_query(
    MYSQL *my, const char *sql, unsigned long size);
__attribute__((visibility("default"))) int mysql_stmt_execute(MYSQL_STMT *statement);

int mysql_real_query(MYSQL *my, const char *sql, unsigned long size)
{
    static const char refused[] = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'fault'";
    int (*send)(MYSQL *, const char *, unsigned long) =
        (int (*)(MYSQL *, const char *, unsigned long))dlsym(RTLD_NEXT, "mysql_real_query");
    if (!hit())
        return send(my, sql, size);
    if (armed == STATEMENT_FAILS)
        return send(my, refused, sizeof refused - 1);
    if (mysql_send_query(my, sql, size) != 0)
        return 1;
    struct pollfd answer = {.fd = (int)mysql_get_socket(my), .events = POLLIN};
    (void)poll(&answer, 1, -1);
    cut(my);
    return mysql_read_query_result(my);
}

int mysql_stmt_execute(MYSQL_STMT *statement)
{
    int (*execute)(MYSQL_STMT *) = (int (*)(MYSQL_STMT *))dlsym(RTLD_NEXT, "mysql_stmt_execute");
    if (armed != STATEMENT_FAILS && hit())
        cut(statement->mysql);
    return execute(statement);
}
