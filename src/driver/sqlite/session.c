/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/session.c - connections and transactions.
 *
 * Our own connections run no foreign-key action and no trigger of a user: rows are put back as
 * they were, and references are checked by queries.  A raw connection is as the sqlite3 shell
 * opens it (foreign keys off), unless the URL says `?foreign_keys=on`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "driver/sqlite/locks.h"
#include "driver/sqlite/sqlite.h"
#include "driver/sqlite/url.h"

#define LOCK_TIMEOUT_MS 10000u
#define LONG_PAUSE_MS   20

#define STRANGER_LOOKS    10
#define STRANGER_PAUSE_US 50000

/* Made by us, so that the data of a new database is its owner's alone. */
static bo_status make_file(const char *path, bo_error *err)
{
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno != EEXIST)
        return bo_fail_errno(err, errno == EACCES ? BO_DENIED : BO_IO, errno,
            "cannot make the database file '%s'", path);
    if (fd >= 0)
        close(fd);
    return BO_OK;
}

static bo_status check_file(const char *path, bo_error *err)
{
    struct stat info;
    if (stat(path, &info) == 0) {
        if (!S_ISREG(info.st_mode))
            return bo_fail(err, BO_INVALID, "'%s' is not a file", path);
        return BO_OK;
    }
    if (errno == ENOENT || errno == ENOTDIR)
        return bo_fail(err, BO_NOTFOUND, "no database file '%s'", path);
    return bo_fail_errno(err, errno == EACCES ? BO_DENIED : BO_IO, errno,
        "cannot open the database file '%s'", path);
}

/* Of such a path SQLite only says that the file cannot be opened. */
static bo_status check_length(const char *path, bo_error *err)
{
    const sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    BO_OWN_MEM char *full = realpath(path, NULL);
    if (!full && errno == ENOMEM)
        return bo_nomem(err);
    if (!full || !vfs || strlen(full) < (size_t)vfs->mxPathname)
        return BO_OK;
    return bo_fail(err, BO_UNSUPPORTED,
        "the path of the database has %zu bytes, and SQLite opens none of %d or more", strlen(full),
        vfs->mxPathname);
}

static bo_status configure(sq_conn *conn, int option, int value, bo_error *err)
{
    if (sqlite3_db_config(conn->db, option, value, NULL) != SQLITE_OK)
        return sq_error(conn, err, "cannot set option %d of the connection", option);
    return BO_OK;
}

/* A commit is on disk when it returns.  Without WAL it is the removal of the journal, and FULL does
 * not wait for that: after a power failure the journal would be there again and undo it. */
static bo_status sync_fully(bo_conn *base, bo_error *err)
{
    return sq_exec(base, "PRAGMA synchronous = EXTRA", err);
}

/*
 * Double-quoted strings stay allowed in definitions, which are users' own and must run again.  So
 * do functions that SQLite does not call innocuous: in 3.40 those of JSON are such, and with one of
 * them in a check or an index the whole schema would be "malformed".  There are none but SQLite's.
 * Inside a transaction `PRAGMA foreign_keys` does nothing, but the option of the connection does
 * what it says; deferred violations that are open by then still fail the commit.  There `PRAGMA
 * synchronous` is an error: the transaction ends as durably as its session has it.
 */
bo_status sq_pin(bo_conn *base, bo_error *err)
{
    static const struct {
        int option, value;
    } options[] = {
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 0},
        {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
    };
    sq_conn *conn = sq_of(base);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        bo_status st = configure(conn, options[i].option, options[i].value, err);
        if (st != BO_OK)
            return st;
    }
    bo_status st = sq_exec(base,
        "PRAGMA query_only = OFF; PRAGMA ignore_check_constraints = OFF;"
        " PRAGMA case_sensitive_like = OFF; PRAGMA cell_size_check = ON",
        err);
    if (st != BO_OK || !sqlite3_get_autocommit(conn->db))
        return st;
    return sync_fully(base, err);
}

/* SQLite's own busy timeout cannot be cancelled.  0: waited long enough. */
static int wait_for_lock(void *ctx, int count)
{
    sq_conn *conn = ctx;
    const int64_t now_us = bo_clock_monotonic_us();
    if (count == 0) {
        conn->wait_until_us = now_us + (int64_t)conn->lock_timeout_ms * 1000;
        atomic_store(&conn->cancelled, false);
    }
    if (now_us >= conn->wait_until_us || atomic_load(&conn->cancelled))
        return 0;
    (void)usleep(count < LONG_PAUSE_MS ? 1000 * ((unsigned)count + 1) : 1000 * LONG_PAUSE_MS);
    return 1;
}

/* Nobody works with the file, and none was killed at it: a journal, or the index of one, is not
 * there. */
static bool is_still(const char *path, bool *out)
{
    static const char *const beside[] = {"-wal", "-shm", "-journal"};
    *out = true;
    for (size_t i = 0; *out && i < sizeof beside / sizeof *beside; i++) {
        BO_OWN_MEM char *name = NULL;
        if (asprintf(&name, "%s%s", path, beside[i]) < 0)
            return false;
        *out = access(name, F_OK) != 0 && errno == ENOENT;
    }
    return true;
}

/* A URL of SQLite's own: a file in WAL mode whose index cannot be made is read only so.
 * https://www.sqlite.org/wal.html#readonly */
static bool name_immutable(const char *path, bo_buf *out)
{
    bo_buf_add_str(out, path[0] == '/' ? "file://" : "file:");
    for (const char *at = path; *at; at++) {
        if (strchr("%?#", *at))
            bo_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
        else
            bo_buf_add_byte(out, (uint8_t)*at);
    }
    bo_buf_add_str(out, "?immutable=1");
    return !out->failed;
}

static bo_status open_file(sq_conn *conn, const bo_connect *how, const sq_url *url, bo_error *err)
{
    int flags = url->read_only || how->look ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    const char *name = conn->path;
    BO_OWN_VALUE(bo_buf) immutable = {0};
    bool still = false;
    if (how->look && !is_still(conn->path, &still))
        return bo_nomem(err);
    if (still) {
        if (!name_immutable(conn->path, &immutable))
            return bo_nomem(err);
        name = bo_buf_str(&immutable);
        flags |= SQLITE_OPEN_URI;
    }
    if (sqlite3_open_v2(name, &conn->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return conn->db ? sq_error(conn, err, "cannot open '%s'", conn->path) : bo_nomem(err);
    sqlite3_extended_result_codes(conn->db, 1);
    conn->lock_timeout_ms = how->lock_timeout_ms > 0 ? how->lock_timeout_ms : LOCK_TIMEOUT_MS;
    conn->readers = how->readers;
    sqlite3_busy_handler(conn->db, wait_for_lock, conn);

    bo_status st = how->raw ? configure(conn, SQLITE_DBCONFIG_ENABLE_FKEY, url->foreign_keys, err)
                            : sq_pin(&conn->base, err);
    if (st == BO_OK && how->raw)
        st = sync_fully(&conn->base, err);
    /* The file is first read here: no database, damaged or locked is found now, not later. */
    if (st == BO_OK)
        st = sq_exec(&conn->base, "SELECT 1 FROM sqlite_schema LIMIT 1", err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot open '%s'", conn->path);
    return BO_OK;
}

static bo_status open_at(
    const char *path, const bo_connect *how, const sq_url *url, bo_conn **out, bo_error *err)
{
    BO_OWN(bo_conn) *base = calloc(1, sizeof(sq_conn));
    if (!base)
        return bo_nomem(err);
    base->driver = &bo_driver_sqlite;
    sq_of(base)->path = strdup(path);
    if (!sq_of(base)->path)
        return bo_nomem(err);
    bo_status st = open_file(sq_of(base), how, url, err);
    if (st == BO_OK)
        *out = BO_TAKE(base);
    return st;
}

static bo_status is_wal(sq_conn *conn, bool *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = sq_prepare(conn, "PRAGMA main.journal_mode", &statement, err);
    if (st == BO_OK)
        st = sq_step(conn, statement, &row, err);
    const char *mode = row ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    *out = mode && strcmp(mode, "wal") == 0;
    return st;
}

/* By two names a file in WAL mode has two logs: what stands in the one is not seen by the other
 * name, and is lost when both are written.  Who has just begun to open the file is given time for
 * it. */
static bo_status check_strangers(sq_conn *conn, bo_error *err)
{
    bool wal = false, found = false;
    bo_status st = is_wal(conn, &wal, err);
    const char *path = sqlite3_db_filename(conn->db, "main");
    BO_OWN_VALUE(bo_buf) who = {0};
    for (int i = 0; st == BO_OK && wal && (i == 0 || found) && i < STRANGER_LOOKS; i++) {
        if (i > 0)
            (void)usleep(STRANGER_PAUSE_US);
        bo_buf_clear(&who);
        found = sq_locks_stranger(path, &who);
    }
    if (st != BO_OK || !found)
        return st;
    return bo_fail(err, BO_REFUSED,
        "the database file '%s' is open by another name, with a -wal of its own: what was written "
        "there is not seen here\n%s",
        conn->path, bo_buf_str(&who));
}

bo_status sq_open(const bo_connect *how, bo_conn **out, bo_error *err)
{
    BO_OWN(sq_url) *url = NULL;
    bo_status st = sq_url_parse(how->url, &url, err);
    if (st == BO_OK && how->create)
        st = make_file(url->path, err);
    if (st == BO_OK)
        st = check_file(url->path, err);
    if (st == BO_OK)
        st = check_length(url->path, err);
    BO_OWN(bo_conn) *conn = NULL;
    if (st == BO_OK)
        st = open_at(url->path, how, url, &conn, err);
    if (st == BO_OK && !how->look)
        st = check_strangers(sq_of(conn), err);
    if (st == BO_OK)
        *out = BO_TAKE(conn);
    return st;
}

bo_status sq_reopen(const sq_conn *conn, uint32_t lock_timeout_ms, bo_conn **out, bo_error *err)
{
    const bo_connect how = {.lock_timeout_ms = lock_timeout_ms};
    const sq_url url = {.read_only = sqlite3_db_readonly(conn->db, "main") == 1};
    return open_at(conn->path, &how, &url, out, err);
}

void sq_close(bo_conn *conn)
{
    if (!conn)
        return;
    sq_conn *self = sq_of(conn);
    if (self->db)
        sq_rollback(conn);
    sqlite3_close_v2(self->db);
    free(self->path);
    free(self);
}

/* The file's place, not its inode: a restored backup that is moved there is the database, too. */
bo_status sq_identity(bo_conn *conn, bo_identity *out, bo_error *err)
{
    const char *path = sq_of(conn)->path;
    BO_OWN_MEM char *full = realpath(path, NULL);
    if (!full)
        return bo_fail_errno(err, BO_IO, errno, "cannot look at '%s'", path);
    if (strlen(full) + sizeof "file:" > sizeof out->server)
        return bo_fail(err, BO_UNSUPPORTED, "the path of '%s' is too long", path);
    if (!bo_text_is_utf8(full, strlen(full)))
        return bo_fail(err, BO_UNSUPPORTED, "the path of the database is not UTF-8");
    *out = (bo_identity){0};
    snprintf(out->engine, sizeof out->engine, "SQLite %s", sqlite3_libversion());
    snprintf(out->database, sizeof out->database, "%s", full);
    snprintf(out->server, sizeof out->server, "file:%s", full);
    return BO_OK;
}

void sq_cancel(bo_conn *conn)
{
    atomic_store(&sq_of(conn)->cancelled, true);
    sqlite3_interrupt(sq_of(conn)->db);
}

bo_status sq_begin_read(sq_conn *conn, bo_error *err)
{
    bo_status st = sq_exec(&conn->base, "BEGIN", err);
    if (st == BO_OK) /* the snapshot is that of the first read */
        st = sq_exec(&conn->base, "SELECT 1 FROM sqlite_schema LIMIT 1", err);
    if (st == BO_OK)
        return BO_OK;
    sq_end(conn);
    return bo_wrap(err, st, "cannot begin a transaction");
}

bool sq_has_moved(sq_conn *conn)
{
    int moved = 1;
    return sqlite3_file_control(conn->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
           moved;
}

/* SQLite itself looks only where it makes a rollback journal.  In WAL mode it goes on with a file
 * that has lost its name, and nobody ever sees what was written there. */
static bo_status check_place(sq_conn *conn, bo_error *err)
{
    return sq_has_moved(conn) ? sq_moved(conn, err) : BO_OK;
}

bo_status sq_moved(sq_conn *conn, bo_error *err)
{
    struct stat info;
    if (stat(conn->path, &info) != 0 && errno != ENOENT && errno != ENOTDIR)
        return bo_fail_errno(err, BO_IO, errno, "cannot look at '%s'", conn->path);
    return bo_fail(err, BO_REFUSED,
        "the database file was moved, replaced or removed after it was opened ('%s')", conn->path);
}

static bo_status begin(sq_conn *conn, bo_tx_mode mode, bo_error *err)
{
    if (mode == BO_TX_READ)
        return conn->readers > 1 ? sq_begin_together(conn, err) : sq_begin_read(conn, err);
    bo_status st = sq_exec(&conn->base, "BEGIN IMMEDIATE", err);
    conn->changes_before = sqlite3_total_changes64(conn->db);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot begin a transaction");
}

bo_status sq_begin(bo_conn *conn, bo_tx_mode mode, bo_error *err)
{
    if (mode != BO_TX_READ && sqlite3_db_readonly(sq_of(conn)->db, "main") == 1)
        return bo_fail(err, BO_DENIED,
            "the database file '%s' or its folder cannot be written: check the rights and mode=ro",
            sq_of(conn)->path);
    bo_status st = begin(sq_of(conn), mode, err);
    if (st == BO_OK) /* a lock may have been waited for */
        st = check_place(sq_of(conn), err);
    if (st != BO_OK)
        sq_rollback(conn);
    return st;
}

bo_status sq_commit(bo_conn *conn, bo_error *err)
{
    sq_conn *self = sq_of(conn);
    sq_twins_close(self);
    bo_status st = BO_OK;
    if (sqlite3_txn_state(self->db, "main") == SQLITE_TXN_WRITE)
        st = check_place(self, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot commit");
    st = sq_exec(conn, "COMMIT", err);
    if (st == BO_OK)
        return BO_OK;
    if ((sqlite3_errcode(self->db) & 0xff) == SQLITE_IOERR)
        st = BO_UNKNOWN; /* the journal may or may not be gone: the marker tells */
    return bo_wrap(err, st, "cannot commit");
}

void sq_end(sq_conn *conn)
{
    if (!sqlite3_get_autocommit(conn->db))
        sqlite3_exec(conn->db, "ROLLBACK", NULL, NULL, NULL);
}

void sq_rollback(bo_conn *conn)
{
    sq_twins_close(sq_of(conn));
    sq_end(sq_of(conn));
}

bo_status sq_lock(bo_conn *conn, const bo_table *const *tables, unsigned count, bo_error *err)
{
    (void)tables;
    (void)count;
    if (sqlite3_txn_state(sq_of(conn)->db, "main") == SQLITE_TXN_NONE)
        return bo_fail(err, BO_INVALID, "only a transaction can lock tables");
    return BO_OK; /* BEGIN IMMEDIATE keeps every other writer out, and a reader sees one snapshot */
}
