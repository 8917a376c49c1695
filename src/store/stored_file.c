/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/stored_file.c - one file of the repository: written whole or not at all, and read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/step.h"
#include "store/repository_disk.h"

struct bo_stored_file {
    const bo_repository *repository; /* borrowed; outlives the file */
    bo_outfile *content;
    char *work;  /* where it is finished first, in the process's own folder */
    char *final; /* where it appears */
    bool committed;
};

bo_status bo_repository_create(
    bo_repository *repository, const char *name, bo_stored_file **out, bo_error *err)
{
    BO_OWN(bo_stored_file) *file = calloc(1, sizeof *file);
    if (!file)
        return bo_nomem(err);
    file->repository = repository;
    bo_status st = bo_repository_locate(repository, name, &file->final, err);
    if (st != BO_OK)
        return st;
    if (access(file->final, F_OK) == 0)
        return bo_fail(err, BO_EXISTS, "there is a file '%s' already", file->final);

    st = bo_work_open(repository, err);
    if (st == BO_OK)
        st = bo_path_join(repository->work, name, &file->work, err);
    if (st == BO_OK)
        st = bo_outfile_create(file->work, &file->content, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot begin '%s'", file->final);
    *out = BO_TAKE(file);
    return BO_OK;
}

static bo_status write_content(void *ctx, const void *data, size_t size, bo_error *err)
{
    bo_stored_file *file = ctx;
    bo_status st = bo_outfile_write(file->content, data, size, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot write '%s'", file->final);
}

bo_sink bo_stored_file_sink(bo_stored_file *file)
{
    return (bo_sink){.ctx = file, .write = write_content};
}

/* rename(2) that never replaces; file systems that cannot say so have link(2). */
static int rename_to_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(from, to) != 0)
        return -1;
    (void)unlink(from); /* goes with its folder at the latest */
    return 0;
}

static bo_status sync_folder(const char *path, bo_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        int reason = errno;
        if (fd >= 0)
            (void)close(fd);
        return bo_fail_errno(err, bo_io_status(reason), reason, "cannot sync '%s'", path);
    }
    (void)close(fd);
    return BO_OK;
}

bo_status bo_stored_file_commit(bo_stored_file *file, bo_error *err)
{
    bo_status st = bo_outfile_commit(file->content, false, err);
    bo_step("file.finished");
    if (st == BO_OK && rename_to_new(file->work, file->final) != 0)
        st = bo_fail_errno(err, errno == EEXIST ? BO_EXISTS : bo_io_status(errno), errno,
            "cannot move the finished file into place");
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot finish '%s'", file->final);

    st = sync_folder(bo_repository_place(file->repository), err);
    if (st != BO_OK) {
        (void)unlink(file->final); /* not known to be durable: whole or absent */
        return bo_wrap(err, st, "cannot finish '%s'", file->final);
    }
    file->committed = true;
    bo_step("file.stored");
    return BO_OK;
}

void bo_stored_file_free(bo_stored_file *file)
{
    if (!file)
        return;
    bo_outfile_free(file->content);
    if (!file->committed && file->work)
        (void)unlink(file->work);
    free(file->work);
    free(file->final);
    free(file);
}

struct bo_stored_source {
    bo_infile *content;
};

bo_status bo_file_source_open(const char *path, bo_stored_source **out, bo_error *err)
{
    BO_OWN(bo_stored_source) *source = calloc(1, sizeof *source);
    if (!source)
        return bo_nomem(err);
    bo_status st = bo_infile_open(path, &source->content, err);
    if (st != BO_OK)
        return st;
    *out = BO_TAKE(source);
    return BO_OK;
}

bo_status bo_repository_read(
    bo_repository *repository, const char *name, bo_stored_source **out, bo_error *err)
{
    BO_OWN_MEM char *path = NULL;
    bo_status st = bo_repository_locate(repository, name, &path, err);
    return st == BO_OK ? bo_file_source_open(path, out, err) : st;
}

static bo_status read_content(void *ctx, uint64_t offset, void *data, size_t size, bo_error *err)
{
    bo_stored_source *source = ctx;
    return bo_infile_read(source->content, offset, data, size, err);
}

bo_source bo_stored_source_get(bo_stored_source *source)
{
    return (bo_source){
        .ctx = source, .size = bo_infile_size(source->content), .read = read_content};
}

void bo_stored_source_free(bo_stored_source *source)
{
    if (!source)
        return;
    bo_infile_free(source->content);
    free(source);
}
