/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/notation.c - the small notations of backout.yaml and of options: durations, paths. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/config.h"

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
    const bool is_url = bo_text_starts(url, "sqlite:");
    const char *path = is_url ? url + strlen("sqlite:") : url;
    if (!is_url && has_scheme(url))
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
    const bool is_there = realpath(joined, real) != NULL;
    if (!is_url && !is_there && strchr(url, '=')) /* words for libpq, "host=h dbname=d" */
        return url;
    if (is_there)
        joined = real;
    /* a path has no options, and those of a URL follow its last "?" */
    const bool ends_options = !is_url && strchr(joined, '?');
    return bo_arena_printf(arena, "sqlite:%s%s", joined, ends_options ? "?" : "");
}
