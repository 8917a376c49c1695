/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/error.h - how a function says that it failed: a status for code, a text for
 * people. */
#ifndef BACKOUT_ERROR_H
#define BACKOUT_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BO_API               __attribute__((visibility("default")))
#define BO_NODISCARD         __attribute__((warn_unused_result))
#define BO_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define BO_API
#define BO_NODISCARD
#define BO_PRINTF(fmt, args)
#endif

/**
 * Every status: name, exit code of the program, meaning.  docs/guide/exit-codes.md is checked
 * against this list.  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused and nothing was
 * changed, 4 done and something bad was found, 5 outcome unknown, 130 interrupted.
 */
#define BO_STATUS_MAP(X)                                           \
    X(OK, 0, "success")                                            \
    X(FAILED, 1, "the change or the command failed")               \
    X(DATABASE, 1, "the database refused or could not be reached") \
    X(IO, 1, "a file could not be read or written")                \
    X(NOMEM, 1, "out of memory")                                   \
    X(INVALID, 2, "wrong usage")                                   \
    X(NOTFOUND, 3, "no such object")                               \
    X(EXISTS, 3, "the object exists already")                      \
    X(CONFLICT, 3, "the data changed since the point was taken")   \
    X(REFUSED, 3, "refused before anything was changed")           \
    X(BUSY, 3, "someone else holds a lock that is needed")         \
    X(DENIED, 3, "a right is missing")                             \
    X(CORRUPT, 3, "a file is not what was written")                \
    X(UNSUPPORTED, 3, "the database cannot do this")               \
    X(MISMATCH, 4, "done, and something bad was found")            \
    X(UNKNOWN, 5, "the outcome is unknown")                        \
    X(INTERRUPTED, 130, "interrupted")

typedef enum bo_status {
#define BO_STATUS_ENUM(name, exit_code, meaning) BO_##name,
    BO_STATUS_MAP(BO_STATUS_ENUM)
#undef BO_STATUS_ENUM
} bo_status;

/**
 * One failure, outermost context first, one line per layer.  A plain value of fixed size: nothing
 * to free, so reporting "out of memory" needs no memory.
 */
typedef struct bo_error {
    bo_status status;
    char sqlstate[6]; /* the database's own code, or "" */
    char text[1018];  /* "cannot return to 'a'\nrow users(7) was changed" */
} bo_error;

/** The name of `status` in lower case ("notfound"); "unknown-status" for no member of the enum. */
BO_API const char *bo_status_name(bo_status status);

/** What `status` means, as in BO_STATUS_MAP. */
BO_API const char *bo_status_meaning(bo_status status);

/** The exit code a program ends with after `status`, as in BO_STATUS_MAP; 1 for no member. */
BO_API int bo_status_exit_code(bo_status status);

#ifdef __cplusplus
}
#endif
#endif
