/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/repository.h - where packs are kept: a folder on local disk.  These functions are the
 * seam for object storage. */
#ifndef BO_STORE_REPOSITORY_H
#define BO_STORE_REPOSITORY_H

#include "base/file.h"
#include "format/pack.h"

typedef struct bo_repository bo_repository;

/** Opens the folder `path` (made 0700 when absent); BO_DENIED when others may write to it, BO_IO
 * when it cannot be made. */
bo_status bo_repository_open(const char *path, bo_repository **out, bo_error *err);
void bo_repository_free(bo_repository *repository);
BO_DEFINE_SCOPE(bo_repository);
/** Where the repository cannot be written: what is written, finished or not, goes into `folder`,
 * which is there and ours alone, and files that are not in the repository are looked for in it. */
bo_status bo_repository_write_to(bo_repository *repository, const char *folder, bo_error *err);
const char *bo_repository_path(const bo_repository *repository);

typedef struct bo_stored_file bo_stored_file; /* a file being written: whole or absent */
/** `name` is a plain file name such as "rb_x_20261120_041739.snapshot": letters, digits, '_', '.'
 * and '-', beginning with none of the last two; BO_INVALID otherwise, BO_EXISTS when taken. */
bo_status bo_repository_create(
    bo_repository *repository, const char *name, bo_stored_file **out, bo_error *err);
bo_sink bo_stored_file_sink(bo_stored_file *file);
/** Makes it durable and puts it into place; BO_EXISTS: never onto another file. */
bo_status bo_stored_file_commit(bo_stored_file *file, bo_error *err);
void bo_stored_file_free(bo_stored_file *file); /* not committed: nothing remains */
BO_DEFINE_SCOPE(bo_stored_file);

typedef struct bo_stored_source bo_stored_source;
bo_status bo_repository_read(bo_repository *repository, const char *name, bo_stored_source **out,
    bo_error *err); /* BO_NOTFOUND names the file */
bo_status bo_file_source_open(
    const char *path, bo_stored_source **out, bo_error *err); /* any file: restore FILE */
bo_source bo_stored_source_get(bo_stored_source *source);
void bo_stored_source_free(bo_stored_source *source);
BO_DEFINE_SCOPE(bo_stored_source);

bo_status bo_repository_remove(bo_repository *repository, const char *name, bo_error *err);
bo_status bo_repository_size(
    bo_repository *repository, const char *name, uint64_t *bytes_out, bo_error *err);
/** Finished files only, in byte order of their names. */
bo_status bo_repository_list(bo_repository *repository,
    bo_status (*each)(void *ctx, const char *name, bo_error *err), void *ctx, bo_error *err);
/** BO_IO, with what to do, when fewer than `bytes` are free. */
bo_status bo_repository_check_space(bo_repository *repository, uint64_t bytes, bo_error *err);
/** A folder for spilled work of this process, on the repository's disk; the same at each call;
 * removed by bo_repository_free(). */
bo_status bo_repository_scratch(bo_repository *repository, const char **path_out, bo_error *err);
/** Does another living process have unfinished work here? */
bo_status bo_repository_in_use(bo_repository *repository, bool *out, bo_error *err);
/** Removes the temporary files that dead processes left and counts them.  Those of living processes
 * are locked and stay. */
bo_status bo_repository_sweep(bo_repository *repository, uint64_t *removed_out, bo_error *err);

#endif
