/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/unit.h - what every cmocka test includes, in the order cmocka wants. */
#ifndef BO_TESTS_UNIT_H
#define BO_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
