/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/commands.h - every command; one file each. */
#ifndef BO_CLI_COMMANDS_H
#define BO_CLI_COMMANDS_H

#include "cli/cli.h"

extern const cli_command cmd_init, cmd_demo, cmd_point_create, cmd_point_seal, cmd_point_release,
    cmd_run, cmd_list, cmd_details, cmd_assess, cmd_execute, cmd_verify, cmd_script, cmd_export,
    cmd_backup, cmd_restore, cmd_check, cmd_prune, cmd_doctor, cmd_audit, cmd_completion,
    cmd_version, cmd_help;

#endif
