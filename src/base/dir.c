/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/dir.c - folders: making, listing, checking whose they are. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"

typedef struct entries {
    struct dirent **items;
    int count;
} entries;

static void entries_done(entries *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static bo_status fail_errno(bo_error *err, const char *what, const char *path)
{
    int reason = errno;
    bo_status status = reason == ENOENT ? BO_NOTFOUND : bo_io_status(reason);
    return bo_fail_errno(err, status, reason, "cannot %s '%s'", what, path);
}

static bool is_directory(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* Makes one folder, durably, with mode 0700 whatever the umask; 0 when it is there already. */
static int make_one(const char *path)
{
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST && is_directory(path) ? 0 : -1;
    if (fchmodat(AT_FDCWD, path, 0700, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    BO_OWN_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    BO_OWN_FD int parent_fd = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return parent_fd < 0 ? -1 : fsync(parent_fd);
}

bo_status bo_dir_create(const char *path, bo_error *err)
{
    BO_OWN_MEM char *part = strdup(path);
    if (!part)
        return bo_nomem(err);
    for (char *p = part; *p; p++) {
        if (*p != '/' || p == part || p[-1] == '/')
            continue;
        *p = '\0';
        if (make_one(part) != 0)
            return fail_errno(err, "create the folder", part);
        *p = '/';
    }
    return make_one(part) == 0 ? BO_OK : fail_errno(err, "create the folder", path);
}

bo_status bo_dir_check_private(const char *path, bo_error *err)
{
    struct stat facts;
    if (stat(path, &facts) != 0)
        return fail_errno(err, "open the folder", path);
    if (!S_ISDIR(facts.st_mode))
        return bo_fail(err, BO_IO, "'%s' is not a folder", path);
    if (facts.st_uid != geteuid())
        return bo_fail(err, BO_DENIED, "the folder '%s' belongs to another user", path);
    if (facts.st_mode & (S_IWGRP | S_IWOTH))
        return bo_fail(err, BO_DENIED, "others may write to the folder '%s'", path);
    return BO_OK;
}

static int is_named(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

bo_status bo_dir_list(const char *path,
    bo_status (*each)(void *ctx, const char *name, bo_error *err), void *ctx, bo_error *err)
{
    BO_OWN_VALUE(entries) list = {0};
    list.count = scandir(path, &list.items, is_named, by_bytes);
    if (list.count < 0)
        return fail_errno(err, "read the folder", path);
    bo_status st = BO_OK;
    for (int i = 0; i < list.count && st == BO_OK; i++)
        st = each(ctx, list.items[i]->d_name, err);
    return st;
}

bo_status bo_dir_free_space(const char *path, uint64_t *bytes_out, bo_error *err)
{
    struct statvfs facts;
    if (statvfs(path, &facts) != 0)
        return fail_errno(err, "read the free space of", path);
    *bytes_out = (uint64_t)facts.f_bavail * facts.f_frsize;
    return BO_OK;
}

bo_status bo_path_join(const char *folder, const char *name, char **out, bo_error *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return bo_nomem(err);
    *out = path;
    return BO_OK;
}
