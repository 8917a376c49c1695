/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/config.c - finding backout.yaml. */
#include "cli/config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

/* The first folder from the working folder upwards that has `name` in it, or NULL. */
static bo_status find_above(bo_arena *arena, const char *name, const char **out, bo_error *err)
{
    BO_OWN_MEM char *folder = getcwd(NULL, 0);
    if (!folder)
        return bo_fail_errno(err, BO_IO, errno, "cannot tell the working folder");
    for (;;) {
        BO_OWN_MEM char *path = NULL;
        if (asprintf(&path, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name) < 0)
            return bo_nomem(err);
        if (access(path, F_OK) == 0) {
            *out = bo_arena_str(arena, folder);
            return *out ? BO_OK : bo_nomem(err);
        }
        char *slash = strrchr(folder, '/');
        if (!slash || folder[1] == '\0') {
            *out = NULL;
            return BO_OK;
        }
        slash[slash == folder ? 1 : 0] = '\0';
    }
}

/* The user's own file, or NULL when there is none. */
static const char *user_file(bo_arena *arena)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    const char *path = NULL;
    if (base && base[0] == '/')
        path = bo_arena_printf(arena, "%s/backout/" CLI_CONFIG_NAME, base);
    else if (home && home[0] == '/')
        path = bo_arena_printf(arena, "%s/.config/backout/" CLI_CONFIG_NAME, home);
    return path && access(path, F_OK) == 0 ? path : NULL;
}

bo_status cli_config_find(bo_arena *arena, const char *flag, cli_config *out, bo_error *err)
{
    cli_config config = {0};
    const char *path = flag ? flag : getenv("BACKOUT_CONFIG");
    const char *folder = NULL;
    if (!path || !path[0]) {
        bo_status st = find_above(arena, CLI_CONFIG_NAME, &folder, err);
        if (st != BO_OK)
            return st;
        path = folder ? bo_arena_printf(arena, "%s/" CLI_CONFIG_NAME, folder) : user_file(arena);
    }
    if (path) {
        bo_status st = cli_config_read(arena, path, &config, err);
        if (st != BO_OK)
            return st;
    }
    if (!config.catalog) {
        bo_status st = find_above(arena, ".backout", &folder, err);
        if (st != BO_OK)
            return st;
        if (folder) {
            config.folder = folder;
            config.catalog = bo_arena_printf(arena, "sqlite:%s/.backout/catalog.db", folder);
            if (!config.catalog)
                return bo_nomem(err);
        }
    }
    *out = config;
    return BO_OK;
}
