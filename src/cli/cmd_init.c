/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_init.c - init: a catalog, a repository and a commented configuration. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/answer.h"
#include "cli/commands.h"

struct init_args {
    const char *folder;
};

static const cli_option options[] = {
    {CLI_OPTIONAL, 0, "dir", "DIR", offsetof(struct init_args, folder),
        "the folder (default: this one)"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};

static const char configuration[] =
    "# backout configuration. Every command in this folder or below finds this file.\n"
    "# Relative paths are relative to the folder of this file.\n"
    "\n"
    "catalog: .backout/catalog.db        # points, runs, audit log; postgresql://... to share it\n"
    "repository: .backout/repository     # snapshot files\n"
    "# lock_timeout: 10s                 # how long to wait for another backout at work\n"
    "\n"
    "# databases:\n"
    "#   shop:\n"
    "#     url: postgresql://app@db.example.com/shop   # without a password; or sqlite:shop.db\n"
    "#     production: true                # destructive commands need --production\n"
    "#     password_command: pass show shop            # or ~/.pgpass, PGPASSFILE\n"
    "#     lock_timeout: 10s\n"
    "#     workers: 2                      # connections that read a table together\n"
    "#     allow:                          # users of this machine; without a list: everyone\n"
    "#       create: [ann, bob]\n"
    "#       execute: [ann]\n"
    "#       prune: [ann]\n"
    "\n"
    "# encryption:                         # one of the two\n"
    "#   key_file: /etc/backout/key        # 32 bytes or 64 hex digits, mode 0600\n"
    "#   passphrase_command: pass show backout\n"
    "\n"
    "# retention:                          # what backout prune keeps\n"
    "#   keep_last: 10\n"
    "#   keep_days: 30\n";

static bo_status refuse_existing(const char *path, bo_error *err)
{
    if (access(path, F_OK) == 0)
        return bo_fail(err, BO_EXISTS, "'%s' exists already; nothing was changed", path);
    return BO_OK;
}

/* Opens the session once, which makes and checks the catalog. */
static bo_status make_catalog(cli *ctx, const char *file, bo_error *err)
{
    bo_session *session = NULL;
    bo_status st = cli_config_read(ctx->arena, file, &ctx->config, err);
    return st == BO_OK ? cli_session(ctx, &session, err) : st;
}

static bo_status init(cli *ctx, const void *arguments, bo_error *err)
{
    const struct init_args *args = arguments;
    const char *folder = args->folder ? args->folder : ".";
    const char *state = bo_arena_printf(ctx->arena, "%s/.backout", folder);
    const char *file = bo_arena_printf(ctx->arena, "%s/" CLI_CONFIG_NAME, folder);
    const char *repository = bo_arena_printf(ctx->arena, "%s/.backout/repository", folder);
    if (!state || !file || !repository)
        return bo_nomem(err);
    bo_status st = refuse_existing(file, err);
    if (st == BO_OK)
        st = refuse_existing(state, err);
    if (st == BO_OK)
        st = bo_dir_create(repository, err);
    if (st == BO_OK)
        st = bo_file_write(file, configuration, sizeof configuration - 1, false, err);
    if (st == BO_OK)
        st = make_catalog(ctx, file, err);
    if (st != BO_OK)
        return st;
    cli_say(ctx, "made %s and %s", state, file);
    cli_say(ctx, "next: backout point create --db DB, or: backout run --db DB CHANGE.sql");
    if (cli_is_text(ctx))
        return BO_OK;
    return cli_result(ctx, json_pack("{s:s, s:s}", "state", state, "configuration", file), err);
}

const cli_command cmd_init = {
    .name = "init",
    .summary = "begin here: make a catalog, a repository and a configuration",
    .details = "Makes DIR/.backout and a commented DIR/backout.yaml. Every command run in DIR or "
               "below\nfinds them. Nothing that exists is overwritten.",
    .example = "backout init",
    .options = options,
    .args_size = sizeof(struct init_args),
    .bare = true,
    .run = init,
};
