/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_moments.c - kill -9 at moments that no step names; beside writers: test_load.c.
 */
#include "fault/sweep.h"

#define KILLED .kind = FAULT_KILL_AFTER_US, .name = "kill -9 at any moment of"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {KILLED, .engines = ON(WORLD_SQLITE), .methods = BY(BO_METHOD_BOTH), .longest_us = 30000,
            .moments = 20, .full_moments = 200},
        {KILLED, .engines = ON(WORLD_SQLITE), .methods = BY(BO_METHOD_SNAPSHOT),
            .longest_us = 30000, .moments = 20, .full_moments = 200},
        {KILLED, .engines = ON_SERVERS, .methods = BY(BO_METHOD_CAPTURE), .only = "partial",
            .longest_us = 100000, .moments = 3, .full_moments = 200},
        {KILLED, .engines = ON_SERVERS, .methods = BY_EITHER, .longest_us = 100000,
            .full_moments = 20, .full = true},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
