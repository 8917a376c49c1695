/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_files.c - calls to the file system fail: ours, and those of SQLite for the
 * catalog and for its databases. */
#include "fault/sweep.h"

#define FAILS   .kind = FAULT_FILE_CALL, .name = "a file call fails in"
#define SHORT   .kind = FAULT_FILE_SHORT, .name = "a write is short in"
#define FULL    .kind = FAULT_FILE_FULL, .name = "the disk gets full in"
#define GONE    .kind = FAULT_FILE_GONE, .name = "the disk is gone from a file call on in"
#define BESIDE  .kind = FAULT_FILE_CALL, .name = "beside a rollback journal, a file call fails in"
#define JOURNAL .journal = true, .only = "run,failing run,partial,full,restore,cascade"
#define HERE    .engines = ON(WORLD_SQLITE)
#define THERE   .engines = ON_SERVERS /* only our files, and the catalog */

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {FAILS, HERE, .methods = BY_ALL, .dense = 1, .stride = 149},
        {SHORT, HERE, .methods = BY(BO_METHOD_BOTH), .stride = 29},
        {SHORT, HERE, .methods = BY_EITHER, .full = true},
        {FULL, HERE, .methods = BY(BO_METHOD_CAPTURE), .stride = 29},
        {FULL, HERE, .methods = BY(BO_METHOD_SNAPSHOT) | BY(BO_METHOD_BOTH), .full = true},
        {GONE, HERE, .methods = BY(BO_METHOD_SNAPSHOT), .stride = 149},
        {GONE, HERE, .methods = BY_CAPTURE, .full = true},
        {BESIDE, HERE, JOURNAL, .methods = BY(BO_METHOD_SNAPSHOT), .stride = 149},
        {BESIDE, HERE, JOURNAL, .methods = BY_CAPTURE, .full = true},
        {FAILS, THERE, .methods = BY(BO_METHOD_SNAPSHOT), .only = "point,partial", .stride = 149},
        {FAILS, THERE, .methods = BY(BO_METHOD_SNAPSHOT), .skip = "point,partial", .full = true},
        {FAILS, THERE, .methods = BY_CAPTURE, .full = true, .full_stride = 3},
        {FULL, THERE, .methods = BY(BO_METHOD_CAPTURE), .only = "point,partial", .stride = 13},
        {FULL, THERE, .methods = BY(BO_METHOD_CAPTURE), .skip = "point,partial", .full = true},
        {FULL, THERE, .methods = BY(BO_METHOD_SNAPSHOT), .full = true},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
