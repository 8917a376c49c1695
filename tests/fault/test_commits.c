/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_commits.c - the answer of every commit is lost once, of the database and of the
 * catalog: it was done, or it was not. */
#include "fault/sweep.h"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {.kind = FAULT_COMMIT_ANSWERED,
            .name = "the answer of a commit is lost in",
            .skip = "verify",
            .sqlite = true,
            .postgres = true},
        {.kind = FAULT_COMMIT_MISSED,
            .name = "a commit is lost without an answer in",
            .skip = "verify",
            .sqlite = true,
            .postgres = true},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
