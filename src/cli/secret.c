/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/secret.c - passwords and passphrases. */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

struct cli_secret {
    size_t size;
    char text[CLI_SECRET_LIMIT + 1];
};

const char *cli_secret_text(const cli_secret *secret)
{
    return secret ? secret->text : NULL;
}

void cli_secret_free(cli_secret *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, sizeof *secret);
    free(secret);
}

/* Is there "password=" (or "sslpassword=") as a key of its own in `text`? */
static bool has_password_key(const char *text)
{
    for (const char *at = bo_text_find(text, "password"); at;
         at = bo_text_find(at + 1, "password")) {
        const char *after = at + strlen("password");
        after += strspn(after, " ");
        if (*after == '=')
            return true;
    }
    return false;
}

bool cli_url_has_password(const char *url)
{
    const char *authority = strstr(url, "://");
    if (strncmp(url, "sqlite:", 7) == 0)
        return false;
    if (!authority) /* a path has no '='; a connection string of libpq has */
        return strchr(url, '=') && has_password_key(url);
    authority += 3;
    size_t size = strcspn(authority, "/"); /* libpq lets a password have '?' and '#' in it */
    const char *at = memrchr(authority, '@', size);
    const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    const char *query = strchr(authority, '?');
    return (colon && colon + 1 < at) || (query && has_password_key(query));
}

void cli_argument_wipe(const char *argument)
{
    /* argv is the program's own, writable memory (C11 5.1.2.2.1). */
    memset((char *)argument, 'x', strlen(argument));
}

/* Reads `fd` to its end and takes the line end off. */
static bo_status read_all(int fd, const char *what, cli_secret **out, bo_error *err)
{
    BO_OWN(cli_secret) *secret = calloc(1, sizeof *secret);
    if (!secret)
        return bo_nomem(err);
    for (;;) {
        ssize_t got = read(fd, secret->text + secret->size, sizeof secret->text - secret->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return bo_fail_errno(err, BO_IO, errno, "cannot read %s", what);
        if (got == 0)
            break;
        secret->size += (size_t)got;
        if (secret->size > CLI_SECRET_LIMIT)
            return bo_fail(err, BO_INVALID, "%s is longer than %d bytes", what, CLI_SECRET_LIMIT);
    }
    while (secret->size && strchr("\r\n", secret->text[secret->size - 1]))
        secret->text[--secret->size] = '\0';
    if (secret->size == 0)
        return bo_fail(err, BO_INVALID, "%s is empty", what);
    if (memchr(secret->text, '\0', secret->size))
        return bo_fail(err, BO_INVALID, "%s has a zero byte in it", what);
    *out = BO_TAKE(secret);
    return BO_OK;
}

bo_status cli_secret_command(const char *command, const char *what, cli_secret **out, bo_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return bo_fail_errno(err, BO_IO, errno, "cannot ask the command for %s", what);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    if (child < 0) {
        (void)close(ends[0]);
        return bo_fail_errno(err, BO_IO, errno, "cannot ask the command for %s", what);
    }
    BO_OWN(cli_secret) *secret = NULL;
    bo_status st = read_all(ends[0], what, &secret, err);
    (void)close(ends[0]);
    int ended = 0;
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
        return bo_fail(err, BO_FAILED, "the command for %s failed with %s %d", what,
            WIFEXITED(ended) ? "exit code" : "signal",
            WIFEXITED(ended) ? WEXITSTATUS(ended) : WTERMSIG(ended));
    if (st != BO_OK)
        return st;
    *out = BO_TAKE(secret);
    return BO_OK;
}

bo_status cli_secret_file(const char *path, const char *what, cli_secret **out, bo_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return bo_fail_errno(err, errno == ENOENT ? BO_NOTFOUND : BO_IO, errno,
            "cannot read %s from '%s'", what, path);
    struct stat info;
    bo_status st = BO_OK;
    if (fstat(fd, &info) != 0)
        st = bo_fail_errno(err, BO_IO, errno, "cannot read %s from '%s'", what, path);
    else if (S_ISREG(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)))
        st = bo_fail(err, BO_DENIED, "'%s' with %s can be read by others", path, what);
    else
        st = read_all(fd, what, out, err);
    (void)close(fd);
    return st;
}
