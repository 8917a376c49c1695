/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/transaction.c - transactions, and snapshots that several of them share. */
#include <string.h>

#include "driver/postgres/pg.h"

static void note_transaction(pg_conn *conn, bo_tx_mode mode)
{
    conn->in_transaction = true;
    conn->mode = mode;
}

bool pg_is_standby(pg_conn *conn)
{
    const char *standby = PQparameterStatus(conn->pg, "in_hot_standby");
    return standby && strcmp(standby, "on") == 0;
}

/* The statement after BEGIN must not take a snapshot: locks come first. */
bo_status pg_refuse_read_only(pg_conn *conn, bo_error *err)
{
    BO_OWN(PGresult) *shown = NULL;
    bo_status st = pg_ask(conn, "SHOW transaction_read_only", 0, NULL, &shown, err);
    if (st != BO_OK || strcmp(PQgetvalue(shown, 0, 0), "on") != 0)
        return st;
    if (pg_is_standby(conn))
        return bo_fail(err, BO_REFUSED, "the server is a replica: it cannot be written to");
    return bo_fail(err, BO_REFUSED, "the session is read-only");
}

bo_status pg_begin(bo_conn *base, bo_tx_mode mode, bo_error *err)
{
    static const char *const how[] = {
        [BO_TX_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        [BO_TX_WRITE] = "BEGIN ISOLATION LEVEL REPEATABLE READ",
        [BO_TX_PLAIN] = "BEGIN ISOLATION LEVEL READ COMMITTED",
    };
    pg_conn *conn = pg_of(base);
    bo_status st = pg_run(conn, NULL, err, "%s", how[mode]);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot begin a transaction");
    note_transaction(conn, mode);
    if (mode == BO_TX_WRITE)
        st = pg_refuse_read_only(conn, err);
    if (st != BO_OK)
        pg_rollback(base);
    return st;
}

static void drop_link(pg_conn *conn)
{
    PQfinish(conn->pg);
    conn->pg = NULL; /* libpq answers every later call with an error */
}

/* The settings that were pinned in a transaction went back with it, and so did a tag. */
static void pin_again(pg_conn *conn)
{
    bo_status st = BO_OK;
    if (conn->pinned_inside) {
        conn->raw = true;
        st = pg_pin(&conn->base, NULL);
    } else if (conn->tagged_inside) {
        st = pg_set_run(conn, conn->run, NULL);
    }
    conn->pinned_inside = false;
    conn->tagged_inside = false;
    if (st != BO_OK)
        drop_link(conn);
}

bo_status pg_commit(bo_conn *base, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    if (PQstatus(conn->pg) != CONNECTION_OK)
        return bo_fail(
            err, BO_DATABASE, "the link to the database broke before the transaction ended");
    BO_OWN(PGresult) *result = PQexec(conn->pg, "COMMIT");
    conn->in_transaction = false;
    if (PQresultStatus(result) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(result), "COMMIT") == 0)
        conn->pinned_inside = conn->tagged_inside = false;
    else
        pin_again(conn);
    /* A session may be ended after its commit, while it waits for a standby. */
    if (PQstatus(conn->pg) != CONNECTION_OK || !result || pg_ends_session(result)) {
        (void)pg_error(conn, result, err, "no answer to COMMIT came");
        if (err)
            err->status = BO_UNKNOWN;
        return BO_UNKNOWN;
    }
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return pg_error(conn, result, err, "the transaction was not committed");
    if (strcmp(PQcmdStatus(result), "ROLLBACK") == 0)
        return bo_fail(err, BO_DATABASE,
            "the server rolled the transaction back: a statement in it had failed");
    return BO_OK;
}

void pg_rollback(bo_conn *base)
{
    pg_conn *conn = pg_of(base);
    if (!conn->in_transaction)
        return;
    conn->in_transaction = false;
    PQclear(PQexec(conn->pg, "ROLLBACK"));
    if (PQtransactionStatus(conn->pg) == PQTRANS_IDLE)
        pin_again(conn);
    else
        drop_link(conn);
}

bo_status pg_share(bo_conn *base, bo_buf *token_out, bo_error *err)
{
    BO_OWN(PGresult) *result = NULL;
    bo_status st =
        pg_ask(pg_of(base), "SELECT pg_catalog.pg_export_snapshot()", 0, NULL, &result, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot share the snapshot");
    BO_OWN_VALUE(bo_buf) token = {0};
    bo_buf_add_str(&token, PQgetvalue(result, 0, 0));
    st = bo_buf_check(&token, err);
    if (st == BO_OK)
        bo_buf_add_str(token_out, bo_buf_str(&token));
    return st == BO_OK ? bo_buf_check(token_out, err) : st;
}

bo_status pg_join(bo_conn *base, const char *token, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    bo_status st = pg_begin(base, BO_TX_READ, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(bo_buf) literal = {0};
    pg_quote_literal(&literal, token);
    st = bo_buf_check(&literal, err);
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "SET TRANSACTION SNAPSHOT %s", bo_buf_str(&literal));
    if (st == BO_OK)
        return BO_OK;
    pg_rollback(base);
    return bo_wrap(err, st, "cannot join the snapshot");
}
