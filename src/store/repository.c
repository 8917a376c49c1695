/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/repository.c - the repository on local disk: its names, its space, what it holds. */
#include "base/step.h"
#include "base/text.h"
#include "store/repository_disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LIMIT 200 /* bytes; leaves room for what a file system adds */

bo_status bo_repository_open(const char *path, bo_repository **out, bo_error *err)
{
    BO_OWN(bo_repository) *repository = calloc(1, sizeof *repository);
    if (!repository)
        return bo_nomem(err);
    repository->work_fd = -1;

    bo_status st = bo_dir_create(path, err);
    if (st == BO_OK)
        st = bo_dir_check_private(path, err);
    if (st == BO_OK && !(repository->path = realpath(path, NULL))) /* it may go elsewhere */
        st = bo_fail_errno(err, BO_IO, errno, "cannot look at '%s'", path);
    if (st != BO_OK)
        return bo_wrap(
            err, st == BO_NOTFOUND ? BO_IO : st, "cannot open the repository '%s'", path);
    *out = BO_TAKE(repository);
    return BO_OK;
}

void bo_repository_free(bo_repository *repository)
{
    if (!repository)
        return;
    bo_work_close(repository);
    free(repository->scratch);
    free(repository->path);
    free(repository);
}

bo_status bo_repository_write_to(bo_repository *repository, const char *folder, bo_error *err)
{
    char *copy = strdup(folder);
    if (!copy)
        return bo_nomem(err);
    free(repository->scratch);
    repository->scratch = copy;
    return BO_OK;
}

const char *bo_repository_path(const bo_repository *repository)
{
    return repository->path;
}

/* Letters, digits, '_', '.', '-', not beginning with '.' or '-': it cannot leave the folder, hide
 * in it or look like an option.  "tmp" is where unfinished work is. */
static bool is_plain_name(const char *name)
{
    if (!bo_text_is_alnum(name[0]) && name[0] != '_')
        return false;
    size_t size = 0;
    for (; name[size]; size++)
        if (!bo_text_is_alnum(name[size]) && !strchr("_.-", name[size]))
            return false;
    return size <= NAME_LIMIT && strcmp(name, BO_WORK_FOLDER) != 0;
}

bo_status bo_repository_locate(
    const bo_repository *repository, const char *name, char **path_out, bo_error *err)
{
    if (!is_plain_name(name))
        return bo_fail(err, BO_INVALID, "not a plain file name: '%s'", name);
    BO_OWN_MEM char *path = NULL;
    bo_status st = bo_path_join(repository->path, name, &path, err);
    if (st != BO_OK)
        return st;
    if (repository->scratch && access(path, F_OK) != 0 && errno == ENOENT)
        return bo_path_join(repository->scratch, name, path_out, err);
    *path_out = BO_TAKE(path);
    return BO_OK;
}

bo_status bo_repository_remove(bo_repository *repository, const char *name, bo_error *err)
{
    BO_OWN_MEM char *path = NULL;
    bo_status st = bo_repository_locate(repository, name, &path, err);
    if (st == BO_OK)
        st = bo_file_remove(path, err);
    bo_step("file.removed");
    return st;
}

bo_status bo_repository_size(
    bo_repository *repository, const char *name, uint64_t *bytes_out, bo_error *err)
{
    BO_OWN_MEM char *path = NULL;
    bo_status st = bo_repository_locate(repository, name, &path, err);
    if (st != BO_OK)
        return st;
    struct stat about;
    if (lstat(path, &about) != 0)
        return bo_fail_errno(
            err, errno == ENOENT ? BO_NOTFOUND : BO_IO, errno, "cannot look at '%s'", path);
    *bytes_out = (uint64_t)about.st_size;
    return BO_OK;
}

struct listing {
    const bo_repository *repository;
    bo_status (*each)(void *ctx, const char *name, bo_error *err);
    void *ctx;
};

static bo_status list_one(void *ctx, const char *name, bo_error *err)
{
    const struct listing *listing = ctx;
    if (!is_plain_name(name))
        return BO_OK;
    BO_OWN_MEM char *path = NULL;
    bo_status st = bo_path_join(listing->repository->path, name, &path, err);
    if (st != BO_OK)
        return st;
    struct stat about;
    if (lstat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return BO_OK; /* removed meanwhile, or not a file of ours */
    return listing->each(listing->ctx, name, err);
}

bo_status bo_repository_list(bo_repository *repository,
    bo_status (*each)(void *ctx, const char *name, bo_error *err), void *ctx, bo_error *err)
{
    struct listing listing = {repository, each, ctx};
    return bo_dir_list(repository->path, list_one, &listing, err);
}

bo_status bo_repository_check_space(bo_repository *repository, uint64_t bytes, bo_error *err)
{
    uint64_t available = 0;
    bo_status st = bo_dir_free_space(bo_repository_place(repository), &available, err);
    if (st != BO_OK || available >= bytes)
        return st;
    BO_OWN_VALUE(bo_buf) needed = {0};
    BO_OWN_VALUE(bo_buf) left = {0};
    bo_text_bytes(&needed, bytes);
    bo_text_bytes(&left, available);
    st = bo_fail(err, BO_IO, "no room in the repository '%s': %s are needed, %s are free",
        bo_repository_place(repository), bo_buf_str(&needed), bo_buf_str(&left));
    return bo_detail(err, st,
        "make room there, remove old points with 'backout prune', or use another repository");
}
