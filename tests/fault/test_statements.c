/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_statements.c - MariaDB, where most of what makes and ends a capture commits
 * itself: something goes wrong between any two statements. */
#include "fault/sweep.h"

#define KILLED .kind = FAULT_KILL_AT_STATEMENT, .name = "kill -9 before a statement of"
#define FAILS  .kind = FAULT_STATEMENT_FAILS, .name = "a statement is refused in"
#define LOST   .kind = FAULT_STATEMENT_LOST, .name = "the answer to a statement is lost in"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {KILLED, .engines = ON(WORLD_MARIADB), .methods = BY_ALL, .dense = 2, .stride = 9},
        {FAILS, .engines = ON(WORLD_MARIADB), .methods = BY_ALL, .dense = 2, .stride = 9},
        {LOST, .engines = ON(WORLD_MARIADB), .methods = BY_ALL, .dense = 2, .stride = 9},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
