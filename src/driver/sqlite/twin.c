/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/twin.c - several connections that read one state of the database.
 *
 * SQLite has no name for a snapshot that another connection could ask for.  So the twins of a read
 * transaction are opened before it and begin their own right behind it.  PRAGMA data_version
 * changes on a connection when another one has committed: the same number before the transaction
 * began and inside the twin's own means that nobody committed in between, and both read the same.
 * Otherwise all begin again.  Writers are never kept waiting by this, and a twin waits for nobody:
 * where a rollback journal is used, a writer that is about to commit waits for our transaction.
 *
 * A twin opens the file by its name, to which another file may have been moved since: SQLite tells
 * of each connection whether its file is still the one of that name.
 *
 * A write transaction keeps other writers out.  Until it writes, a twin may begin at any time.
 */
#include <string.h>

#include "driver/sqlite/sqlite.h"

#define ATTEMPTS   50
#define TWINS_MAX  16
#define TIMEOUT_MS 1 /* of a twin's locks */

void sq_twins_close(sq_conn *conn)
{
    while (conn->twins) {
        sq_conn *twin = conn->twins;
        conn->twins = twin->next_twin;
        sq_close(&twin->base);
    }
}

/* When the twins are open: a file that came in between has moved since, or ours has.  The names are
 * those that symbolic links led to. */
static bool same_file(sq_conn *conn, sq_conn *twins)
{
    const char *name = sqlite3_db_filename(conn->db, "main");
    bool same = !sq_has_moved(conn);
    for (sq_conn *twin = twins; same && twin; twin = twin->next_twin)
        same = !sq_has_moved(twin) && strcmp(name, sqlite3_db_filename(twin->db, "main")) == 0;
    return same;
}

/* Twins that cannot be had are no failure: the transaction is read by its own connection alone. */
static void open_twins(sq_conn *conn)
{
    bo_error ignored = {0};
    for (uint32_t i = 1; i < conn->readers && i <= TWINS_MAX; i++) {
        bo_conn *twin = NULL;
        if (sq_reopen(conn, TIMEOUT_MS, &twin, &ignored) != BO_OK)
            return;
        sq_of(twin)->next_twin = conn->twins;
        conn->twins = sq_of(twin);
    }
}

static bo_status ask(sq_conn *conn, const char *pragma, int64_t *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = sq_prepare(conn, pragma, &statement, err);
    if (st == BO_OK)
        st = sq_step(conn, statement, &row, err);
    if (st == BO_OK)
        *out = row ? sqlite3_column_int64(statement, 0) : 0;
    return st;
}

static bool note_versions(sq_conn *twins)
{
    bo_error ignored = {0};
    bool good = true;
    for (sq_conn *twin = twins; good && twin; twin = twin->next_twin)
        good = ask(twin, "PRAGMA data_version", &twin->version, &ignored) == BO_OK;
    return good;
}

static bool begin_twins(sq_conn *twins, bool *same_out)
{
    bo_error ignored = {0};
    bool good = true;
    *same_out = true;
    for (sq_conn *twin = twins; good && twin; twin = twin->next_twin) {
        int64_t version = 0;
        good = sq_exec(&twin->base, "BEGIN", &ignored) == BO_OK &&
               ask(twin, "PRAGMA data_version", &version, &ignored) == BO_OK;
        *same_out = *same_out && version == twin->version;
    }
    return good;
}

bo_status sq_begin_together(sq_conn *conn, bo_error *err)
{
    bo_status st = BO_OK;
    bool same = false;
    sq_twins_close(conn);
    open_twins(conn);
    for (int attempt = 0; st == BO_OK && !same; attempt++) {
        if (attempt == ATTEMPTS || !note_versions(conn->twins))
            sq_twins_close(conn);
        st = sq_begin_read(conn, err);
        if (st == BO_OK && (!begin_twins(conn->twins, &same) || !same_file(conn, conn->twins))) {
            sq_twins_close(conn);
            same = true;
        }
        if (st != BO_OK || same)
            continue;
        for (sq_conn *twin = conn->twins; twin; twin = twin->next_twin)
            sq_end(twin);
        sq_end(conn);
    }
    if (st != BO_OK)
        sq_twins_close(conn);
    return st;
}

/* What this transaction wrote itself, rows or definitions, a twin would not see. */
static bo_status has_written(sq_conn *conn, sq_conn *twin, bool *out, bo_error *err)
{
    int64_t mine = 0, committed = 0;
    bo_status st = ask(conn, "PRAGMA schema_version", &mine, err);
    if (st == BO_OK)
        st = ask(twin, "PRAGMA schema_version", &committed, err);
    *out = mine != committed || sqlite3_total_changes64(conn->db) != conn->changes_before;
    return st;
}

static bo_status twin_of_writer(sq_conn *conn, bo_conn **out, bo_error *err)
{
    BO_OWN(bo_conn) *twin = NULL;
    bool written = false;
    bo_status st = sq_reopen(conn, TIMEOUT_MS, &twin, err);
    if (st == BO_OK)
        st = sq_begin_read(sq_of(twin), err);
    if (st == BO_OK)
        st = has_written(conn, sq_of(twin), &written, err);
    if (st != BO_OK)
        return st;
    if (!same_file(conn, sq_of(twin)))
        return bo_fail(err, BO_BUSY, "another file has taken the database's place");
    if (written)
        return bo_fail(err, BO_BUSY, "the transaction has written what others cannot see");
    *out = BO_TAKE(twin);
    return BO_OK;
}

bo_status sq_twin(bo_conn *base, bo_conn **out, bo_error *err)
{
    sq_conn *conn = sq_of(base);
    const int state = sqlite3_txn_state(conn->db, "main");
    if (state == SQLITE_TXN_WRITE)
        return twin_of_writer(conn, out, err);
    if (state == SQLITE_TXN_NONE)
        return bo_fail(err, BO_INVALID, "only a transaction has twins");
    sq_conn *twin = conn->twins;
    if (!twin)
        return bo_fail(err, BO_BUSY, "no other connection reads what this one reads");
    conn->twins = twin->next_twin;
    *out = &twin->base;
    return BO_OK;
}
