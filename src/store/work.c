/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/work.c - the locked folders of unfinished work, and removing those of dead processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/repository_disk.h"

enum { MAKE_ATTEMPTS = 16 };

struct removal {
    const char *folder;
    uint64_t files;
};

static bo_status remove_tree(const char *path, uint64_t *files, bo_error *err);

static bo_status remove_entry(void *ctx, const char *name, bo_error *err)
{
    struct removal *removal = ctx;
    BO_OWN_MEM char *path = NULL;
    bo_status st = bo_path_join(removal->folder, name, &path, err);
    if (st != BO_OK)
        return st;
    struct stat about;
    if (lstat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return remove_tree(path, &removal->files, err);
    if (unlink(path) != 0 && errno != ENOENT)
        return bo_fail_errno(err, bo_io_status(errno), errno, "cannot remove '%s'", path);
    removal->files++;
    return BO_OK;
}

/* Counts the files, not the folders, that it removes. */
static bo_status remove_tree(const char *path, uint64_t *files, bo_error *err)
{
    struct removal removal = {path, 0};
    bo_status st = bo_dir_list(path, remove_entry, &removal, err);
    *files += removal.files;
    if (st != BO_OK)
        return st;
    if (rmdir(path) != 0 && errno != ENOENT)
        return bo_fail_errno(err, bo_io_status(errno), errno, "cannot remove '%s'", path);
    return BO_OK;
}

/* A sweep may take a new folder away before its lock is held: then it is not at `path` any more. */
static bool lock_folder(const char *path, int *fd_out)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct stat held;
    struct stat there;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &held) == 0 && lstat(path, &there) == 0 &&
        held.st_dev == there.st_dev && held.st_ino == there.st_ino) {
        *fd_out = fd;
        return true;
    }
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return false;
}

static bool has_own(const bo_repository *repository)
{
    return repository->work && repository->work_owner == getpid();
}

bo_status bo_work_open(bo_repository *repository, bo_error *err)
{
    if (has_own(repository))
        return BO_OK;
    bo_work_close(repository);
    BO_OWN_MEM char *parent = NULL;
    bo_status st = bo_path_join(bo_repository_place(repository), BO_WORK_FOLDER, &parent, err);
    if (st == BO_OK)
        st = bo_dir_create(parent, err);
    if (st == BO_OK)
        st = bo_dir_check_private(parent, err);
    if (st != BO_OK)
        return st;

    for (int attempt = 0; attempt < MAKE_ATTEMPTS; attempt++) {
        char random[17];
        bo_random_hex(random, 8);
        BO_OWN_MEM char *path = NULL;
        if (asprintf(&path, "%s/%ld-%s", parent, (long)getpid(), random) < 0)
            return bo_nomem(err);
        if (mkdir(path, 0700) != 0)
            return bo_fail_errno(err, bo_io_status(errno), errno, "cannot make '%s'", path);
        if (lock_folder(path, &repository->work_fd)) {
            repository->work = BO_TAKE(path);
            repository->work_owner = getpid();
            return BO_OK;
        }
        if (errno != EWOULDBLOCK && errno != ENOENT) {
            int reason = errno;
            (void)rmdir(path);
            return bo_fail_errno(err, bo_io_status(reason), reason, "cannot lock '%s'", path);
        }
    }
    return bo_fail(err, BO_BUSY, "another process keeps clearing '%s'", parent);
}

void bo_work_close(bo_repository *repository)
{
    if (!repository->work)
        return;
    uint64_t files = 0;
    bo_error ignored = {0}; /* what stays is swept by the next process */
    if (has_own(repository))
        (void)remove_tree(repository->work, &files, &ignored);
    (void)close(repository->work_fd);
    free(repository->work);
    repository->work = NULL;
    repository->work_fd = -1;
}

bo_status bo_repository_scratch(bo_repository *repository, const char **path_out, bo_error *err)
{
    bo_status st = bo_work_open(repository, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot make a scratch folder in '%s'", repository->path);
    *path_out = repository->work;
    return BO_OK;
}

/* ---- the folders of all processes ---- */

typedef bo_status work_fn(void *ctx, const char *path, bo_error *err);

struct walk {
    const char *parent;
    work_fn *each;
    void *ctx;
};

static bo_status walk_one(void *ctx, const char *name, bo_error *err)
{
    const struct walk *walk = ctx;
    BO_OWN_MEM char *path = NULL;
    bo_status st = bo_path_join(walk->parent, name, &path, err);
    return st == BO_OK ? walk->each(walk->ctx, path, err) : st;
}

static bo_status walk_work(const bo_repository *repository, work_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_MEM char *parent = NULL;
    bo_status st = bo_path_join(repository->path, BO_WORK_FOLDER, &parent, err);
    if (st != BO_OK || access(parent, F_OK) != 0)
        return st;
    struct walk walk = {parent, each, ctx};
    return bo_dir_list(parent, walk_one, &walk, err);
}

static bo_status sweep_one(void *ctx, const char *path, bo_error *err)
{
    int fd = -1;
    if (!lock_folder(path, &fd))
        return BO_OK; /* its process lives, or another sweep has it */
    bo_status st = remove_tree(path, ctx, err);
    (void)close(fd);
    return st;
}

bo_status bo_repository_sweep(bo_repository *repository, uint64_t *removed_out, bo_error *err)
{
    uint64_t files = 0;
    bo_status st = walk_work(repository, sweep_one, &files, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot clear what dead processes left in '%s'", repository->path);
    *removed_out = files;
    return BO_OK;
}

struct search {
    const char *own; /* NULL: none */
    bool found;
};

static bo_status look_for_lock(void *ctx, const char *path, bo_error *err)
{
    (void)err;
    struct search *search = ctx;
    if (search->found || (search->own && strcmp(path, search->own) == 0))
        return BO_OK;
    int fd = -1;
    if (lock_folder(path, &fd))
        (void)close(fd);
    else
        search->found = errno == EWOULDBLOCK;
    return BO_OK;
}

bo_status bo_repository_in_use(bo_repository *repository, bool *out, bo_error *err)
{
    struct search search = {.own = has_own(repository) ? repository->work : NULL};
    bo_status st = walk_work(repository, look_for_lock, &search, err);
    if (st == BO_OK)
        *out = search.found;
    return st;
}
