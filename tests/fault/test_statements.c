/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_statements.c - MariaDB, where most of what makes and ends a capture commits
 * itself: something goes wrong between any two statements. */
#include "fault/sweep.h"

#define KILLED  .kind = FAULT_KILL_AT_STATEMENT, .name = "kill -9 before a statement of"
#define FAILS   .kind = FAULT_STATEMENT_FAILS, .name = "a statement is refused in"
#define LOST    .kind = FAULT_STATEMENT_LOST, .name = "the answer to a statement is lost in"
#define THERE   .engines = ON(WORLD_MARIADB)
#define MAKES   .only = "point,second point,release,release of one,doctor"
#define OTHERS  .skip = "point,second point,release,release of one,doctor,verify"
#define CAPTURE .methods = BY(BO_METHOD_CAPTURE)
#define BOTH    .methods = BY(BO_METHOD_BOTH)
#define STORES  .methods = BY(BO_METHOD_SNAPSHOT), .skip = "verify"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {KILLED, THERE, CAPTURE, MAKES, .stride = 29},
        {FAILS, THERE, CAPTURE, MAKES, .stride = 37},
        {LOST, THERE, CAPTURE, MAKES, .stride = 37},
        {KILLED, THERE, CAPTURE, OTHERS, .stride = 167},
        {FAILS, THERE, CAPTURE, OTHERS, .full = true},
        {LOST, THERE, CAPTURE, OTHERS, .stride = 167},
        {KILLED, THERE, STORES, .stride = 167},
        {LOST, THERE, STORES, .full = true},
        {KILLED, THERE, BOTH, .full = true},
        {FAILS, THERE, BOTH, .full = true},
        {LOST, THERE, BOTH, .full = true},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
