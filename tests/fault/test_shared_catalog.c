/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_shared_catalog.c - the catalog is on a server as well: kill -9, broken links and
 * commits without an answer. */
#include "fault/sweep.h"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {.kind = FAULT_KILL_AT_STEP,
            .name = "with a shared catalog, kill -9 at every step of",
            .only = "partial",
            .engines = ON(WORLD_POSTGRES),
            .methods = BY_EITHER,
            .shared = true,
            .dense = 1,
            .stride = 2},
        {.kind = FAULT_LINK,
            .name = "with a shared catalog, every link breaks at every step of",
            .only = "partial",
            .engines = ON(WORLD_POSTGRES),
            .methods = BY(BO_METHOD_SNAPSHOT),
            .shared = true,
            .dense = 1,
            .stride = 2},
        {.kind = FAULT_COMMIT_ANSWERED,
            .name = "with a shared catalog, the answer of a commit is lost in",
            .only = "partial",
            .engines = ON(WORLD_POSTGRES),
            .methods = BY(BO_METHOD_SNAPSHOT),
            .shared = true,
            .dense = 1,
            .stride = 2},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
