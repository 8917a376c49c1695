/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/session.c - catalog, repository and key from flags, environment and configuration. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/progress.h"
#include "cli/scratch.h"
#include "cli/secret.h"

#define KEY_SIZE 32

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

/* Flag, then environment, then configuration. */
static const char *prefer(const char *flag, const char *variable, const char *configured)
{
    if (flag)
        return flag;
    const char *said = environment(variable);
    return said ? said : configured;
}

static bool needs_catalog(const cli *ctx)
{
    return ctx->command->recorded || ctx->recorded;
}

static bo_status find_catalog(cli *ctx, bo_settings *settings, bo_error *err)
{
    const char *catalog = prefer(ctx->flags.catalog, "BACKOUT_CATALOG", ctx->config.catalog);
    if (!catalog && ctx->config.folder)
        catalog = bo_arena_printf(ctx->arena, "%s/.backout/catalog.db", ctx->config.folder);
    if (!catalog && ctx->looks && !needs_catalog(ctx))
        return BO_OK;
    if (!catalog) {
        cli_hint(ctx, "begin with: backout init");
        return bo_fail(err, BO_REFUSED,
            "there is no catalog here: neither %s nor .backout in this "
            "folder or above",
            CLI_CONFIG_NAME);
    }
    if (cli_url_has_password(catalog))
        return bo_fail(err, BO_INVALID, "the URL of the catalog has a password in it");
    settings->catalog_url = cli_url_absolute(ctx->arena, NULL, catalog);
    return settings->catalog_url ? BO_OK : bo_nomem(err);
}

static bo_status find_repository(cli *ctx, bo_settings *settings, bo_error *err)
{
    const char *folder =
        prefer(ctx->flags.repository, "BACKOUT_REPOSITORY", ctx->config.repository);
    if (!folder) {
        const char *file = settings->catalog_url;
        const char *slash = strrchr(file, '/');
        if (!bo_text_starts(file, "sqlite:") || !slash) {
            cli_hint(ctx, "set repository in " CLI_CONFIG_NAME ", or give --repository DIR");
            return bo_fail(err, BO_INVALID, "no folder for snapshot files is set");
        }
        file += strlen("sqlite:");
        folder = bo_arena_printf(ctx->arena, "%.*s/repository", (int)(slash - file), file);
    }
    settings->repository = folder;
    return folder ? BO_OK : bo_nomem(err);
}

/* 32 bytes, or 64 hex digits. */
static bo_status read_key(const char *path, bo_buf *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    struct stat info = {0};
    bo_status st = bo_file_slurp(path, 4096, &text, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the key");
    if (text.size == KEY_SIZE) {
        bo_buf_add(out, text.data, text.size);
    } else {
        size_t size = text.size;
        while (size && strchr("\r\n", text.data[size - 1]))
            text.data[--size] = '\0';
        if (size != 2 * (size_t)KEY_SIZE || !bo_text_unhex(out, (const char *)text.data, size))
            st = bo_fail(
                err, BO_INVALID, "the key in '%s' is neither 32 bytes nor 64 hex digits", path);
    }
    bool private = stat(path, &info) == 0 && !(info.st_mode & (S_IRWXG | S_IRWXO));
    if (st == BO_OK && S_ISREG(info.st_mode) && !private)
        st = bo_fail(err, BO_DENIED, "'%s' with the key can be read by others", path);
    explicit_bzero(text.data, text.size);
    return st == BO_OK ? bo_buf_check(out, err) : st;
}

/* A key or a passphrase, as the environment says, or else the configuration. */
static bo_status find_key(cli *ctx, bo_buf *key, cli_secret **passphrase, bo_error *err)
{
    const char *key_file = environment("BACKOUT_KEY_FILE");
    const char *passphrase_file = environment("BACKOUT_PASSPHRASE_FILE");
    if (key_file && passphrase_file) {
        cli_hint(ctx, "unset the one that is not meant");
        return bo_fail(
            err, BO_INVALID, "BACKOUT_KEY_FILE and BACKOUT_PASSPHRASE_FILE exclude each other");
    }
    if (key_file)
        return read_key(key_file, key, err);
    if (passphrase_file)
        return cli_secret_file(passphrase_file, "the passphrase", passphrase, err);
    if (ctx->config.key_file)
        return read_key(ctx->config.key_file, key, err);
    if (ctx->config.passphrase_command)
        return cli_secret_command(
            ctx->config.passphrase_command, "the passphrase", passphrase, err);
    return BO_OK;
}

static bo_status count_file(void *count, const char *name, bo_error *err)
{
    (void)err;
    if (strcmp(name, "tmp") != 0)
        ++*(size_t *)count;
    return BO_OK;
}

/* A catalog that is gone, or an empty file that a program or a full disk left in its place, must
 * not be replaced by an empty one that knows none of its points. */
static bo_status check_catalog_there(cli *ctx, const bo_settings *settings, bo_error *err)
{
    const char *url = settings->catalog_url;
    if (!bo_text_starts(url, "sqlite:") || strchr(url, '?') || ctx->command->rescues)
        return BO_OK;
    const char *file = url + strlen("sqlite:");
    const char *slash = strrchr(file, '/');
    struct stat facts;
    const bool gone = stat(file, &facts) != 0;
    if (!slash || (gone ? errno != ENOENT : facts.st_size > 0))
        return BO_OK;
    size_t count = 0;
    const char *beside = bo_arena_printf(ctx->arena, "%.*s/repository", (int)(slash - file), file);
    if (!beside)
        return bo_nomem(err);
    if (bo_dir_list(beside, count_file, &count, NULL) != BO_OK || count == 0)
        return BO_OK;
    cli_hint(ctx, "bring the catalog back from a copy, or the rows without it: "
                  "backout restore FILE --db DB");
    return bo_fail(err, BO_NOTFOUND,
        "the catalog '%s' is %s\nthe repository beside it still has %zu file%s", file,
        gone ? "gone" : "an empty file", count, count == 1 ? "" : "s");
}

/* An empty catalog, which goes when the command has ended. */
static bo_status stand_in(cli *ctx, bo_settings *settings, bo_error *err)
{
    ctx->stands_in = true;
    bo_status st = ctx->scratch ? BO_OK : cli_scratch_make(ctx, "backout", &ctx->scratch, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "there is no catalog, and no room for what stands in for it");
    settings->catalog_url = bo_arena_printf(ctx->arena, "sqlite:%s/catalog.db", ctx->scratch);
    settings->repository = bo_arena_printf(ctx->arena, "%s/repository", ctx->scratch);
    settings->existing = false;
    return settings->catalog_url && settings->repository ? BO_OK : bo_nomem(err);
}

static bo_status open_or_stand_in(cli *ctx, bo_settings *settings, bo_error *err)
{
    bo_error missing = {.status = BO_NOTFOUND};
    if (settings->catalog_url && bo_session_open(settings, &ctx->session, &missing) == BO_OK)
        return BO_OK;
    if (missing.status != BO_NOTFOUND || !ctx->looks || needs_catalog(ctx)) {
        *err = missing;
        return missing.status;
    }
    bo_status st = stand_in(ctx, settings, err);
    return st == BO_OK ? bo_session_open(settings, &ctx->session, err) : st;
}

/* Who only looks needs no right to write to the repository.  Where there is no room for unfinished
 * work, what needs some says so. */
static void find_scratch(cli *ctx, bo_settings *settings)
{
    const char *repository = settings->repository;
    bool written = !repository || access(repository, W_OK) == 0 || errno == ENOENT;
    if (!settings->looks || written)
        return;
    if (cli_scratch_make(ctx, "backout", &ctx->scratch, NULL) == BO_OK)
        settings->scratch = ctx->scratch;
    else
        ctx->no_scratch = true;
}

static bo_status open_session(cli *ctx, bo_settings *settings, bo_error *err)
{
    BO_OWN(cli_secret) *passphrase = NULL;
    BO_OWN_VALUE(bo_buf) key = {0};
    bo_status st = find_key(ctx, &key, &passphrase, err);
    if (st != BO_OK)
        return st;
    settings->key = key.size ? key.data : NULL;
    settings->passphrase = cli_secret_text(passphrase);
    find_scratch(ctx, settings);
    st = open_or_stand_in(ctx, settings, err);
    if (key.size)
        explicit_bzero(key.data, key.size);
    return st;
}

bo_status cli_session(cli *ctx, bo_session **out, bo_error *err)
{
    if (!ctx->session) {
        bo_settings settings = {.progress = cli_progress,
            .warn = cli_warn,
            .ctx = ctx,
            .lock_timeout_ms = ctx->config.lock_timeout_ms,
            .looks = ctx->command->looks || ctx->looks,
            .existing = needs_catalog(ctx) || ctx->looks};
        bo_status st = find_catalog(ctx, &settings, err);
        if (st == BO_OK && settings.catalog_url)
            st = find_repository(ctx, &settings, err);
        if (st == BO_OK && settings.catalog_url)
            st = check_catalog_there(ctx, &settings, err);
        if (st != BO_OK)
            return st;
        if (settings.catalog_url)
            cli_verbose(ctx, "backout: catalog %s, repository %s", settings.catalog_url,
                settings.repository);
        st = open_session(ctx, &settings, err);
        if (st != BO_OK)
            return st;
    }
    *out = ctx->session;
    return BO_OK;
}
