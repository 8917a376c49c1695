/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/step.c - the request to stop, and the hook of crash tests. */
#include "base/step.h"

#include <stdatomic.h>

void (*bo_step_hook)(const char *name);

/* Lock-free, so that a signal handler may set it. */
static atomic_int interrupted;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "atomic_int must be lock-free");

void bo_interrupt(void)
{
    atomic_store_explicit(&interrupted, 1, memory_order_relaxed);
}

void bo_interrupt_clear(void)
{
    atomic_store_explicit(&interrupted, 0, memory_order_relaxed);
}

bool bo_interrupted(void)
{
    return atomic_load_explicit(&interrupted, memory_order_relaxed) != 0;
}

bo_status bo_interrupt_check(bo_error *err)
{
    return bo_interrupted() ? bo_fail(err, BO_INTERRUPTED, "interrupted") : BO_OK;
}
