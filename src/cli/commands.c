/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/commands.c - the list of the commands, in the order of the overview. */
#include "cli/commands.h"

const cli_command *const cli_commands[] = {
    &cmd_init,
    &cmd_demo,
    &cmd_point_create,
    &cmd_point_seal,
    &cmd_point_release,
    &cmd_run,
    &cmd_list,
    &cmd_details,
    &cmd_assess,
    &cmd_execute,
    &cmd_verify,
    &cmd_script,
    &cmd_export,
    &cmd_backup,
    &cmd_restore,
    &cmd_check,
    &cmd_prune,
    &cmd_doctor,
    &cmd_audit,
    &cmd_completion,
    &cmd_version,
    &cmd_help,
    NULL,
};
