/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/config.c - finding backout.yaml, and the small notations in it. */
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

bool cli_duration(const char *text, uint32_t *ms_out)
{
    static const struct {
        const char *unit;
        uint32_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
    if (text[0] < '0' || text[0] > '9')
        return false;
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        if (value > UINT32_MAX / units[i].ms)
            return false;
        *ms_out = (uint32_t)value * units[i].ms;
        return true;
    }
    return false;
}

/* Is `url` "scheme:..." and not a path?  A path may have a colon only after a slash. */
static bool has_scheme(const char *url)
{
    size_t size = strcspn(url, ":/");
    return size > 1 && url[size] == ':';
}

const char *cli_url_absolute(bo_arena *arena, const char *folder, const char *url)
{
    const char *path = url;
    if (bo_text_starts(url, "sqlite:"))
        path = url + strlen("sqlite:");
    else if (has_scheme(url) || strchr(url, '='))
        return url;
    if (bo_text_starts(path, "//"))
        path += 2;
    if (path[0] == '\0' || path[0] == ':')
        return url;
    BO_OWN_MEM char *here = folder ? NULL : getcwd(NULL, 0);
    if (here)
        folder = here;
    const char *joined =
        path[0] == '/' ? path : bo_arena_printf(arena, "%s/%s", folder ? folder : ".", path);
    if (!joined)
        return NULL;
    char real[PATH_MAX];
    if (realpath(joined, real))
        joined = real;
    return bo_arena_printf(arena, "sqlite:%s", joined);
}

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
