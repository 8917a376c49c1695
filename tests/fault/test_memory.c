/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_memory.c - allocations fail, the first ones each, then a sample. */
#include "fault/sweep.h"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {{.kind = FAULT_ALLOCATION,
        .name = "an allocation fails in",
        .skip = "point seal run failing run full restore restore of a file verify",
        .sqlite = true,
        .dense = 100,
        .stride = 37}};
    return sweep_run(sweeps, 1, argc > 1 ? argv[1] : NULL);
}
