/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/scratch.c - a folder that is there as long as a command works. */
#include "cli/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "cli/answer.h"

bo_status cli_scratch_make(cli *ctx, const char *name, const char **out, bo_error *err)
{
    const char *base = getenv("TMPDIR");
    if (!base || base[0] != '/')
        base = "/tmp";
    char *folder = bo_arena_printf(ctx->arena, "%s/%s-XXXXXX", base, name);
    if (!folder)
        return bo_nomem(err);
    if (!mkdtemp(folder))
        return bo_fail_errno(err, BO_IO, errno, "cannot make a folder in '%s'", base);
    *out = folder;
    return BO_OK;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void cli_scratch_remove(const cli *ctx, const char *folder)
{
    if (folder && nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        cli_say(ctx, "backout: warning: could not remove %s", folder);
}
