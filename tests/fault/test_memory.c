/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_memory.c - allocations fail, the first ones each, then a sample. */
#include "fault/sweep.h"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {.kind = FAULT_ALLOCATION,
            .name = "an allocation fails in",
            .only = "partial",
            .engines = ON(WORLD_SQLITE),
            .methods = BY(BO_METHOD_SNAPSHOT),
            .dense = 100,
            .stride = 37},
        {.kind = FAULT_ALLOCATION,
            .name = "an allocation fails in",
            .only = "point,seal,partial,cascade,release,prune,doctor",
            .engines = ON(WORLD_SQLITE),
            .methods = BY(BO_METHOD_CAPTURE),
            .dense = 5,
            .stride = 97},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
