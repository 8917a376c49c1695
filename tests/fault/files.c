/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/files.c - in the process that breaks: a call to the file system fails, or the power
 * is cut. */
#include <signal.h>

#include "fault/scene.h"
#include "support/fault_files.h"
#include "support/power_loss.h"

static scene *broken;
static unsigned moments; /* at which the power may be cut */

static bool is_loss(const scene *s)
{
    return s->fault.kind == FAULT_LOSS_AT_STEP || s->fault.kind == FAULT_LOSS_AT_CALL ||
           s->fault.kind == FAULT_LIE;
}

/* Each moment is that of several losses, one after the other. */
static void moment_passes(void)
{
    unsigned nth = broken->fault.nth - 1;
    if (++moments != nth / LOSSES + 1)
        return;
    broken->found->fired = true;
    power_loss_strike((power_loss)(nth % LOSSES), nth + 1);
    (void)raise(SIGKILL);
}

void files_arm(scene *s)
{
    static const file_fault faults[] = {
        [FAULT_FILE_CALL] = FILE_FAILS,
        [FAULT_FILE_SHORT] = FILE_SHORT,
        [FAULT_FILE_FULL] = FILE_FULL,
        [FAULT_FILE_GONE] = FILE_GONE,
    };
    broken = s;
    if (s->fault.kind >= FAULT_FILE_CALL && s->fault.kind <= FAULT_FILE_GONE)
        fault_files_arm(faults[s->fault.kind], s->fault.nth,
            s->setting.engine == WORLD_SQLITE ? NULL : s->w->folder);
    if (is_loss(s))
        power_loss_begin(s->w->folder, s->fault.kind == FAULT_LOSS_AT_CALL ? moment_passes : NULL);
    if (s->fault.kind == FAULT_LIE)
        power_loss_lies(s->w->repository);
}

void files_step(void)
{
    if (broken->fault.kind == FAULT_LOSS_AT_STEP || broken->fault.kind == FAULT_LIE)
        moment_passes();
}

void files_returned(void)
{
    if (is_loss(broken))
        moment_passes();
}

void files_end(void)
{
    finding *found = broken->found;
    if (is_loss(broken) || !fault_files_fired())
        return;
    found->fired = true;
    found->file_errno = fault_files_errno();
    (void)snprintf(found->file_call, sizeof found->file_call, "%.350s", fault_files_place());
}
