/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_link.c - the server ends our connections after each step. */
#include "fault/sweep.h"

#define LINK .kind = FAULT_LINK, .name = "the link breaks at every step of", .skip = "verify"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {LINK, .engines = ON_SERVERS, .methods = BY(BO_METHOD_SNAPSHOT), .dense = 1, .stride = 21},
        {LINK, .engines = ON_SERVERS, .methods = BY(BO_METHOD_CAPTURE), .full = true},
        {LINK, .engines = ON_SERVERS, .methods = BY(BO_METHOD_BOTH), .full = true},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
