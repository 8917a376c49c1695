/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/fault_files.h - the calls to the file system, of this program and of the libraries
 * it uses, with a fault at the n-th.
 *
 *     unsigned nth = 0;
 *     do {
 *         fault_files_arm(FILE_FAILS, ++nth, NULL);
 *         st = what_is_tested();
 *         ... either BO_OK, or an error that names the cause, and nothing changed ...
 *     } while (fault_files_fired());
 *
 * A program that links this waits for no disk: fsync() and fdatasync() are counted and told, and do
 * nothing.  glibc only.
 */
#ifndef BO_TESTS_FAULT_FILES_H
#define BO_TESTS_FAULT_FILES_H

#include <stdbool.h>
#include <sys/types.h>

typedef enum file_fault {
    FILE_SOUND, /* nothing fails; calls are counted and told */
    FILE_FAILS, /* the n-th call: ENOSPC where it needs room, ENOMEM for a mapping, else EIO */
    FILE_SHORT, /* the n-th write() takes half of the bytes, as it may */
    FILE_FULL,  /* from the n-th call that needs room on there is none; it may write a half */
    FILE_GONE,  /* every call from the n-th on: EIO */
} file_fault;

/**
 * From now on, in any thread.
 * @param under  only files in this folder count; NULL: all.
 */
void fault_files_arm(file_fault how, unsigned nth, const char *under);
/** Disarms; true when the fault fired since it was armed. */
bool fault_files_fired(void);
/** The first call that failed: "pwrite64 '/path/file'", or "". */
const char *fault_files_place(void);
/** Its errno; 0 for a short write. */
int fault_files_errno(void);

/** Is told of what changes files, with whole paths; `changing` before it is done, the others after
 * it succeeded.  Renames are told as they are, other calls by their effect. */
typedef struct file_watch {
    void (*changing)(void); /* a call that creates, writes, syncs, renames, removes */
    void (*made)(const char *path, bool folder);
    void (*written)(const char *path, off_t offset, const void *data, size_t size);
    void (*cut)(const char *path, off_t size);
    void (*synced)(const char *path);
    void (*renamed)(const char *from, const char *to, bool keep); /* keep: a second name */
    void (*removed)(const char *path);
} file_watch;
/** NULL: nobody.  Borrowed.  Only while it is armed. */
void fault_files_watch(const file_watch *functions);

#endif
