/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_server_killed.c - the server itself dies, at steps and at any moment, and is
 * started again. */
#include "fault/sweep.h"
#include "support/own_server.h"

#define AT_STEP                                          \
    .kind = FAULT_SERVER_AT_STEP, .engines = ON_SERVERS, \
    .name = "the server is killed at every step of"
#define ANY_TIME                                                               \
    .kind = FAULT_SERVER_AFTER_US, .engines = ON_SERVERS, .longest_us = 60000, \
    .name = "the server is killed at any moment of"
#define CAPTURED .methods = BY(BO_METHOD_CAPTURE)

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {AT_STEP, CAPTURED, .only = "partial", .stride = 9},
        {ANY_TIME, CAPTURED, .only = "run,partial", .moments = 2, .full_moments = 100},
        {AT_STEP, .methods = BY_EITHER, .skip = "verify", .full = true},
        {ANY_TIME, .methods = BY(BO_METHOD_BOTH), .full_moments = 10, .full = true},
    };
    const char *only = argc > 1 ? argv[1] : NULL; /* one engine, for there is one server */
    (void)own_server_start(only && strstr(only, "MariaDB"));
    const int failed =
        sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, only ? only : "*PostgreSQL");
    own_server_stop();
    return failed;
}
