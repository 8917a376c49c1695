/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/advice.h - what a person can do about an error. */
#ifndef BO_CLI_ADVICE_H
#define BO_CLI_ADVICE_H

#include "backout/error.h"

#include "base/buf.h"

/** Adds one sentence for the situation `err` describes, or nothing when there is nothing useful to
 * say.  @param point  id that the commands in it are given; NULL: they say "ID". */
void cli_advice(bo_buf *out, const bo_error *err, const char *point);

#endif
