/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_driver_calls.c - every call of a driver fails once, of the database's
 * connections and the catalog's. */
#include "fault/sweep.h"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {{.kind = FAULT_DRIVER_CALL,
        .name = "a driver call fails in",
        .sqlite = true,
        .postgres = true}};
    return sweep_run(sweeps, 1, argc > 1 ? argv[1] : NULL);
}
