/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_crash.c - kill -9 after each step and everything else that lasts. */
#include "fault/sweep.h"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {{.kind = FAULT_KILL_AT_STEP,
        .name = "kill -9 at every step of",
        .skip = "verify",
        .sqlite = true,
        .postgres = true}};
    return sweep_run(sweeps, 1, argc > 1 ? argv[1] : NULL);
}
