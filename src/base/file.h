/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/file.h - files that are whole or absent (temp file, fsync, rename, fsync of the folder),
 * mode 0600. */
#ifndef BO_BASE_FILE_H
#define BO_BASE_FILE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/scope.h"

/** BO_DENIED for EACCES and EPERM, BO_NOMEM for ENOMEM, BO_IO for all else. */
bo_status bo_io_status(int errno_value);

typedef struct bo_outfile bo_outfile;

/**
 * Begins a durable file: a temporary file with an unpredictable name in the folder of `path`
 * (O_EXCL, O_NOFOLLOW, O_CLOEXEC, mode 0600 whatever the umask).  Nothing is at `path` until
 * bo_outfile_commit(); bo_outfile_free() before that removes the temporary file.
 *
 * @retval BO_EXISTS  something that is not a regular file is at `path`: never replaced.
 * @retval BO_IO      err names the path and the reason.
 * @retval BO_DENIED  no permission.
 */
bo_status bo_outfile_create(const char *path, bo_outfile **out, bo_error *err);
/** After a failure the file is condemned: every later write and the commit fail too. */
bo_status bo_outfile_write(bo_outfile *file, const void *data, size_t size, bo_error *err);
uint64_t bo_outfile_size(const bo_outfile *file);
/** fsync, rename onto `path` (BO_EXISTS if something is there and `replace` is false, or it is not
 * a regular file), fsync of the folder.  After a failure nothing is at `path`, or with `replace`
 * one of the two files. */
bo_status bo_outfile_commit(bo_outfile *file, bool replace, bo_error *err);
void bo_outfile_free(bo_outfile *file); /* discards what was not committed; NULL is ignored */
BO_DEFINE_SCOPE(bo_outfile);

typedef struct bo_infile bo_infile;

bo_status bo_infile_open(
    const char *path, bo_infile **out, bo_error *err); /* BO_NOTFOUND, BO_DENIED, BO_IO */
uint64_t bo_infile_size(const bo_infile *file);
/** Exactly `size` bytes at `offset`; BO_CORRUPT when the file ends before.  Safe from several
 * threads. */
bo_status bo_infile_read(bo_infile *file, uint64_t offset, void *data, size_t size, bo_error *err);
void bo_infile_free(bo_infile *file);
BO_DEFINE_SCOPE(bo_infile);

bo_status bo_file_slurp(
    const char *path, size_t limit, bo_buf *out, bo_error *err); /* BO_INVALID over `limit` */
/** The same of a file that is open; `path` is its name in errors. */
bo_status bo_fd_slurp(int fd, const char *path, size_t limit, bo_buf *out, bo_error *err);
bo_status bo_file_write(
    const char *path, const void *data, size_t size, bool replace, bo_error *err); /* durable */
bo_status bo_file_remove(const char *path, bo_error *err); /* durable; BO_NOTFOUND when absent */
bo_status bo_dir_create(
    const char *path, bo_error *err); /* with parents, 0700; BO_OK when it is there */
/** Refuses (BO_DENIED) a folder that others may write to or that somebody else owns. */
bo_status bo_dir_check_private(const char *path, bo_error *err);
/** Calls `each` for every entry but . and .., in byte order of the names; stops on a status other
 * than BO_OK and returns it. */
bo_status bo_dir_list(const char *path,
    bo_status (*each)(void *ctx, const char *name, bo_error *err), void *ctx, bo_error *err);
/** "<folder>/<name>", malloc()ed. */
bo_status bo_path_join(const char *folder, const char *name, char **out, bo_error *err);
bo_status bo_dir_free_space(const char *path, uint64_t *bytes_out, bo_error *err);
/** A new, unlinked temporary file in `dir` for spilled work; close(2) it. */
bo_status bo_temp_fd(const char *dir, int *fd_out, bo_error *err);

#endif
