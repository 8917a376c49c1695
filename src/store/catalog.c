/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/catalog.c - opening the catalog: where it may be, and what it needs to be. */
#include "store/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "driver/sqlite/url.h"
#include "store/catalog_sql.h"
#include "store/keeper.h"
#include "store/live.h"
#include "store/lock.h"

/* ---- opening ---- */

/* Never opens the file: closing it again would drop the locks that this process has on it. */
static bo_status check_file(const char *path, bo_error *err)
{
    struct stat about;
    if (lstat(path, &about) != 0)
        return errno == ENOENT ? BO_OK
                               : bo_fail_errno(err, BO_IO, errno, "cannot look at '%s'", path);
    if (!S_ISREG(about.st_mode))
        return bo_fail(err, BO_DENIED, "'%s' is not a regular file", path);
    if (about.st_uid != geteuid())
        return bo_fail(err, BO_DENIED, "'%s' belongs to somebody else", path);
    if (about.st_mode & (S_IWGRP | S_IWOTH))
        return bo_fail(err, BO_DENIED, "others may write to '%s': chmod 600 makes it ours", path);
    return BO_OK;
}

/* The folder is ours alone; the driver makes the file 0600, and SQLite's other files take that. */
static bo_status claim_place(const char *url, bo_error *err)
{
    BO_OWN(sq_url) *parsed = NULL;
    bo_status st = sq_url_parse(url, &parsed, err);
    if (st != BO_OK)
        return st;
    BO_OWN_MEM char *copy = strdup(parsed->path);
    if (!copy)
        return bo_nomem(err);
    const char *folder = dirname(copy);
    st = bo_dir_create(folder, err);
    if (st == BO_OK)
        st = bo_dir_check_private(folder, err);
    return st == BO_OK ? check_file(parsed->path, err) : st;
}

/* What a session of the catalog needs beyond the driver's own settings: a commit that is on disk
 * when it returns.  Changing the journal mode does not wait for other processes, so we do. */
static bo_status prepare(bo_catalog *catalog, bo_error *err)
{
    const bo_driver *driver = catalog->conn->driver;
    if (driver->caps & BO_CAP_SCHEMAS)
        return driver->exec(catalog->conn,
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') = 'off'",
            err);
    const int64_t until_us = bo_clock_monotonic_us() + (int64_t)catalog->lock_timeout_ms * 1000;
    for (;;) {
        bo_status st = driver->exec(
            catalog->conn, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", err);
        if (st != BO_BUSY || bo_clock_monotonic_us() >= until_us)
            return st == BO_BUSY ? bo_catalog_busy(catalog, err) : st;
        st = bo_lock_pause(err);
        if (st != BO_OK)
            return st;
    }
}

static bo_status connect_to(bo_catalog *catalog, bool create, bo_error *err)
{
    const bool own = create || catalog->read_only;
    const bo_driver *driver = NULL;
    bo_status st = bo_driver_find(catalog->url, &driver, err);
    if (st == BO_OK && !(driver->caps & (BO_CAP_SCHEMAS | BO_CAP_FILES)))
        return bo_fail(err, BO_UNSUPPORTED, "a catalog is kept in SQLite or PostgreSQL, not in %s",
            driver->name);
    if (st == BO_OK && own && !(driver->caps & BO_CAP_SCHEMAS))
        st = claim_place(catalog->url, err);
    if (st != BO_OK)
        return st;

    char application[64]; /* names the process to whoever waits for its lock */
    bo_process self;
    bo_process_self(&self);
    (void)snprintf(
        application, sizeof application, "backout[%" PRId64 "]@%.32s", self.pid, self.host);
    const bo_connect how = {
        .url = catalog->url,
        .password = catalog->password,
        .application_name = application,
        .lock_timeout_ms = catalog->lock_timeout_ms,
        .create = create,
        .look = catalog->read_only,
        .schema = create && (driver->caps & BO_CAP_SCHEMAS) ? BO_CATALOG_SCHEMA : NULL,
    };
    return bo_driver_open(&how, &catalog->conn, err);
}

/* The process may go to another folder before the catalog is opened again. */
static bo_status make_absolute(bo_catalog *catalog, bo_error *err)
{
    if (catalog->conn->driver->caps & BO_CAP_SCHEMAS)
        return BO_OK;
    BO_OWN(sq_url) *parsed = NULL;
    bo_status st = sq_url_parse(catalog->url, &parsed, err);
    if (st != BO_OK)
        return st;
    char *path = realpath(parsed->path, NULL); /* which is a URL, too */
    if (!path)
        return bo_fail_errno(err, BO_IO, errno, "cannot look at '%s'", parsed->path);
    free(catalog->url);
    catalog->url = path;
    return BO_OK;
}

/* A database that programs use is no place for a catalog: while a rollback writes to it, nothing
 * could be recorded in the same file. */
static bo_status check_own_file(bo_catalog *catalog, bo_error *err)
{
    uint64_t others = 0;
    if (catalog->conn->driver->caps & BO_CAP_SCHEMAS)
        return BO_OK;
    bo_status st = bo_catalog_query(catalog,
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND NOT EXISTS"
        " (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'backout_meta') LIMIT 1",
        NULL, 0, NULL, NULL, &others, err);
    return st == BO_OK && others > 0
               ? bo_fail(err, BO_REFUSED, "it is a database with tables of its own, and no catalog")
               : st;
}

static bo_status make_handle(const char *url, const char *password, uint32_t lock_timeout_ms,
    bo_catalog **out, bo_error *err)
{
    BO_OWN(bo_catalog) *catalog = calloc(1, sizeof *catalog);
    if (!catalog)
        return bo_nomem(err);
    catalog->owner = getpid();
    catalog->lock_timeout_ms = lock_timeout_ms ? lock_timeout_ms : BO_LOCK_TIMEOUT_MS;
    BO_OWN_VALUE(bo_buf) name = {0};
    bo_status st = bo_url_redact(url, &name, err);
    if (st != BO_OK)
        return st;
    catalog->name = bo_buf_take_str(&name);
    catalog->url = strdup(url);
    catalog->password = password ? strdup(password) : NULL;
    if (!catalog->name || !catalog->url || !catalog->password != !password)
        return bo_nomem(err);
    *out = BO_TAKE(catalog);
    return BO_OK;
}

bo_status bo_catalog_open(const char *url, const char *password, uint32_t lock_timeout_ms,
    bo_catalog **out, bo_error *err)
{
    if (sodium_init() < 0)
        return bo_fail(err, BO_FAILED, "the cryptographic library cannot be started");
    BO_OWN(bo_catalog) *catalog = NULL;
    bo_status st = make_handle(url, password, lock_timeout_ms, &catalog, err);
    if (st != BO_OK)
        return st;
    st = connect_to(catalog, true, err);
    if (st == BO_OK)
        st = make_absolute(catalog, err);
    if (st == BO_OK)
        st = check_own_file(catalog, err);
    if (st == BO_OK)
        st = prepare(catalog, err);
    if (st == BO_OK)
        st = bo_catalog_migrate(catalog, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot open the catalog '%s'", catalog->name);
    *out = BO_TAKE(catalog);
    return BO_OK;
}

bo_status bo_catalog_again(
    const bo_catalog *other, uint32_t lock_timeout_ms, bo_catalog **out, bo_error *err)
{
    BO_OWN(bo_catalog) *catalog = NULL;
    bo_status st = make_handle(other->url, other->password, lock_timeout_ms, &catalog, err);
    if (st == BO_OK)
        st = connect_to(catalog, false, err);
    if (st == BO_OK)
        *out = BO_TAKE(catalog);
    return st;
}

/* Where there is no file or no database, there is no catalog either. */
static bo_status find_tables(bo_catalog *catalog, bo_error *err)
{
    uint64_t tables = 0;
    bo_status st = connect_to(catalog, false, err);
    if (st == BO_OK)
        st = bo_catalog_query(catalog,
            catalog->conn->driver->caps & BO_CAP_SCHEMAS
                ? "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = '" BO_CATALOG_SCHEMA
                  "' AND tablename = 'backout_meta'"
                : "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'backout_meta'",
            NULL, 0, NULL, NULL, &tables, err);
    if (st == BO_NOTFOUND || (st == BO_OK && tables == 0))
        return bo_fail(err, BO_NOTFOUND, "there is no catalog at '%s'", catalog->name);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot open the catalog '%s'", catalog->name);
}

bo_status bo_catalog_find(
    const char *url, const char *password, uint32_t lock_timeout_ms, bo_error *err)
{
    BO_OWN(bo_catalog) *catalog = NULL;
    bo_status st = make_handle(url, password, lock_timeout_ms, &catalog, err);
    return st == BO_OK ? find_tables(catalog, err) : st;
}

bool bo_catalog_is_frozen(const char *url)
{
    BO_OWN(sq_url) *parsed = NULL;
    const bo_driver *driver = NULL;
    if (bo_driver_find(url, &driver, NULL) != BO_OK || driver->caps & BO_CAP_SCHEMAS ||
        sq_url_parse(url, &parsed, NULL) != BO_OK || access(parsed->path, F_OK) != 0)
        return false;
    if (faccessat(AT_FDCWD, parsed->path, W_OK, AT_EACCESS) != 0)
        return true;
    BO_OWN_MEM char *copy = strdup(parsed->path);
    return copy && faccessat(AT_FDCWD, dirname(copy), W_OK, AT_EACCESS) != 0;
}

/* Left by a process that was killed, or in use. */
static bool has_journal(const char *url)
{
    static const char *const beside[] = {"-wal", "-journal"};
    BO_OWN(sq_url) *parsed = NULL;
    bool found = false;
    bool known = sq_url_parse(url, &parsed, NULL) == BO_OK;
    for (size_t i = 0; known && i < sizeof beside / sizeof *beside; i++) {
        BO_OWN_MEM char *name = NULL;
        found = found ||
                (asprintf(&name, "%s%s", parsed->path, beside[i]) >= 0 && access(name, F_OK) == 0);
    }
    return found;
}

bo_status bo_catalog_open_frozen(const char *url, bo_catalog **out, bo_error *err)
{
    if (sodium_init() < 0)
        return bo_fail(err, BO_FAILED, "the cryptographic library cannot be started");
    BO_OWN(bo_catalog) *catalog = NULL;
    bo_status st = make_handle(url, NULL, 0, &catalog, err);
    if (st != BO_OK)
        return st;
    catalog->read_only = true;
    st = find_tables(catalog, err);
    if (st != BO_OK && has_journal(catalog->url))
        return bo_detail(err, st,
            "its last writes may be in a journal, which only who may write the catalog can read");
    if (st != BO_OK)
        return st;
    st = bo_catalog_check_version(catalog, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot open the catalog '%s'", catalog->name);
    *out = BO_TAKE(catalog);
    return BO_OK;
}

bool bo_catalog_is_read_only(const bo_catalog *catalog)
{
    return catalog->read_only;
}

void bo_catalog_free(bo_catalog *catalog)
{
    if (!catalog)
        return;
    bo_keeper_free(catalog->keeper);
    bo_live_remove_all(catalog);
    if (catalog->owner == getpid()) /* a child would say good-bye to the server for its parent */
        bo_conn_free(catalog->conn);
    if (catalog->password)
        explicit_bzero(catalog->password, strlen(catalog->password));
    free(catalog->password);
    free(catalog->url);
    free(catalog->name);
    free(catalog);
}

bo_conn *bo_catalog_conn(bo_catalog *catalog)
{
    return catalog->conn;
}
