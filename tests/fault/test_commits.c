/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_commits.c - the answer of every commit is lost once, of the database and of the
 * catalog: it was done, or it was not. */
#include "fault/sweep.h"

#define ANSWERED \
    .kind = FAULT_COMMIT_ANSWERED, .name = "the answer of a commit is lost in", .skip = "verify"
#define MISSED \
    .kind = FAULT_COMMIT_MISSED, .name = "a commit is lost without an answer in", .skip = "verify"

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {ANSWERED, .engines = ON(WORLD_SQLITE), .methods = BY_EITHER, .dense = 1, .stride = 5},
        {MISSED, .engines = ON(WORLD_SQLITE), .methods = BY_EITHER, .dense = 1, .stride = 5},
        {ANSWERED, .engines = ON_SERVERS, .methods = BY(BO_METHOD_CAPTURE), .dense = 1,
            .stride = 31},
        {MISSED, .engines = ON_SERVERS, .methods = BY(BO_METHOD_SNAPSHOT), .dense = 1,
            .stride = 31},
        {ANSWERED, .engines = ON_SERVERS, .methods = BY(BO_METHOD_SNAPSHOT), .full = true},
        {MISSED, .engines = ON_SERVERS, .methods = BY(BO_METHOD_CAPTURE), .full = true},
        {ANSWERED, .engines = ON_ALL, .methods = BY(BO_METHOD_BOTH), .full = true},
        {MISSED, .engines = ON_ALL, .methods = BY(BO_METHOD_BOTH), .full = true},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
