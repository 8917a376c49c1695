/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/scratch.h - a folder that is there as long as a command works. */
#ifndef BO_CLI_SCRATCH_H
#define BO_CLI_SCRATCH_H

#include "cli/cli.h"

/** Makes a folder of ours alone, "NAME-XXXXXX", in TMPDIR, or else /tmp. */
bo_status cli_scratch_make(cli *ctx, const char *name, const char **out, bo_error *err);
/** Removes it with all that is in it; NULL is ignored. */
void cli_scratch_remove(const cli *ctx, const char *folder);

#endif
