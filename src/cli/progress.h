/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/progress.h - how far a long operation is: a bar, lines, or events. */
#ifndef BO_CLI_PROGRESS_H
#define BO_CLI_PROGRESS_H

#include "cli/cli.h"

/** A callback of bo_settings; `ctx` is the cli.  May be called from any thread. */
void cli_progress(void *ctx, const bo_progress *progress);
/** A callback of bo_settings for remarks; `ctx` is the cli. */
void cli_warn(void *ctx, const char *text);
/** Takes the bar off the screen, before anything else is printed. */
void cli_progress_end(void);

#endif
