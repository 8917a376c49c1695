/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_power_loss.c - the power is cut: what was reported as done is there whole, and
 * nothing unfinished is ever accepted. */
#include "fault/sweep.h"

#define AT_STEP .kind = FAULT_LOSS_AT_STEP, .name = "the power is cut at every step of"
#define AT_CALL .kind = FAULT_LOSS_AT_CALL, .name = "the power is cut before a file call of"
#define BESIDE  .name = "beside a rollback journal, the power is cut before a file call of"
#define JOURNAL .journal = true, .only = "run,failing run,partial,full,restore,cascade"
#define THERE   .engines = ON(WORLD_SQLITE)

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {AT_STEP, THERE, .methods = BY_ALL, .stride = 17},
        {AT_CALL, THERE, .methods = BY_ALL, .stride = 211},
        {.kind = FAULT_LOSS_AT_CALL, BESIDE, THERE, JOURNAL, .methods = BY_EITHER, .stride = 211},
        {AT_STEP, .engines = ON_SERVERS, .methods = BY_EITHER, .stride = 61},
        {AT_CALL, .engines = ON_SERVERS, .methods = BY_EITHER, .stride = 997},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
