/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/error.h - writing errors: bo_fail() where the cause is found, bo_wrap() where a caller
 * knows more. */
#ifndef BO_BASE_ERROR_H
#define BO_BASE_ERROR_H

#include "backout/error.h"

/** Fills `err` (may be NULL) with one line and returns `status`.  Too long a text is cut, in UTF-8.
 */
bo_status bo_fail(bo_error *err, bo_status status, const char *format, ...) BO_PRINTF(3, 4);

/** The same with the text of `errno_value` after it: "cannot open 'f': Permission denied". */
bo_status bo_fail_errno(bo_error *err, bo_status status, int errno_value, const char *format, ...)
    BO_PRINTF(4, 5);

/** Puts one line of context above what `err` says already and returns `status`. */
bo_status bo_wrap(bo_error *err, bo_status status, const char *format, ...) BO_PRINTF(3, 4);

/** Appends one line below what `err` says already (a detail of the cause) and returns `status`. */
bo_status bo_detail(bo_error *err, bo_status status, const char *format, ...) BO_PRINTF(3, 4);

/** Fills `err` with "out of memory" and returns BO_NOMEM. */
bo_status bo_nomem(bo_error *err);

#endif
