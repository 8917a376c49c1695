/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_memory.c - allocations fail, the first ones each, then a sample. */
#include "fault/sweep.h"

#define NO_MEMORY \
    .kind = FAULT_ALLOCATION, .name = "an allocation fails in", .engines = ON(WORLD_SQLITE)

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {NO_MEMORY, .only = "partial", .methods = BY(BO_METHOD_SNAPSHOT), .dense = 100,
            .stride = 131, .full_stride = 7},
        {NO_MEMORY, .only = "point,seal,partial,cascade,release,prune of one,doctor",
            .methods = BY(BO_METHOD_CAPTURE), .dense = 5, .stride = 401, .full_stride = 7},
        {NO_MEMORY, .methods = BY(BO_METHOD_BOTH), .dense = 5, .full_stride = 31, .full = true},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
