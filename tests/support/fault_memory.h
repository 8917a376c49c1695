/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/fault_memory.h - lets the n-th allocation of the process fail once.
 *
 *     unsigned nth = 0;
 *     do {
 *         fault_memory_arm(++nth);
 *         st = what_is_tested();
 *         ... either BO_OK, or BO_NOMEM and nothing changed ...
 *     } while (fault_memory_fired());
 *
 * The loop ends with a round in which no fault was left to fire: every allocation has failed once.
 * glibc only.  With AddressSanitizer, which owns malloc() itself, nothing fires: one round.
 */
#ifndef BO_TESTS_FAULT_MEMORY_H
#define BO_TESTS_FAULT_MEMORY_H

#include <stdbool.h>

/** The `nth` allocation from now on, in any thread, returns NULL; 0 disarms. */
void fault_memory_arm(unsigned nth);
/** Disarms; true when the fault fired since it was armed. */
bool fault_memory_fired(void);

#endif
