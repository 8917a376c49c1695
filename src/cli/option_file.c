/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/option_file.c - an option file of the mariadb client, for as long as a command runs. */
#include "cli/option_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/mariadb_url.h"
#include "cli/progress.h"

static void path_of(const cli_option_file *file, bo_buf *out)
{
    bo_buf_printf(out, "%s/my.cnf", file->folder);
}

/* The file that stands in the way of ours: MARIADB_HOME comes first, as in the client. */
static void include_other(bo_buf *text)
{
    const char *home = getenv("MARIADB_HOME");
    home = home ? home : getenv("MYSQL_HOME");
    BO_OWN_VALUE(bo_buf) other = {0};
    bo_buf_printf(&other, "%s/my.cnf", home ? home : "");
    if (home && !other.failed && access(bo_buf_str(&other), R_OK) == 0)
        bo_buf_printf(text, "!include %s\n", bo_buf_str(&other));
}

/* What the client would not read as it is, is left out. */
static void add_option(bo_buf *text, const char *name, const bo_buf *value)
{
    const char *plain = bo_buf_str(value);
    if (plain[0] && !strpbrk(plain, "\\\"'#\r\n"))
        bo_buf_printf(text, "%s=\"%s\"\n", name, plain);
}

/* Files in /etc may name another server; the environment counts less than they do. */
static void add_options(bo_buf *text, const char *url, const char *run_id)
{
    BO_OWN_VALUE(cli_mariadb_url) parts = {0};
    bo_buf_add_str(text, "[client]\n");
    if (cli_mariadb_url_read(url, &parts)) {
        add_option(text, "host", &parts.host);
        add_option(text, "port", &parts.port);
        add_option(text, "socket", &parts.socket);
        add_option(text, "user", &parts.user);
        bo_buf_add_str(text, "[mysql]\n");
        add_option(text, "database", &parts.database);
    }
    bo_buf_printf(text, "[mysql]\ninit-command=\"SET @backout_run = '%s'\"\n", run_id);
}

static bool write_file(const cli_option_file *file, const char *url, const char *run_id)
{
    BO_OWN_VALUE(bo_buf) path = {0};
    BO_OWN_VALUE(bo_buf) text = {0};
    path_of(file, &path);
    include_other(&text);
    add_options(&text, url, run_id);
    FILE *stream = path.failed || text.failed ? NULL : fopen(bo_buf_str(&path), "wxe");
    if (!stream)
        return false;
    bool good = fputs(bo_buf_str(&text), stream) >= 0;
    return fclose(stream) == 0 && good;
}

void cli_option_file_make(cli *ctx, const char *url, const char *run_id, cli_option_file *out)
{
    const char *temporary = getenv("TMPDIR");
    cli_option_file file = {0};
    if (!bo_text_starts(url, "mariadb:") && !bo_text_starts(url, "mysql:"))
        return;
    int size = snprintf(file.folder, sizeof file.folder, "%s/backout-run-XXXXXX",
        temporary && *temporary ? temporary : "/tmp");
    bool made =
        size > 0 && (size_t)size < sizeof file.folder && mkdtemp(file.folder); /* mode 0700 */
    if (made && write_file(&file, url, run_id)) {
        *out = file;
        return;
    }
    char text[768];
    (void)snprintf(text, sizeof text, "sessions of the mariadb client are not marked: %s: %s",
        file.folder, strerror(errno));
    cli_warn(ctx, text);
    if (made)
        cli_option_file_done(&file);
}

void cli_option_file_use(const cli_option_file *file)
{
    if (!file->folder[0])
        return;
    (void)setenv("MYSQL_HOME", file->folder, 1);
    (void)setenv("MARIADB_HOME", file->folder, 1);
}

void cli_option_file_done(cli_option_file *file)
{
    BO_OWN_VALUE(bo_buf) path = {0};
    if (!file->folder[0])
        return;
    path_of(file, &path);
    if (!path.failed)
        (void)unlink(bo_buf_str(&path));
    (void)rmdir(file->folder);
    file->folder[0] = '\0';
}
