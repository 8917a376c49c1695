/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_files.c - calls to the file system fail: ours, and those of SQLite for the
 * catalog and for its databases. */
#include "fault/sweep.h"

#define FAILS .kind = FAULT_FILE_CALL, .name = "a file call fails in"
#define SHORT .kind = FAULT_FILE_SHORT, .name = "a write is short in"
#define FULL  .kind = FAULT_FILE_FULL, .name = "the disk gets full in"
#define GONE  .kind = FAULT_FILE_GONE, .name = "the disk is gone from a file call on in"
#define THERE .engines = ON(WORLD_SQLITE)

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {FAILS, THERE, .methods = BY_ALL, .dense = 5, .stride = 53},
        {SHORT, THERE, .methods = BY_ALL, .dense = 1, .stride = 53},
        {FULL, THERE, .methods = BY_ALL, .dense = 1, .stride = 53},
        {GONE, THERE, .methods = BY_ALL, .dense = 1, .stride = 101},
        {FAILS, .engines = ON_SERVERS, .methods = BY_EITHER, .dense = 1, .stride = 211},
        {FULL, .engines = ON_SERVERS, .methods = BY_EITHER, .dense = 1, .stride = 211},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
