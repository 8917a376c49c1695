/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/advice.h - what a person can do about an error. */
#ifndef BO_CLI_ADVICE_H
#define BO_CLI_ADVICE_H

#include "backout/error.h"

/** One sentence for the situation `err` describes, or NULL when there is nothing useful to say. */
const char *cli_advice(const bo_error *err);

#endif
