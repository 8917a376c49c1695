/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_crash.c - kill -9 after each step and everything else that lasts. */
#include "fault/sweep.h"

#define KILLED .kind = FAULT_KILL_AT_STEP, .name = "kill -9 at every step of", .skip = "verify"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {KILLED, .engines = ON(WORLD_SQLITE), .methods = BY_ALL, .stride = 2},
        {KILLED, .engines = ON_SERVERS, .methods = BY(BO_METHOD_CAPTURE), .dense = 1, .stride = 13},
        {KILLED, .engines = ON_SERVERS, .methods = BY(BO_METHOD_SNAPSHOT), .full = true},
        {KILLED, .engines = ON_SERVERS, .methods = BY(BO_METHOD_BOTH), .full = true},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
