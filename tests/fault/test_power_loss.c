/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_power_loss.c - the power is cut: what was reported as done is there whole, and
 * nothing unfinished is ever accepted. */
#include "fault/sweep.h"

#define AT_STEP .kind = FAULT_LOSS_AT_STEP, .name = "the power is cut at every step of"
#define AT_CALL .kind = FAULT_LOSS_AT_CALL, .name = "the power is cut before a file call of"
#define BESIDE                  \
    .kind = FAULT_LOSS_AT_STEP, \
    .name = "beside a rollback journal, the power is cut at every step of"
#define CALL_BESIDE             \
    .kind = FAULT_LOSS_AT_CALL, \
    .name = "beside a rollback journal, the power is cut before a file call of"
#define JOURNAL .journal = true, .only = "run,failing run,partial,full,restore,cascade"
#define HERE    .engines = ON(WORLD_SQLITE)
#define THERE   .engines = ON_SERVERS /* what is in the server is the server's matter */

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {AT_STEP, HERE, .methods = BY_ALL, .stride = 31},
        {AT_CALL, HERE, .methods = BY_ALL, .stride = 307},
        {BESIDE, HERE, JOURNAL, .methods = BY(BO_METHOD_SNAPSHOT), .stride = 6},
        {BESIDE, HERE, JOURNAL, .methods = BY_CAPTURE, .full = true},
        {CALL_BESIDE, HERE, JOURNAL, .methods = BY_ALL, .full = true, .full_stride = 7},
        {AT_STEP, THERE, .methods = BY(BO_METHOD_SNAPSHOT), .only = "point,partial", .stride = 31},
        {AT_STEP, THERE, .methods = BY(BO_METHOD_SNAPSHOT), .skip = "point,partial", .full = true},
        {AT_STEP, THERE, .methods = BY_CAPTURE, .full = true},
        {AT_CALL, THERE, .methods = BY_EITHER, .full = true, .full_stride = 7},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
