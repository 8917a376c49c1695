/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/store/repository_disk.h - what the files of the local repository share.
 *
 * All unfinished work of a process is in one folder of its own, <repository>/tmp/<pid>-<hex>, which
 * it keeps locked with flock(2).  The kernel drops the lock when the process dies, however it dies,
 * so whoever gets the lock may remove the folder: no process id has to be guessed about.
 */
#ifndef BO_STORE_REPOSITORY_DISK_H
#define BO_STORE_REPOSITORY_DISK_H

#include <sys/types.h>

#include "store/repository.h"

#define BO_WORK_FOLDER "tmp"

struct bo_repository {
    char *path;
    char *scratch;    /* written to instead of `path`; or NULL */
    char *work;       /* this process's folder; NULL until it is needed */
    int work_fd;      /* holds its lock; -1 */
    pid_t work_owner; /* in a child of it the folder is somebody else's */
};

/** Path of a file in the repository; BO_INVALID when `name` could be anything but a file in it. */
bo_status bo_repository_locate(
    const bo_repository *repository, const char *name, char **path_out, bo_error *err);

/** The folder that is written to. */
static inline const char *bo_repository_place(const bo_repository *repository)
{
    return repository->scratch ? repository->scratch : repository->path;
}

/** Makes and locks the process's own folder unless it has one. */
bo_status bo_work_open(bo_repository *repository, bo_error *err);
/** Removes it with all that is in it; in a child of its process only lets go of it. */
void bo_work_close(bo_repository *repository);

#endif
