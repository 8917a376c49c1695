/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/config.h - backout.yaml: databases, catalog, repository, encryption, retention. */
#ifndef BO_CLI_CONFIG_H
#define BO_CLI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define CLI_CONFIG_NAME  "backout.yaml"
#define CLI_CONFIG_LIMIT ((size_t)1 << 20) /* bytes of a configuration file */

typedef struct cli_names {
    const char **items;
    size_t count;
} cli_names;

/** Who may do what; an empty list lets everyone. */
typedef struct cli_allow {
    cli_names create, execute, prune;
} cli_allow;

typedef struct cli_database_config {
    const char *name, *url, *password_command;
    bool production;
    uint32_t lock_timeout_ms; /* 0: default */
    uint32_t workers;         /* 0: default */
    cli_allow allow;
} cli_database_config;

/** Everything of one file; strings live in the arena.  Paths are absolute: those in the file are
 * relative to its folder. */
typedef struct cli_config {
    const char *path;   /* of the file, or NULL: there is none */
    const char *folder; /* with the file or `.backout`, or NULL */
    const char *catalog, *repository;
    const char *key_file, *passphrase_command;
    uint32_t keep_last, keep_days;
    uint32_t lock_timeout_ms; /* of the catalog; 0: default */
    cli_database_config *databases;
    size_t database_count;
} cli_config;

/**
 * Reads `path`.  Unknown keys are errors.  Commands in it are run later as the caller, so a file
 * that others may write to is refused.
 *
 * @retval BO_INVALID  "backout.yaml:3:5: unknown key 'colour'"
 * @retval BO_DENIED   somebody else owns it or may write to it.
 */
bo_status cli_config_read(bo_arena *arena, const char *path, cli_config *out, bo_error *err);

/**
 * Finds and reads the configuration: `flag`, or BACKOUT_CONFIG, or backout.yaml in the working
 * folder or above, or the user's own.  Without any, only `folder` may be set.
 */
bo_status cli_config_find(bo_arena *arena, const char *flag, cli_config *out, bo_error *err);

/** "10s", "500ms", "5m", "2h", or plain seconds, as milliseconds; false: none of these. */
bool cli_duration(const char *text, uint32_t *ms_out);

/** A `sqlite:` URL or a plain path made absolute against `folder` (NULL: the
 * working folder); anything else as it is. */
const char *cli_url_absolute(bo_arena *arena, const char *folder, const char *url);

#endif
