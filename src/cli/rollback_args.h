/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/rollback_args.h - the arguments of execute, which run --rollback has too. */
#ifndef BO_CLI_ROLLBACK_ARGS_H
#define BO_CLI_ROLLBACK_ARGS_H

#include "cli/cli.h"

struct rollback_args {
    const char *id, *db;
    const char *user, *run;
    cli_list tables, where;
    int type; /* -1: not said */
    int mode, on_conflict, by;
    bool only_added, discard_later, dry_run, yes, production;
};

/** Shows the plan, asks, and returns to the point. */
bo_status cli_rollback(cli *ctx, const struct rollback_args *args, bo_error *err);

#endif
