/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_driver_calls.c - every call of a driver fails once, of the database's
 * connections and the catalog's; or the process dies, or the link, just before it. */
#include "fault/sweep.h"

#define FAILS  .kind = FAULT_DRIVER_CALL, .name = "a driver call fails in"
#define KILLED .kind = FAULT_KILL_AT_CALL, .name = "kill -9 before a driver call of"
#define GONE   .kind = FAULT_SERVER_GONE, .name = "the server is gone from a driver call on in"
#define MAKES  .only = "point,run,failing run,release,doctor"
#define LINK   .kind = FAULT_LINK_AT_CALL, .name = "the link breaks before a driver call of"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {FAILS, .engines = ON(WORLD_SQLITE), .methods = BY_EITHER, .dense = 3, .stride = 13},
        {KILLED, .engines = ON(WORLD_SQLITE), .methods = BY(BO_METHOD_CAPTURE), .stride = 11},
        {FAILS, .engines = ON_SERVERS, .methods = BY(BO_METHOD_CAPTURE), .dense = 1, .stride = 211},
        {KILLED, .engines = ON_SERVERS, .methods = BY(BO_METHOD_CAPTURE), .stride = 263},
        {LINK, .engines = ON_SERVERS, .methods = BY(BO_METHOD_CAPTURE), .full = true},
        {GONE, MAKES, .engines = ON_SERVERS, .methods = BY(BO_METHOD_CAPTURE), .stride = 127},
        {FAILS, .engines = ON_SERVERS, .methods = BY(BO_METHOD_SNAPSHOT), .full = true},
        {FAILS, .engines = ON_ALL, .methods = BY(BO_METHOD_BOTH), .full = true},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
