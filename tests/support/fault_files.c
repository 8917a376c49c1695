/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/fault_files.c - open(), write() and their relatives, visible to every shared
 * library, with a fault. */
#undef _FORTIFY_SOURCE /* its inline functions would be ours */
#include "support/fault_files.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What a call does decides how it fails. */
typedef enum effect { LOOKS, LOCKS, WRITES, NEEDS_ROOM, CHANGES, MAPS } effect;

static atomic_bool armed;
static atomic_uint count;
static atomic_bool fired;
static file_fault fault;
static unsigned place_of_fault;
static char under[PATH_MAX];
static size_t under_size;
static char place[PATH_MAX];
static int reason;
static const file_watch *watch;

void fault_files_arm(file_fault how, unsigned nth, const char *folder)
{
    atomic_store(&armed, false);
    fault = how;
    place_of_fault = nth;
    (void)snprintf(under, sizeof under, "%s", folder ? folder : "");
    under_size = strlen(under);
    place[0] = '\0';
    reason = 0;
    atomic_store(&count, 0);
    atomic_store(&fired, false);
    atomic_store(&armed, true);
}

bool fault_files_fired(void)
{
    atomic_store(&armed, false);
    return atomic_load(&fired);
}

const char *fault_files_place(void)
{
    return place;
}

int fault_files_errno(void)
{
    return reason;
}

void fault_files_watch(const file_watch *functions)
{
    watch = functions;
}

/* ---- which file it is about ---- */

#define REAL(name) dlsym(RTLD_NEXT, name)

static void path_of(int fd, char out[PATH_MAX])
{
    static ssize_t (*look)(const char *, char *, size_t);
    if (!look)
        look = (ssize_t(*)(const char *, char *, size_t))REAL("readlink");
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = look(link, out, PATH_MAX - 1);
    out[size > 0 ? size : 0] = '\0';
}

/* `path` as openat() understands it; NULL: of the file `fd` itself. */
static void whole_path(int fd, const char *path, char out[PATH_MAX])
{
    if (!path) {
        path_of(fd, out);
    } else if (path[0] == '/' || fd == AT_FDCWD) {
        (void)snprintf(out, PATH_MAX, "%s", path);
    } else {
        path_of(fd, out);
        size_t size = strlen(out);
        (void)snprintf(out + size, PATH_MAX - size, "/%s", path);
    }
}

static bool is_meant(const char *path)
{
    return strncmp(path, under, under_size) == 0 &&
           (under_size == 0 || path[under_size] == '/' || path[under_size] == '\0');
}

/* ---- the fault ---- */

static bool counts(effect what, size_t size)
{
    switch (fault) {
    case FILE_SHORT:
        return what == WRITES && size > 1;
    case FILE_FULL:
        return what == WRITES || what == NEEDS_ROOM;
    case FILE_GONE:
        return what != LOCKS; /* they need no disk */
    default:
        return true;
    }
}

static int errno_of(effect what)
{
    if (fault == FILE_FULL || (fault == FILE_FAILS && (what == WRITES || what == NEEDS_ROOM)))
        return ENOSPC;
    return what == MAPS && fault == FILE_FAILS ? ENOMEM : EIO;
}

typedef enum verdict { PASSES, IS_HALVED, FAILS } verdict;

static verdict judge(const char *function, const char *path, effect what, size_t size)
{
    if (!counts(what, size))
        return PASSES;
    unsigned now = atomic_fetch_add(&count, 1) + 1;
    bool for_good = fault == FILE_FULL || fault == FILE_GONE;
    if (now < place_of_fault || (now > place_of_fault && !for_good) || place_of_fault == 0 ||
        fault == FILE_SOUND)
        return PASSES;
    bool halved = what == WRITES && size > 1 && now == place_of_fault &&
                  (fault == FILE_SHORT || fault == FILE_FULL);
    if (now == place_of_fault)
        (void)snprintf(place, sizeof place, "%s '%.3000s'", function, path);
    if (now == place_of_fault && fault != FILE_SHORT)
        reason = errno_of(what);
    atomic_store(&fired, true);
    errno = errno_of(what);
    return halved ? IS_HALVED : FAILS;
}

/* Before each call; `path` as in whole_path().  errno is kept where it passes. */
static verdict meet(const char *function, int fd, const char *path, effect what, size_t size)
{
    if (!atomic_load(&armed))
        return PASSES;
    int before = errno;
    char whole[PATH_MAX];
    whole_path(fd, path, whole);
    errno = before;
    if (!is_meant(whole))
        return PASSES;
    if (watch && what != LOOKS && what != LOCKS && what != MAPS)
        watch->changing();
    return judge(function, whole, what, size);
}

/* The watcher, if it is to hear of this file. */
static const file_watch *watcher(int fd, const char *path, char whole[PATH_MAX])
{
    if (!watch || !atomic_load(&armed))
        return NULL;
    int before = errno;
    whole_path(fd, path, whole);
    errno = before;
    return is_meant(whole) ? watch : NULL;
}

/* ---- calls that are only counted ---- */

#ifdef __USE_FILE_OFFSET64
#define LARGE(name) name "64" /* what <fcntl.h> and the others turn the names into */
#else
#define LARGE(name) name
#endif
#define VISIBLE __attribute__((visibility("default")))

/* `fd` and `path` tell the file, `failed` is what it returns then. */
#define COUNTED(result, name, symbol, parameters, arguments, fd, path, what, failed) \
    VISIBLE result name parameters;                                                  \
    result name parameters                                                           \
    {                                                                                \
        static result(*real) parameters;                                             \
        if (!real)                                                                   \
            real = (result(*) parameters)REAL(symbol);                               \
        return meet(#name, fd, path, what, 0) == PASSES ? real arguments : (failed); \
    }

COUNTED(ssize_t, read, "read", (int fd, void *to, size_t size), (fd, to, size), fd, NULL, LOOKS, -1)
COUNTED(ssize_t, pread, LARGE("pread"), (int fd, void *to, size_t size, off_t at),
    (fd, to, size, at), fd, NULL, LOOKS, -1)
COUNTED(int, fstat, LARGE("fstat"), (int fd, struct stat *about), (fd, about), fd, NULL, LOOKS, -1)
COUNTED(int, stat, LARGE("stat"), (const char *path, struct stat *about), (path, about), AT_FDCWD,
    path, LOOKS, -1)
COUNTED(int, lstat, LARGE("lstat"), (const char *path, struct stat *about), (path, about), AT_FDCWD,
    path, LOOKS, -1)
COUNTED(int, statvfs, LARGE("statvfs"), (const char *path, struct statvfs *about), (path, about),
    AT_FDCWD, path, LOOKS, -1)
COUNTED(int, access, "access", (const char *path, int how), (path, how), AT_FDCWD, path, LOOKS, -1)
COUNTED(ssize_t, readlink, "readlink", (const char *path, char *to, size_t size), (path, to, size),
    AT_FDCWD, path, LOOKS, -1)
COUNTED(char *, realpath, "realpath", (const char *path, char *to), (path, to), AT_FDCWD, path,
    LOOKS, NULL)
COUNTED(int, scandir, LARGE("scandir"),
    (const char *path, struct dirent ***list, int (*is_meant_too)(const struct dirent *),
        int (*order)(const struct dirent **, const struct dirent **)),
    (path, list, is_meant_too, order), AT_FDCWD, path, LOOKS, -1)
COUNTED(int, flock, "flock", (int fd, int how), (fd, how), fd, NULL, LOCKS, -1)
COUNTED(int, fchmod, "fchmod", (int fd, mode_t mode), (fd, mode), fd, NULL, LOOKS, -1)
COUNTED(int, fchown, "fchown", (int fd, uid_t user, gid_t group), (fd, user, group), fd, NULL,
    LOOKS, -1)
COUNTED(int, fchmodat, "fchmodat", (int fd, const char *path, mode_t mode, int how),
    (fd, path, mode, how), fd, path, LOOKS, -1)
COUNTED(void *, mmap, LARGE("mmap"),
    (void *near, size_t size, int rights, int how, int fd, off_t offset),
    (near, size, rights, how, fd, offset), fd, NULL, MAPS, MAP_FAILED)

/* On Linux a descriptor is gone even when this fails. */
VISIBLE int close(int fd);
int close(int fd)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))REAL("close");
    verdict found = meet("close", fd, NULL, LOOKS, 0);
    int wanted = errno, done = real(fd);
    if (found == PASSES)
        return done;
    errno = wanted;
    return -1;
}

/* Locks that are taken: nothing keeps them from being given back. */
VISIBLE int fcntl(int fd, int what, ...);
int fcntl(int fd, int what, ...)
{
    static int (*real)(int, int, ...);
    va_list args;
    va_start(args, what);
    void *argument = va_arg(args, void *);
    va_end(args);
    if (!real)
        real = (int (*)(int, int, ...))REAL(LARGE("fcntl"));
    bool locks = what == F_GETLK || ((what == F_SETLK || what == F_SETLKW) &&
                                        ((const struct flock *)argument)->l_type != F_UNLCK);
    return locks && meet("fcntl", fd, NULL, LOCKS, 0) != PASSES ? -1 : real(fd, what, argument);
}

/* ---- calls that are told as well ---- */

static bool exists(int folder, const char *path)
{
    int before = errno;
    struct stat about;
    bool there = fstatat(folder, path, &about, AT_SYMLINK_NOFOLLOW) == 0;
    errno = before;
    return there;
}

static int open_and_tell(const char *function, int folder, const char *path, int flags, mode_t mode)
{
    static int (*real)(int, const char *, int, ...);
    char whole[PATH_MAX];
    if (!real)
        real = (int (*)(int, const char *, int, ...))REAL(LARGE("openat"));
    if (meet(function, folder, path, flags & O_CREAT ? NEEDS_ROOM : LOOKS, 0) != PASSES)
        return -1;
    const file_watch *told = flags & (O_CREAT | O_TRUNC) ? watcher(folder, path, whole) : NULL;
    bool made = told && !exists(folder, path);
    int fd = real(folder, path, flags, mode);
    if (fd >= 0 && made)
        told->made(whole, false);
    else if (fd >= 0 && told && flags & O_TRUNC)
        told->cut(whole, 0);
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | __O_TMPFILE) ? (mode_t)va_arg(args, unsigned) : 0;
}

VISIBLE int open(const char *path, int flags, ...);
int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_and_tell("open", AT_FDCWD, path, flags, mode);
}

VISIBLE int openat(int folder, const char *path, int flags, ...);
int openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_and_tell("openat", folder, path, flags, mode);
}

VISIBLE ssize_t write(int fd, const void *data, size_t size);
ssize_t write(int fd, const void *data, size_t size)
{
    static ssize_t (*real)(int, const void *, size_t);
    char whole[PATH_MAX];
    if (!real)
        real = (ssize_t(*)(int, const void *, size_t))REAL("write");
    verdict found = meet("write", fd, NULL, WRITES, size);
    if (found == FAILS)
        return -1;
    ssize_t done = real(fd, data, found == IS_HALVED ? size / 2 : size);
    const file_watch *told = done > 0 ? watcher(fd, NULL, whole) : NULL;
    if (told)
        told->written(whole, lseek(fd, 0, SEEK_CUR) - done, data, (size_t)done);
    return done;
}

VISIBLE ssize_t pwrite(int fd, const void *data, size_t size, off_t offset);
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    char whole[PATH_MAX];
    if (!real)
        real = (ssize_t(*)(int, const void *, size_t, off_t))REAL(LARGE("pwrite"));
    verdict found = meet("pwrite", fd, NULL, WRITES, size);
    if (found == FAILS)
        return -1;
    ssize_t done = real(fd, data, found == IS_HALVED ? size / 2 : size, offset);
    const file_watch *told = done > 0 ? watcher(fd, NULL, whole) : NULL;
    if (told)
        told->written(whole, offset, data, (size_t)done);
    return done;
}

VISIBLE int ftruncate(int fd, off_t size);
int ftruncate(int fd, off_t size)
{
    static int (*real)(int, off_t);
    char whole[PATH_MAX];
    if (!real)
        real = (int (*)(int, off_t))REAL(LARGE("ftruncate"));
    if (meet("ftruncate", fd, NULL, size > 0 ? NEEDS_ROOM : CHANGES, 0) != PASSES)
        return -1;
    int done = real(fd, size);
    const file_watch *told = done == 0 ? watcher(fd, NULL, whole) : NULL;
    if (told)
        told->cut(whole, size);
    return done;
}

static int sync_and_tell(const char *function, int fd)
{
    char whole[PATH_MAX];
    if (meet(function, fd, NULL, CHANGES, 0) != PASSES)
        return -1;
    const file_watch *told = watcher(fd, NULL, whole);
    if (told)
        told->synced(whole);
    return 0;
}

VISIBLE int fsync(int fd);
int fsync(int fd)
{
    return sync_and_tell("fsync", fd);
}

VISIBLE int fdatasync(int fd);
int fdatasync(int fd)
{
    return sync_and_tell("fdatasync", fd);
}

/* A second path takes part in what is told, not in whether it counts. */
#define MOVES(name, parameters, arguments, from_fd, from, to_fd, to, keep)         \
    VISIBLE int name parameters;                                                   \
    int name parameters                                                            \
    {                                                                              \
        static int(*real) parameters;                                              \
        char whole[PATH_MAX], second[PATH_MAX];                                    \
        if (!real)                                                                 \
            real = (int(*) parameters)REAL(#name);                                 \
        if (meet(#name, from_fd, from, NEEDS_ROOM, 0) != PASSES)                   \
            return -1;                                                             \
        int done = real arguments;                                                 \
        const file_watch *told = done == 0 ? watcher(from_fd, from, whole) : NULL; \
        if (told) {                                                                \
            whole_path(to_fd, to, second);                                         \
            told->renamed(whole, second, keep);                                    \
        }                                                                          \
        return done;                                                               \
    }

MOVES(renameat, (int from_fd, const char *from, int to_fd, const char *to),
    (from_fd, from, to_fd, to), from_fd, from, to_fd, to, false)
MOVES(renameat2, (int from_fd, const char *from, int to_fd, const char *to, unsigned how),
    (from_fd, from, to_fd, to, how), from_fd, from, to_fd, to, false)
MOVES(link, (const char *from, const char *to), (from, to), AT_FDCWD, from, AT_FDCWD, to, true)
MOVES(linkat, (int from_fd, const char *from, int to_fd, const char *to, int how),
    (from_fd, from, to_fd, to, how), from_fd, from, to_fd, to, true)

#define ALTERS(name, parameters, arguments, fd, path, what, tell)             \
    VISIBLE int name parameters;                                              \
    int name parameters                                                       \
    {                                                                         \
        static int(*real) parameters;                                         \
        char whole[PATH_MAX];                                                 \
        if (!real)                                                            \
            real = (int(*) parameters)REAL(#name);                            \
        if (meet(#name, fd, path, what, 0) != PASSES)                         \
            return -1;                                                        \
        int done = real arguments;                                            \
        const file_watch *told = done == 0 ? watcher(fd, path, whole) : NULL; \
        if (told)                                                             \
            told->tell;                                                       \
        return done;                                                          \
    }

ALTERS(mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path, NEEDS_ROOM,
    made(whole, true))
ALTERS(rmdir, (const char *path), (path), AT_FDCWD, path, CHANGES, removed(whole))
ALTERS(unlink, (const char *path), (path), AT_FDCWD, path, CHANGES, removed(whole))
ALTERS(unlinkat, (int fd, const char *path, int how), (fd, path, how), fd, path, CHANGES,
    removed(whole))
