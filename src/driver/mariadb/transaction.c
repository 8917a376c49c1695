/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/transaction.c - beginning and ending transactions. */
#include <string.h>

#include "driver/mariadb/my.h"

bo_status my_refuse_read_only(my_conn *conn, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t refuses = 0;
    bo_buf_add_str(&sql,
        "SELECT @@GLOBAL.read_only <> 0 AND CURRENT_ROLE() IS NULL AND NOT EXISTS (SELECT 1 FROM"
        " information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE IN ('READ_ONLY ADMIN', "
        "'SUPER'))");
    bo_status st = my_ask_count(conn, &sql, &refuses, err);
    if (st == BO_OK && refuses)
        return bo_fail(err, BO_REFUSED, "the server is read-only: it cannot be written to");
    return st;
}

static bo_status begin_read(my_conn *conn, bo_error *err)
{
    bo_status st = my_run(conn, NULL, err, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    return st == BO_OK
               ? my_run(conn, NULL, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
               : st;
}

static bo_status run_xa(my_conn *conn, const char *verb, const char *end, bo_error *err)
{
    return my_run(conn, NULL, err, "XA %s 'backout_%lu'%s", verb, mysql_thread_id(conn->my), end);
}

/* A user's procedure may commit, which nobody sees beforehand.  In an XA transaction the server
 * refuses it.  Galera knows none: there what was committed is noticed. */
static bo_status begin_guarded(my_conn *conn, bo_error *err)
{
    bo_status st = my_log_rows(conn, err);
    if (st == BO_OK)
        st = my_run(conn, NULL, err, "SET SESSION autocommit = ON"); /* or one is open already */
    if (st == BO_OK)
        st = my_run(conn, NULL, err, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    conn->guarded = st == BO_OK && run_xa(conn, "START", "", NULL) == BO_OK;
    return st;
}

/* After a deadlock XA END fails, and what is left to do is XA ROLLBACK. */
static bo_status end(my_conn *conn, bool commit, bo_error *err)
{
    if (!conn->guarded)
        return my_run(conn, NULL, err, commit ? "COMMIT" : "ROLLBACK");
    bo_status st = run_xa(conn, "END", "", commit ? err : NULL);
    if (commit)
        return st == BO_OK ? run_xa(conn, "COMMIT", " ONE PHASE", err) : st;
    return run_xa(conn, "ROLLBACK", "", err);
}

/* LOCK TABLES would commit what is open, and START TRANSACTION would unlock them. */
static bo_status begin_write(my_conn *conn, bo_error *err)
{
    bo_status st = my_refuse_read_only(conn, err);
    if (st == BO_OK && conn->raw)
        st = begin_guarded(conn, err);
    return st == BO_OK && !conn->guarded ? my_run(conn, NULL, err, "SET SESSION autocommit = OFF")
                                         : st;
}

static bo_status begin_plain(my_conn *conn, bo_error *err)
{
    bo_status st = conn->raw ? my_log_rows(conn, err) : BO_OK;
    if (st == BO_OK)
        st = my_run(conn, NULL, err, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
    return st == BO_OK ? my_run(conn, NULL, err, "START TRANSACTION") : st;
}

bo_status my_begin(bo_conn *base, bo_tx_mode mode, bo_error *err)
{
    my_conn *conn = my_of(base);
    bo_status st = mode == BO_TX_READ    ? begin_read(conn, err)
                   : mode == BO_TX_WRITE ? begin_write(conn, err)
                                         : begin_plain(conn, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot begin a transaction");
    my_forget_links(conn);
    conn->in_transaction = true;
    conn->undone = false;
    conn->mode = mode;
    return BO_OK;
}

static void drop_link(my_conn *conn)
{
    if (conn->my)
        mysql_close(conn->my); /* the server rolls back */
    conn->my = NULL;
}

/* After COMMIT or ROLLBACK: nothing of the transaction is left in the session. */
static void leave(my_conn *conn)
{
    const bool unlock = conn->tables_locked;
    my_forget_links(conn);
    conn->in_transaction = conn->tables_locked = conn->undone = conn->guarded = false;
    bo_status st = unlock ? my_run(conn, NULL, NULL, "UNLOCK TABLES") : BO_OK;
    if (st == BO_OK && conn->mode == BO_TX_WRITE)
        st = my_run(conn, NULL, NULL, "SET SESSION autocommit = ON");
    if (st != BO_OK)
        drop_link(conn);
}

bo_status my_commit(bo_conn *base, bo_error *err)
{
    my_conn *conn = my_of(base);
    if (my_link_broke(conn))
        return bo_fail(
            err, BO_DATABASE, "the link to the database broke before the transaction ended");
    if (conn->undone) {
        my_rollback(base);
        return bo_fail(err, BO_DATABASE,
            "the server rolled the transaction back: a statement in it met a deadlock");
    }
    bo_status st = end(conn, true, err);
    if (st != BO_OK && my_link_broke(conn)) {
        conn->in_transaction = conn->tables_locked = conn->guarded = false;
        (void)bo_wrap(err, st, "no answer to COMMIT came");
        if (err)
            err->status = BO_UNKNOWN;
        return BO_UNKNOWN;
    }
    if (st != BO_OK) {
        my_rollback(base);
        return bo_wrap(err, st, "the transaction was not committed");
    }
    leave(conn);
    return BO_OK;
}

void my_rollback(bo_conn *base)
{
    my_conn *conn = my_of(base);
    if (!conn->in_transaction)
        return;
    if (end(conn, false, NULL) == BO_OK) {
        leave(conn);
        return;
    }
    conn->in_transaction = conn->tables_locked = conn->undone = conn->guarded = false;
    drop_link(conn);
}
