/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/session.h - an open catalog and repository, who is acting, and how progress is
 * told. */
#ifndef BACKOUT_SESSION_H
#define BACKOUT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backout/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A catalog with its repository.
 *
 * Threads: a session, and what its calls return, belong to one thread at a time.  Threads that work
 * at the same time have a session each; these may be of the same catalog, repository and database,
 * and keep apart as processes do (BO_BUSY).  What is given to a call (bo_settings, bo_database,
 * options) is only read and may be shared, as long as nobody changes it meanwhile.  bo_interrupt()
 * concerns every session of the process.  A function that a call calls back does not use the
 * session of that call.  A child process (fork(2)) frees what it has of its parent's, and does
 * nothing else with it.
 */
typedef struct bo_session bo_session;

/** How far a long operation is.  Called at most ten times a second, from the caller's thread or a
 * worker's, never from two at once for the same session. */
typedef struct bo_progress {
    const char *operation; /* "snapshot", "seal", "diff", "verify", "restore", "check" */
    const char *table;     /* or "" */
    uint64_t done;         /* rows */
    uint64_t total;        /* rows; 0: not known */
    uint64_t bytes;
    double seconds;
} bo_progress;

/** A database to work on. */
typedef struct bo_database {
    const char *name;         /* in the configuration; NULL: the redacted URL stands for it */
    const char *url;          /* "sqlite:shop.db", a plain path, "postgresql://..." */
    const char *password;     /* or NULL; never stored, never printed */
    uint32_t lock_timeout_ms; /* 0: 10 s */
    uint32_t workers;         /* connections that read a table together; 0: 2 */
} bo_database;

typedef struct bo_settings {
    const char *catalog_url;      /* "sqlite:/dir/.backout/catalog.db" or "postgresql://..." */
    const char *catalog_password; /* or NULL */
    const char *repository;       /* folder */
    const char *actor;            /* who is acting: "user@host[pid]"; NULL: made from the process */
    const char *passphrase;       /* encrypts what is written and opens what is read; NULL: none */
    const uint8_t *key;           /* 32 bytes instead of a passphrase; or NULL */
    uint32_t lock_timeout_ms;     /* how long to wait for other backout processes; 0: 10 s */
    bool existing;                /* where there is no catalog, none is made: BO_NOTFOUND */
    bool looks; /* a catalog (SQLite) that cannot be written is read as it is; calls that change
                   anything fail, and `warn` tells what the audit log lacks */
    const char *scratch; /* folder of ours that is written to, where the repository cannot be; or
                            NULL */
    void (*progress)(void *ctx, const bo_progress *progress); /* or NULL */
    void (*warn)(void *ctx, const char *text); /* what a person should know; or NULL */
    void *ctx;
} bo_settings;

/**
 * Opens catalog and repository, making and migrating them when needed.  All strings are copied.
 *
 * @retval BO_NOTFOUND  there is no catalog, and only an existing one was wanted.
 * @retval BO_DENIED    a folder or file is not ours alone; err says what to do.
 * @retval BO_IO        cannot be opened or written.
 * @retval BO_UNSUPPORTED  the catalog was written by a later version.
 */
BO_API BO_NODISCARD bo_status bo_session_open(
    const bo_settings *settings, bo_session **out, bo_error *err);
/** Closes; NULL is ignored. */
BO_API void bo_session_free(bo_session *session);
/** Asks every long operation of the process to stop at its next safe place.  Async-signal-safe.
 * What begins later stops as well, until bo_interrupt_clear(): also the rollback of what was
 * interrupted. */
BO_API void bo_interrupt(void);
/** From here on nothing is asked to stop. */
BO_API void bo_interrupt_clear(void);
/** Version of the library, "0.1.0". */
BO_API const char *bo_version(void);

#ifdef __cplusplus
}
#endif
#endif
