/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/fault_driver.h - a driver whose n-th call fails.
 *
 *     fault_driver_install();
 *     unsigned nth = 0;
 *     do {
 *         reset the world; fault_driver_arm(++nth);
 *         st = the operation under test;
 *         fault_driver_arm(0); check that all or nothing was done
 *     } while (fault_driver_fired());
 *
 * It wraps every connection that bo_driver_open() makes from then on, whatever the engine.  A call
 * that fails is not carried out.  Calls that cannot fail (close, rollback, cancel, quote,
 * stage_close) always pass.
 */
#ifndef BO_TESTS_FAULT_DRIVER_H
#define BO_TESTS_FAULT_DRIVER_H

#include "driver/driver.h"

void fault_driver_install(void);
void fault_driver_remove(void);
/** The n-th call from now fails with BO_DATABASE "fault in <function>"; 0: none. */
void fault_driver_arm(unsigned nth);
/** The same, and from then on each call of a connection to a server, also of new ones. */
void fault_driver_arm_for_good(unsigned nth);
/** The n-th call from now does `action` first, and is then carried out. */
void fault_driver_arm_action(unsigned nth, void (*action)(void));
/** True when a call failed since the last fault_driver_arm() with another number than 0, or
 * the action was done. */
bool fault_driver_fired(void);

typedef enum fault_commit {
    FAULT_COMMIT_NONE,
    FAULT_COMMIT_DONE, /* the next commit is carried out and its answer is lost: BO_UNKNOWN */
    FAULT_COMMIT_LOST, /* the next commit does not arrive, and nobody tells: BO_UNKNOWN */
} fault_commit;
void fault_driver_lose_commit(fault_commit how);
/** The same with the n-th commit from now, of any connection; fault_driver_fired() tells. */
void fault_driver_lose_nth_commit(fault_commit how, unsigned nth);

#endif
