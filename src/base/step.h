/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/step.h - named steps of work: where a crash test kills the process and where an
 * interrupt is noticed. */
#ifndef BO_BASE_STEP_H
#define BO_BASE_STEP_H

#include <stdbool.h>

#include "backout/session.h"
#include "base/error.h"

/** Tests set this; called with the name of each step of a run once it is journalled ("applying"),
 * and after everything else that lasts ("catalog.committed", "file.stored").  NULL, the default,
 * does nothing. */
extern void (*bo_step_hook)(const char *name);

static inline void bo_step(const char *name)
{
    if (bo_step_hook)
        bo_step_hook(name);
}

/* What bo_interrupt() (backout/session.h) asked for. */
bool bo_interrupted(void);
/** BO_INTERRUPTED when an interrupt was asked for, otherwise BO_OK. */
bo_status bo_interrupt_check(bo_error *err);

#endif
