/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_driver_calls.c - every call of a driver fails once, of the database's
 * connections and the catalog's; or the process dies, or the link, just before it. */
#include "fault/sweep.h"

#define FAILS  .kind = FAULT_DRIVER_CALL, .name = "a driver call fails in"
#define KILLED .kind = FAULT_KILL_AT_CALL, .name = "kill -9 before a driver call of"
#define LINK   .kind = FAULT_LINK_AT_CALL, .name = "the link breaks before a driver call of"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {FAILS, .engines = ON_ALL, .methods = BY_ALL, .dense = 2, .stride = 7},
        {KILLED, .engines = ON_ALL, .methods = BY_CAPTURE, .dense = 2, .stride = 7},
        {LINK, .engines = ON_SERVERS, .methods = BY_CAPTURE, .dense = 2, .stride = 7},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
