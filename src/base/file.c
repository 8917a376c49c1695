/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/file.c - files that are whole or absent, and reading them back. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { TEMP_NAME_SIZE = 64, READ_SIZE = 65536, FLUSH_SIZE = 8 << 20 };

struct bo_outfile {
    int dir_fd, fd; /* fd is -1 once it was closed */
    char *path;
    char temp_name[TEMP_NAME_SIZE]; /* "" once it was renamed */
    uint64_t size;
    uint64_t flushed; /* up to here it is on its way to the disk */
    bool condemned;
};

struct bo_infile {
    int fd;
    char *path;
    uint64_t size;
};

bo_status bo_io_status(int errno_value)
{
    switch (errno_value) {
    case EACCES:
    case EPERM:
        return BO_DENIED;
    case ENOMEM:
        return BO_NOMEM;
    default:
        return BO_IO;
    }
}

static bo_status fail_errno(bo_error *err, const char *what, const char *path)
{
    int reason = errno;
    return bo_fail_errno(err, bo_io_status(reason), reason, "cannot %s '%s'", what, path);
}

static bo_status fail_open(bo_error *err, const char *what, const char *path)
{
    if (errno == ENOENT)
        return bo_fail_errno(err, BO_NOTFOUND, ENOENT, "cannot %s '%s'", what, path);
    return fail_errno(err, what, path);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Opens the folder that `path` is in; -1 with errno. */
static int open_parent(const char *path)
{
    size_t size = (size_t)(base_name(path) - path);
    BO_OWN_MEM char *parent = size > 0 ? strndup(path, size) : strdup(".");
    if (!parent)
        return -1;
    return open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A new file in the folder `dir_fd` under a name nobody can foresee, mode 0600; -1 with errno. */
static int open_new(int dir_fd, char name[TEMP_NAME_SIZE])
{
    char random[33];
    bo_random_hex(random, 16);
    snprintf(name, TEMP_NAME_SIZE, ".backout-%s.tmp", random);
    int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (fchmod(fd, 0600) == 0) /* the umask may have taken rights away */
        return fd;
    int reason = errno;
    close(fd);
    unlinkat(dir_fd, name, 0);
    errno = reason;
    return -1;
}

/* A rename would cut a link, and a device, a pipe or a socket would be gone. */
static bo_status check_place(const bo_outfile *file, bo_error *err)
{
    struct stat there;
    if (fstatat(file->dir_fd, base_name(file->path), &there, AT_SYMLINK_NOFOLLOW) != 0 ||
        S_ISREG(there.st_mode))
        return BO_OK;
    return bo_fail(err, BO_EXISTS, "'%s' is there and is not a regular file", file->path);
}

bo_status bo_outfile_create(const char *path, bo_outfile **out, bo_error *err)
{
    BO_OWN(bo_outfile) *file = calloc(1, sizeof *file);
    if (!file)
        return bo_nomem(err);
    file->fd = -1;
    file->dir_fd = -1;
    file->path = strdup(path);
    if (!file->path)
        return bo_nomem(err);
    file->dir_fd = open_parent(path);
    if (file->dir_fd < 0)
        return fail_errno(err, "create", path);
    bo_status st = check_place(file, err);
    if (st != BO_OK)
        return st;
    file->fd = open_new(file->dir_fd, file->temp_name);
    if (file->fd < 0) {
        file->temp_name[0] = '\0';
        return fail_errno(err, "create", path);
    }
    *out = BO_TAKE(file);
    return BO_OK;
}

/* True when all `size` bytes were written; errno otherwise. */
static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, data, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        data += done;
        size -= (size_t)done;
    }
    return true;
}

static bo_status check_sound(const bo_outfile *file, bo_error *err)
{
    if (file->condemned)
        return bo_fail(err, BO_IO, "cannot write '%s': an earlier write failed", file->path);
    return BO_OK;
}

/* The disk works while more is written, so that the sync at the end, which tells of failures, is
 * short. */
static void flush_early(bo_outfile *file)
{
    const uint64_t waiting = file->size - file->flushed;
    if (waiting < FLUSH_SIZE)
        return;
    (void)sync_file_range(file->fd, (off_t)file->flushed, (off_t)waiting, SYNC_FILE_RANGE_WRITE);
    file->flushed = file->size;
}

bo_status bo_outfile_write(bo_outfile *file, const void *data, size_t size, bo_error *err)
{
    bo_status st = check_sound(file, err);
    if (st != BO_OK)
        return st;
    if (!write_all(file->fd, data, size)) {
        file->condemned = true;
        return fail_errno(err, "write", file->path);
    }
    file->size += size;
    flush_early(file);
    return BO_OK;
}

uint64_t bo_outfile_size(const bo_outfile *file)
{
    return file->size;
}

/* Renames without replacing, by a link where the file system has no such rename. */
static int rename_new(int dir_fd, const char *from, const char *to)
{
    if (renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return linkat(dir_fd, from, dir_fd, to, 0) == 0 ? unlinkat(dir_fd, from, 0) : -1;
}

static bo_status close_durable(bo_outfile *file, bo_error *err)
{
    bool synced = fsync(file->fd) == 0;
    int reason = errno;
    bool closed = close(file->fd) == 0;
    file->fd = -1;
    if (synced && closed)
        return BO_OK;
    file->condemned = true;
    errno = synced ? errno : reason;
    return fail_errno(err, "write", file->path);
}

bo_status bo_outfile_commit(bo_outfile *file, bool replace, bo_error *err)
{
    bo_status st = check_sound(file, err);
    if (st != BO_OK)
        return st;
    st = close_durable(file, err);
    if (st == BO_OK && replace)
        st = check_place(file, err);
    if (st != BO_OK)
        return st;
    file->condemned = true; /* there is nothing left to write to */
    const char *name = base_name(file->path);
    int failed = replace ? renameat(file->dir_fd, file->temp_name, file->dir_fd, name)
                         : rename_new(file->dir_fd, file->temp_name, name);
    if (failed && errno == EEXIST)
        return bo_fail(err, BO_EXISTS, "'%s' exists already", file->path);
    if (failed)
        return fail_errno(err, "create", file->path);
    file->temp_name[0] = '\0';
    if (fsync(file->dir_fd) == 0)
        return BO_OK;
    st = fail_errno(err, "make durable", file->path);
    if (!replace) /* whole, or absent */
        (void)unlinkat(file->dir_fd, name, 0);
    return st;
}

void bo_outfile_free(bo_outfile *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    if (file->temp_name[0])
        unlinkat(file->dir_fd, file->temp_name, 0);
    if (file->dir_fd >= 0)
        close(file->dir_fd);
    free(file->path);
    free(file);
}

bo_status bo_infile_open(const char *path, bo_infile **out, bo_error *err)
{
    BO_OWN(bo_infile) *file = calloc(1, sizeof *file);
    if (!file)
        return bo_nomem(err);
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not make us wait */
    if (file->fd < 0)
        return fail_open(err, "open", path);
    struct stat facts;
    if (fstat(file->fd, &facts) != 0)
        return fail_errno(err, "open", path);
    if (!S_ISREG(facts.st_mode))
        return bo_fail(err, BO_IO, "cannot open '%s': not a regular file", path);
    file->size = (uint64_t)facts.st_size;
    file->path = strdup(path);
    if (!file->path)
        return bo_nomem(err);
    *out = BO_TAKE(file);
    return BO_OK;
}

uint64_t bo_infile_size(const bo_infile *file)
{
    return file->size;
}

bo_status bo_infile_read(bo_infile *file, uint64_t offset, void *data, size_t size, bo_error *err)
{
    uint8_t *to = data;
    if (size > INT64_MAX || offset > INT64_MAX - size)
        return bo_fail(err, BO_CORRUPT, "'%s' ends too early", file->path);
    while (size > 0) {
        ssize_t done = pread(file->fd, to, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(err, "read", file->path);
        if (done == 0)
            return bo_fail(err, BO_CORRUPT, "'%s' ends too early", file->path);
        to += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return BO_OK;
}

void bo_infile_free(bo_infile *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    free(file);
}

/* Reads to the end, or to the first byte over `limit`. */
static bo_status read_to_end(int fd, const char *path, size_t limit, bo_buf *out, bo_error *err)
{
    size_t before = out->size;
    for (;;) {
        if (!bo_buf_reserve(out, READ_SIZE))
            return bo_nomem(err);
        ssize_t done = read(fd, out->data + out->size, READ_SIZE);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(err, "read", path);
        out->size += (size_t)done;
        out->data[out->size] = 0;
        if (out->size - before > limit)
            return bo_fail(err, BO_INVALID, "'%s' is larger than %zu bytes", path, limit);
        if (done == 0)
            return BO_OK;
    }
}

bo_status bo_file_slurp(const char *path, size_t limit, bo_buf *out, bo_error *err)
{
    BO_OWN_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_open(err, "open", path);
    return bo_fd_slurp(fd, path, limit, out, err);
}

bo_status bo_fd_slurp(int fd, const char *path, size_t limit, bo_buf *out, bo_error *err)
{
    size_t before = out->size;
    bo_status st = read_to_end(fd, path, limit, out, err);
    if (st != BO_OK && out->data) {
        out->size = before;
        out->data[before] = 0;
    }
    return st;
}

bo_status bo_file_write(
    const char *path, const void *data, size_t size, bool replace, bo_error *err)
{
    BO_OWN(bo_outfile) *file = NULL;
    bo_status st = bo_outfile_create(path, &file, err);
    if (st == BO_OK)
        st = bo_outfile_write(file, data, size, err);
    if (st == BO_OK)
        st = bo_outfile_commit(file, replace, err);
    return st;
}

bo_status bo_file_remove(const char *path, bo_error *err)
{
    BO_OWN_FD int dir_fd = open_parent(path);
    if (dir_fd < 0 || unlinkat(dir_fd, base_name(path), 0) != 0)
        return fail_open(err, "remove", path);
    if (fsync(dir_fd) != 0)
        return fail_errno(err, "remove", path);
    return BO_OK;
}

bo_status bo_temp_fd(const char *dir, int *fd_out, bo_error *err)
{
    BO_OWN_FD int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return fail_errno(err, "make a temporary file in", dir);
    char name[TEMP_NAME_SIZE];
    int fd = open_new(dir_fd, name);
    if (fd < 0)
        return fail_errno(err, "make a temporary file in", dir);
    if (unlinkat(dir_fd, name, 0) != 0) {
        bo_status st = fail_errno(err, "make a temporary file in", dir);
        close(fd);
        return st;
    }
    *fd_out = fd;
    return BO_OK;
}
