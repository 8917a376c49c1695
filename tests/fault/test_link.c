/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_link.c - the server ends our connections after each step. */
#include "fault/sweep.h"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {{.kind = FAULT_LINK,
        .name = "the link breaks at every step of",
        .skip = "verify",
        .engines = ON_SERVERS,
        .methods = BY_ALL,
        .dense = 2,
        .stride = 5}};
    return sweep_run(sweeps, 1, argc > 1 ? argv[1] : NULL);
}
